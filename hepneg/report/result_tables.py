"""The tables of all results, made once for the page and the terminal from what the JSON files hold."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Iterator, Mapping

from hepneg._core.estimate import Estimate
from hepneg._core.formatting import interval
from hepneg._core.tables import Cell, Table
from hepneg.report import table_fields as of
from hepneg.report.table_fields import Data, Field, chi2_cell, measurement, table_of, with_names
from hepneg.schemes.scheme import scheme_title

__all__ = [
    "closure_table",
    "comparison_table",
    "correlation_table",
    "feature_table",
    "fold_table",
    "friend_table",
    "negative_range_table",
    "overview_table",
    "process_table",
    "quantile_table",
    "refinement_table",
    "regression_table",
    "resampling_table",
    "sign_network_table",
    "systematics_table",
    "target_table",
    "verdict_table",
    "weight_tables",
]

_TESTS = {
    "anderson_darling": "p (AD)",
    "cramer_von_mises": "p (CvM)",
    "kolmogorov_smirnov": "p (KS)",
    "location": "p (location)",
    "width": "p (width)",
    "smooth": "p (smooth)",
    "chi2": "p (χ²)",
}
_SAMPLE, _ENTRIES, _SUM = of.text_field("sample"), of.count_field("entries"), of.measured_field("Σw", "sum_weights")
_FRACTION, _EFFECTIVE = of.share_field("f", "negative_fraction"), of.count_field("n_eff")
_NEGATIVE_BINS = of.count_field("bins with Σw < 0", "negative_bins", essential=False)
_CLOSURE, _CLIPPED = of.measured_field("closure Σ|w|ĝ / Σw", "inclusive"), of.share_field("clipped", "clipped_share")
_CLIPPED_SUM = of.measured_field("Σw clipped", "clipped_sum", essential=False)
_CALIBRATION = of.cell_field("calibration χ² / bins", lambda row: chi2_cell(row["chi2"], row["bins"]))


def weight_tables(report: Data, labels: Mapping[str, str]) -> Iterator[Table]:
    """Summarise the weights of ``inspect.json`` by sample, and by label where one has several samples."""
    yield _weights("sample", with_names(report["samples"], label=labels), of.text_field("label", essential=False))
    if len(report["samples"]) > len(report["labels"]):
        yield _weights("label", with_names(report["labels"], "label"))


def _weights(part: str, rows: list[Data], *more: Field) -> Table:
    return table_of(
        f"weights-{part}s",
        f"Weight summary by {part}",
        rows,
        *(of.text_field(part), *more, _ENTRIES, of.count_field("selected"), _SUM, _FRACTION),
        of.share_field("f (counted)", "negative_fraction_counted", essential=False),
        *(of.number_field("dilution"), _EFFECTIVE),
        of.rough_field("10 largest |w| / Σ|w|", "largest_share_abs", essential=False),
    )


def negative_range_table(report: Data) -> Table:
    """List the ranges of features in which Σw is negative, from ``inspect.json``."""
    samples = report["samples"].items()
    return table_of(
        "weights-regions",
        "Ranges with Σw < 0, chance included",
        [{**region, "sample": sample} for sample, part in samples for region in part["negative_regions"]],
        *(of.text_field("feature"), _SAMPLE, of.cell_field("from", _range), _ENTRIES, _SUM),
        of.rough_field("Σw / √Σw²", "significance"),
    )


def _range(part: Data) -> Cell:
    return Cell(interval(part["low"], part["high"]), part["low"])


def verdict_table(report: Data, caption: str = "Positive against negative shapes") -> Table:
    """List the verdict of every sample and the test of all features together, from ``check.json``."""
    return table_of(
        "shapes-verdicts",
        caption,
        [{**(row.get("multivariate") or {}), **row} for row in with_names(report["samples"])],
        *(_SAMPLE, of.text_field("verdict"), of.measured_field("AUC of the sign", "auc")),
        *(of.probability_field("p", "p_value"), of.prose_field("reason")),
    )


def feature_table(report: Data) -> Table:
    """List effect sizes and tests of ``check.json`` by feature, the largest effects of each sample first."""
    rows = [
        {**feature, **feature["tests"], "sample": name, "pull": feature["largest_pull"]["value"]}
        for name, shapes in report["samples"].items()
        for feature in sorted(with_names(shapes["features"], "feature"), key=_by_size)
    ]
    made = {test for row in rows for test in row["tests"]}
    tests = [*(test for test in _TESTS if test in made), *sorted(made - _TESTS.keys())]
    return table_of(
        "shapes-features",
        "Effect sizes and tests, by feature",
        rows,
        *(of.text_field("feature"), _SAMPLE),
        of.text_field("differs", lambda row: "yes" if row["p_adjusted"] <= report["alpha"] else "no"),
        of.measured_share_field("total variation", "total_variation"),
        of.measured_share_field("bias of |w|", "signed_total_variation"),
        *(of.probability_field("p", "p_value"), of.probability_field("p, adjusted", "p_adjusted")),
        *(of.probability_field(_TESTS.get(test, f"p ({test})"), test) for test in tests),
        *(of.rough_field("largest pull", "pull"), of.cell_field("in", lambda row: _range(row["largest_pull"]))),
    )


def _by_size(feature: Data) -> tuple[float, float]:
    return -feature["total_variation"], feature["p_value"]


def systematics_table(report: Data, largest: int | None = None) -> Table:
    """Compare the bias of \\|w\\| with the systematic variations of ``check.json``; no rows where there are none.

    Args:
        report: content of ``check.json``.
        largest: how many ratios of each sample to list; left out, all.
    """
    rows = [
        {**feature["yardstick"], "feature": feature["feature"], "sample": name}
        for name, shapes in report["samples"].items()
        for feature in sorted(with_names(shapes["features"], "feature"), key=_by_ratio)[:largest]
        if "yardstick" in feature
    ]
    return table_of(
        "shapes-yardstick",
        "Bias of |w| against the spread of the systematic variations",
        rows,
        *(of.text_field("feature"), _SAMPLE, of.measured_share_field("bias of |w|", "sign_difference")),
        *(of.measured_share_field("systematic spread", "spread"), of.measured_field("ratio")),
    )


def _by_ratio(feature: Data) -> float:
    ratio = feature["yardstick"]["ratio"]["value"] if "yardstick" in feature else None
    return math.inf if ratio is None else -ratio


def closure_table(closure: Data) -> Table:
    """Show how well classifiers trained with \\|w\\| fit each sign alone and both together, from ``closure.json``."""
    return table_of(
        "shapes-closure",
        "Sign-split closure on held-out events of each sign, and of both with their signed weights",
        with_names(closure["parts"], "trained and evaluated on"),
        *(of.text_field("trained and evaluated on"), _ENTRIES, of.measured_field("AUC", "auc")),
        of.probability_field("calibration p", lambda part: part["calibration"]["p_value"]),
        of.prose_field("mismodelled", lambda part: ", ".join(part["mismodelled"]) or "nothing"),
    )


def fold_table(histories: Iterable[Data], unit: str) -> Table:
    """Show how the training of each fold of ``metrics.json`` went; ``unit`` is that of the validation loss."""
    return table_of(
        "training-folds",
        "Folds, at the epoch with the lowest validation loss",
        [{**history, **_best(history)} for history in histories],
        *(of.text_field("fold"), of.count_field("epochs", lambda row: len(row["epochs"]))),
        *(of.count_field("best epoch", "best_epoch"), of.measured_field(f"best validation loss{unit}", "loss")),
        of.text_field("stopped by", "stopped"),
    )


def _best(history: Data) -> Data:
    best = next((record for record in history["epochs"] if record["epoch"] == history["best_epoch"]), None)
    return {"loss": best["validation_loss"], "loss_error": best["validation_error"]} if best else {}


def sign_network_table(health: Data) -> Table:
    """Show how far the local mean sign of each sample holds on held-out events, from the health in ``model.json``."""
    return table_of(
        "training-signs",
        "Sign networks on held-out events",
        [{**row, **_calibration(row), **_worst(row["features"])} for row in with_names(health["samples"])],
        *(_SAMPLE, _CLIPPED, _CLIPPED_SUM, of.share_field("at the floor", "floored_share"), _CLOSURE, _CALIBRATION),
        of.cell_field("worst feature χ² / bins", "worst_chi2", essential=False),
        *(of.text_field("worst feature", essential=False), of.cell_field("its closure", essential=False)),
    )


def _calibration(row: Data) -> Data:
    return {"chi2": row["calibration"]["chi2"], "bins": row["calibration"]["ndf"]}


def _worst(features: Mapping[str, Data]) -> Data:
    """Find the feature in whose bins signed and refined weights agree least."""
    cells = {name: cell for name, test in features.items() if (cell := chi2_cell(test["chi2"], test["ndf"]))}
    if not cells:
        return {}
    worst = max(cells, key=lambda name: cells[name].value or 0.0)
    ratios = [ratio for ratio in features[worst]["closure"] if ratio is not None]
    closure = (
        Cell(f"{min(ratios):.3f} to {max(ratios):.3f}", max(abs(ratio - 1) for ratio in ratios)) if ratios else None
    )
    return {"worst feature": worst, "worst_chi2": cells[worst], "its closure": closure}


def overview_table(parts: Iterable[Data], merit: str) -> Table:
    """Give one line to each sample: what the steps say of it, its name as ``sample``, and a figure of merit if any."""
    return table_of(
        "summary-samples",
        "Samples",
        parts,
        *(_SAMPLE, of.text_field("label"), of.text_field("shapes", "verdict"), of.count_field("selected")),
        *(_FRACTION, _EFFECTIVE, *([of.measured_field(merit, merit.lower())] if merit else [])),
    )


def process_table(evaluation: Data) -> Table:
    """List the processes of a classification, from ``metrics.json``."""
    return table_of(
        "response-samples",
        f"Response under the scheme {scheme_title(evaluation['scheme'], evaluation['chosen'])}",
        with_names(evaluation["samples"]),
        *(_SAMPLE, of.text_field("label", essential=False), _ENTRIES, _SUM, _FRACTION, _EFFECTIVE),
        *(of.measured_field("AUC", "auc"), _NEGATIVE_BINS),
    )


_MERITS = (of.measured_field("bias"), of.measured_field("resolution"), of.measured_field("mean squared error", "mse"))


def regression_table(evaluation: Data, target: str = "") -> Table:
    """List the samples of a regression, from ``metrics.json``, or from its part for one of several targets."""
    what = f"Prediction of {target}" if target else "Prediction"
    return table_of(
        f"response-samples{target and '-'}{target}",
        f"{what} under the scheme {evaluation['scheme']}, objective {evaluation['objective']}",
        with_names(evaluation["samples"]),
        *(_SAMPLE, _ENTRIES, _SUM, *_MERITS, _NEGATIVE_BINS),
    )


def quantile_table(evaluation: Data, target: str = "") -> Table:
    """Show the share of targets below each predicted quantile of ``metrics.json``, and the pinball loss."""
    quantile = of.cell_field("quantile", lambda row: Cell(f"{row['probability']:g}", row["probability"]))
    below, loss = of.measured_field("targets below", "below"), of.measured_field("pinball loss", "loss")
    what = f"Predicted quantiles of {target}" if target else "Predicted quantiles"
    name = f"response-quantiles{target and '-'}{target}"
    return table_of(name, what, evaluation["quantiles"], quantile, below, loss)


def target_table(evaluation: Data) -> Table:
    """List the targets of a regression with several, from ``metrics.json``."""
    caption = f"Targets, predicted under the scheme {evaluation['scheme']}, objective {evaluation['objective']}"
    rows = with_names(evaluation["targets"], "target")
    return table_of("response-targets", caption, rows, of.text_field("target"), *_MERITS)


def correlation_table(evaluation: Data) -> Table:
    """List the correlations of the residuals of several targets, from ``metrics.json``."""
    names = (of.text_field("target", "first"), of.text_field("and", "second"))
    rows, value = evaluation["correlations"], of.measured_field("correlation")
    return table_of("response-correlations", "Correlation of the residuals", rows, *names, value)


def comparison_table(comparison: Data, *, timed: bool = False) -> Table:
    """Show the schemes of ``compare.json`` side by side, ``timed`` with seconds, which no two runs have in common."""
    best = comparison["recommended"]
    return table_of(
        "comparison-schemes",
        f"Schemes on the same held-out events, signed; Δ is the difference to {best}",
        [{**row, "reference": row["name"] == best} for row in with_names(comparison["schemes"], "name")],
        of.text_field("scheme", lambda row: scheme_title(row["name"], row["chosen"])),
        *(of.measured_field("AUC", "auc"), of.measured_field("loss (nats)", "loss")),
        of.measured_field("ΔAUC", functools.partial(_difference, "auc_difference"), essential=False),
        of.measured_field("Δloss (nats)", functools.partial(_difference, "loss_difference")),
        of.measured_field("ΔBrier", functools.partial(_difference, "brier_difference"), essential=False),
        of.cell_field(
            "calibration χ² / bins", lambda row: chi2_cell(row["calibration_chi2"], row["calibration_degrees"])
        ),
        *(_NEGATIVE_BINS, *((of.seconds_field("seconds", essential=False),) if timed else ())),
    )


def _difference(key: str, row: Data) -> Cell | Estimate | None:
    return Cell("reference", 0.0) if row["reference"] else measurement(row, key)


def refinement_table(refinement: Data) -> Table:
    """Show how well the refined weights of ``refine.json`` close, by sample."""
    rows = [{**row, **_calibration(row)} for row in with_names(refinement["samples"])]
    caption = "Refined weights on held-out events, before they are scaled to Σw"
    return table_of("refinement", caption, rows, _SAMPLE, _CLOSURE, _CLIPPED, _CLIPPED_SUM, _CALIBRATION)


def resampling_table(samples: Mapping[str, Data]) -> Table:
    """Show what resampling kept of each sample."""
    return table_of(
        "resampling",
        "Resampled events",
        with_names(samples),
        *(_SAMPLE, of.share_field("kept", "kept_share"), of.precise_field("Σw after / before", "sum_ratio")),
        of.precise_field("Σw² after / before", "square_ratio"),
        of.share_field("of Σw² capped", "capped_share"),
    )


def friend_table(files: Iterable[Data]) -> Table:
    """List the friend files, and the files with the new branches, that were written or kept."""
    return table_of(
        "friends",
        "Files with the new columns",
        files,
        *(of.text_field("file", "path"), _ENTRIES, of.count_field("selected")),
        of.text_field("network", lambda file: "held out" if file["held_out"] else "mean"),
        of.text_field("", lambda file: "kept" if file["kept"] else "written"),
    )

"""Results as text for a terminal; the numbers come from the result objects."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hepneg._core.estimate import Estimate
from hepneg.cli.plain_console import Console, Table

if TYPE_CHECKING:
    from hepneg.evaluation.classification import Evaluation
    from hepneg.evaluation.regression import RegressionEvaluation
    from hepneg.friends import Friends
    from hepneg.shapes import ShapeReport
    from hepneg.signs.refinement import Refinement
    from hepneg.signs.resampling import ResampledSample
    from hepneg.studies import SignSplitClosure
    from hepneg.studies.scheme_comparison import Comparison
    from hepneg.weights import WeightReport

__all__ = [
    "show_closure",
    "show_comparison",
    "show_evaluation",
    "show_files",
    "show_friends",
    "show_health",
    "show_refinement",
    "show_resampling",
    "show_shapes",
    "show_weights",
]


_LARGEST = 5


def _print(table: Table) -> None:
    # A pipe has no width of its own: long tables must not be folded into it.
    console = Console(highlight=False)
    console.print(table) if console.is_terminal else Console(highlight=False, width=140).print(table)


def _table(title: str, columns: Sequence[str], *, text_columns: int = 1) -> Table:
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number < text_columns else "right", no_wrap=number > 0)
    return table


def show_weights(report: WeightReport) -> None:
    """Print what the signs cost."""
    table = _table("What the signs cost", ["", "entries", "selected", "Σw", "f", "dilution", "n_eff"])
    for summary in (*report.samples.values(), *report.labels.values()):
        table.add_row(
            summary.name,
            str(summary.entries),
            str(summary.selected),
            f"{summary.sum_weights:.6g} ± {summary.error:.2g}",
            f"{summary.negative_fraction:.1%}",
            f"{summary.dilution:.3f}",
            f"{summary.n_eff:.5g}",
        )
    _print(table)
    for sentence in report.outliers:
        Console(highlight=False, soft_wrap=True).print(sentence)
    for label, risk in report.batch_risk.items():
        Console(highlight=False).print(
            f"A random batch of {report.batch_size} events has Σw ≤ 0 for the {label}: {risk:.2g}"
        )


def show_shapes(report: ShapeReport) -> None:
    """Print the verdicts."""
    columns = ["sample", "verdict", "AUC of the sign", "p", "reason"]
    table = _table("Positive against negative shapes", columns, text_columns=2)
    table.columns[-1].no_wrap, table.columns[-1].justify = False, "left"
    for name, shapes in report.samples.items():
        sign = shapes.multivariate
        auc, p_value = (str(sign.auc), f"{sign.p_value:.2g}") if sign else ("—", "—")
        table.add_row(name, shapes.verdict, auc, p_value, shapes.reason)
    _print(table)
    if any(shapes.yardsticks for shapes in report.samples.values()):
        _print(_yardsticks(report))
    Console(highlight=False).print(f"Schemes to prefer, best first: {', '.join(report.recommended_schemes)}")


def _yardsticks(report: ShapeReport) -> Table:
    """List the features for which the signs matter most against the systematic variations."""
    columns = ["sample", "feature", "|w| displaces (%)", "systematic spread (%)", "ratio"]
    table = _table("The signs against the systematic variations: the largest ratios", columns, text_columns=2)
    for name, shapes in report.samples.items():
        known = [one for one in shapes.yardsticks.values() if math.isfinite(one.ratio.value)]
        for one in sorted(known, key=lambda one: -one.ratio.value)[:_LARGEST]:
            table.add_row(name, one.name, _percent(one.sign_difference), _percent(one.spread), str(one.ratio))
        if shapes.yardsticks and not known:
            table.add_row(name, "—", "—", "not significant", "—")
    return table


def _percent(estimate: Estimate) -> str:
    return str(Estimate(100.0 * estimate.value, 100.0 * estimate.error))


def show_closure(closure: SignSplitClosure) -> None:
    """Print what classifiers that are blind to the sign get wrong."""
    columns = ["trained and judged on", "entries", "AUC", "calibration p", "mismodelled"]
    table = _table("Sign-split closure, held out", columns)
    table.columns[-1].no_wrap = False
    for part in closure.parts.values():
        wrong = ", ".join(part.mismodelled) or "nothing"
        table.add_row(part.part, str(part.entries), str(part.auc), f"{part.calibration.p_value:.2g}", wrong)
    _print(table)
    response = _table("Its response, positive against negative events", ["sample", "verdict", "reason"], text_columns=3)
    response.columns[-1].no_wrap = False
    for name, shapes in closure.response.samples.items():
        response.add_row(name, shapes.verdict, shapes.reason)
    _print(response)
    Console(highlight=False).print(closure.conclusion)


def show_evaluation(evaluation: Evaluation | RegressionEvaluation) -> None:
    """Print the table of processes and the signed figures of merit."""
    from hepneg.evaluation.classification import Evaluation

    if isinstance(evaluation, Evaluation):
        _show_classification(evaluation)
    else:
        _show_regression(evaluation)


def _show_regression(evaluation: RegressionEvaluation) -> None:
    title = f"Prediction under the scheme {evaluation.scheme}, objective {evaluation.objective}"
    table = _table(title, ["process", "entries", "Σw", "bias", "resolution", "mean squared error"])
    for name, row in evaluation.samples.items():
        cells = (row.entries, row.sum_weights, row.bias, row.resolution, row.mse)
        table.add_row(name, *map(str, cells))
    _print(table)
    console = Console(highlight=False)
    console.print(f"On held-out events, signed: bias {evaluation.bias}, resolution {evaluation.resolution}")
    for quantile in evaluation.quantiles:
        console.print(f"Targets below the {quantile.probability:g} quantile: {quantile.below}")


def _show_classification(evaluation: Evaluation) -> None:
    columns = ["process", "label", "entries", "Σw", "f", "n_eff", "AUC"]
    table = _table(f"Response under the scheme {evaluation.title}", columns, text_columns=2)
    for row in evaluation.samples:
        table.add_row(
            row.sample,
            row.label,
            str(row.entries),
            str(row.sum_weights),
            f"{row.negative_fraction:.1%}",
            f"{row.n_eff:.5g}",
            str(row.auc),
        )
    _print(table)
    Console(highlight=False).print(f"On held-out events, signed: AUC {evaluation.auc}, loss {evaluation.loss} nats")
    if evaluation.reason:
        Console(highlight=False, soft_wrap=True).print(f"{evaluation.chosen} was chosen: {evaluation.reason}")


def show_health(health: Mapping[str, Any]) -> None:
    """Print the health of a training as the model holds it: on held-out events, by sample where signs were learnt."""
    console = Console(highlight=False)
    columns = ["sample", "Σ|w|ĝ / Σw", "clipped", "at the floor", "calibration χ²/bins"]
    table = _table("Sign networks on held-out events", columns)
    for name, closure in health["samples"].items():
        table.add_row(
            name,
            "—" if closure["inclusive"] is None else str(Estimate(closure["inclusive"], closure["inclusive_error"])),
            f"{closure['clipped_share']:.2%}",
            f"{closure['floored_share']:.2%}",
            f"{closure['calibration']['chi2']:.0f}/{closure['calibration']['ndf']}",
        )
    if table.rows:
        _print(table)
    largest = "" if health["largest_logit"] is None else f"Largest |log-odds| {health['largest_logit']:.3g}; "
    console.print(
        f"{largest}{health['negative_batches']:.1%} of the batches have a label with Σ of the training weights ≤ 0"
    )


def show_comparison(comparison: Comparison) -> None:
    """Print the schemes side by side."""
    columns = ["scheme", "AUC", "loss (nats)", "loss − recommended", "calibration χ²/bins", "seconds"]
    table = _table("Schemes on the same held-out events, signed", columns)
    for name, result in comparison.schemes.items():
        table.add_row(
            result.evaluation.title,
            str(result.evaluation.auc),
            str(result.evaluation.loss),
            "—" if name == comparison.recommended else str(result.loss_difference),
            result.calibration,
            f"{result.seconds:.1f}",
        )
    _print(table)
    messages = {name: result.message for name, result in comparison.schemes.items() if result.message}
    for name, message in {**comparison.failures, **messages}.items():
        Console(highlight=False).print(f"{name}: {message}")
    for name, result in comparison.schemes.items():
        if result.evaluation.reason:
            Console(highlight=False, soft_wrap=True).print(
                f"{name} has chosen {result.evaluation.chosen}: {result.evaluation.reason}"
            )
    Console(highlight=False).print(f"Recommended: {comparison.reason}")


def show_friends(friends: Friends) -> None:
    """Print the friend files, and the files with the new branches, that were written or kept."""
    table = _table("Files with the new columns", ["", "entries", "selected", "network", ""])
    for file in friends.written:
        network = "held out" if file.held_out else "mean"
        table.add_row(file.path, str(file.entries), str(file.selected), network, "kept" if file.kept else "written")
    _print(table)


def show_refinement(refinement: Refinement) -> None:
    """Print how well refined weights close."""
    table = _table(
        "Refined weights, held out", ["sample", "Σ|w|ĝ / Σw before scaling", "clipped", "calibration χ²/bins"]
    )
    for name, closure in refinement.closure.items():
        calibration = f"{closure.calibration.chi2:.0f}/{closure.calibration.ndf}"
        table.add_row(name, str(closure.inclusive), f"{closure.clipped_share:.2%}", calibration)
    _print(table)
    console = Console(highlight=False, soft_wrap=True)
    for name, places in refinement.negative.items():
        for place in places:
            console.print(f"{name}: the density is negative, and lost to non-negative weights, in {place}")


def show_resampling(resampled: Mapping[str, ResampledSample]) -> None:
    """Print what resampling kept, where it was asked for."""
    if resampled:
        table = _table(
            "Resampled events", ["sample", "kept", "Σw after / before", "Σw² after / before", "of Σw² capped"]
        )
        for name, one in resampled.items():
            ratios = (f"{one.sum_ratio:.4f}", f"{one.square_ratio:.4f}", f"{one.capped_share:.2%}")
            table.add_row(name, f"{one.kept_share:.2%}", *ratios)
        _print(table)


def show_files(files: Iterable[Path]) -> None:
    """Print the paths of what was written, as seen from here; of the figures the PNGs, as each has a PDF beside it."""
    console = Console(highlight=False, soft_wrap=True)
    for path in files:
        if path.suffix != ".pdf":
            console.print(str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path))

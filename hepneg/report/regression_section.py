"""The section on the prediction of a regression and what it is worth."""

from __future__ import annotations

from hepneg._core.formatting import count, estimate, p_value
from hepneg.report.blocks import Block, Facts, Figure, Gallery, Section, Text
from hepneg.report.result_tables import quantile_table, regression_table
from hepneg.report.results import Data, Results

__all__ = ["is_regression", "regression_merits", "regression_section"]

_COMMAND = "hepneg plot"
_FIGURES = {
    "residuals": ("Residuals.", "Share of Σw by prediction minus target for every sample, with errors"),
    "pulls": ("Pulls.", "Share of Σw by residual over its expected width, with a unit normal distribution"),
    "bias": ("Bias and resolution.", "Mean residual and its standard deviation in bins of prediction and of target"),
    "response_matrix": ("Response matrix.", "Signed share of the predictions in each bin of the target"),
}


def is_regression(evaluation: Data | None) -> bool:
    """Tell the results of a regression from those of a classification."""
    return evaluation is not None and evaluation.get("task") == "regression"


def regression_section(results: Results, evaluation: Data) -> Section:
    """Show the figures of merit, the table of samples and the figures, all with signed weights."""
    blocks: list[Block] = [
        Text(
            "All figures are signed, in the target's unit, and each event is evaluated by the network that "
            "has not seen it."
        ),
        Facts((*regression_merits(evaluation), *_further_merits(evaluation))),
        regression_table(evaluation),
    ]
    if evaluation["quantiles"]:
        blocks.append(quantile_table(evaluation))
    blocks.append(Gallery(_figures(results)))
    return Section("response", "Prediction", tuple(blocks))


def regression_merits(evaluation: Data) -> tuple[tuple[str, str], ...]:
    """Return the figures of merit for the summary."""
    return (
        ("objective", evaluation["objective"]),
        *((name, _estimate(evaluation, name)) for name in ("bias", "resolution")),
        ("mean squared error", _estimate(evaluation, "mse")),
    )


def _further_merits(evaluation: Data) -> tuple[tuple[str, str], ...]:
    profile = evaluation["by_prediction"]
    test = f"χ² {profile['chi2']:.1f} for {profile['degrees']} bins, p = {p_value(profile['p_value'])}"
    facts = [
        ("mean absolute error", _estimate(evaluation, "mae")),
        ("variance of the target", _estimate(evaluation, "variance")),
        ("pull", f"mean {_estimate(evaluation, 'pull_mean')}, width {_estimate(evaluation, 'pull_width')}"),
        ("bias in bins of the prediction", test),
    ]
    if evaluation["counter_examples"]:
        facts.append(("counter-examples, left out", count(evaluation["counter_examples"])))
    return tuple(facts)


def _figures(results: Results) -> tuple[Figure, ...]:
    return tuple(results.figure(stem, *texts, _COMMAND) for stem, texts in _FIGURES.items())


def _estimate(data: Data, name: str) -> str:
    return estimate(data[name], data[f"{name}_error"])

"""The section on the prediction of a regression and what it is worth."""

from __future__ import annotations

from hepneg._core.formatting import count, estimate, with_p
from hepneg.report.blocks import Block, Facts, Gallery, Section, Text
from hepneg.report.result_tables import quantile_table, regression_table
from hepneg.report.results import Data, Results
from hepneg.report.stack_gallery import stack_gallery

__all__ = ["is_regression", "regression_merits", "regression_section"]

_FIGURES = ("residuals", "pulls", "bias", "response_matrix")


def is_regression(evaluation: Data | None) -> bool:
    """Tell the results of a regression from those of a classification."""
    return evaluation is not None and evaluation.get("task") == "regression"


def regression_section(results: Results, evaluation: Data) -> Section:
    """Show the figures of merit, the table of samples and the figures, all with signed weights."""
    blocks: list[Block] = [
        *stack_gallery(results, main=True),
        Text(
            "All figures are signed, in the target's unit, and each event is evaluated by the network that "
            "has not seen it."
        ),
        Facts((*regression_merits(evaluation), *_further_merits(evaluation))),
        regression_table(evaluation),
    ]
    if evaluation["quantiles"]:
        blocks.append(quantile_table(evaluation))
    blocks += stack_gallery(results, main=False)
    blocks.append(Gallery(tuple(map(results.figure, _FIGURES))))
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
    test = f"χ² {profile['chi2']:.1f} for {profile['degrees']} bins, {with_p(profile['p_value'])}"
    facts = [
        ("mean absolute error", _estimate(evaluation, "mae")),
        ("variance of the target", _estimate(evaluation, "variance")),
        ("pull", f"mean {_estimate(evaluation, 'pull_mean')}, width {_estimate(evaluation, 'pull_width')}"),
        ("bias in bins of the prediction", test),
    ]
    if evaluation["counter_examples"]:
        facts.append(("counter-examples, left out", count(evaluation["counter_examples"])))
    return tuple(facts)


def _estimate(data: Data, name: str) -> str:
    return estimate(data[name], data[f"{name}_error"])

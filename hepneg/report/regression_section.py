"""The section on the prediction of a regression and what it is worth."""

from __future__ import annotations

from collections.abc import Mapping

from hepneg._core.figure_names import CORRELATED_RESIDUALS_STEM, target_stem
from hepneg._core.formatting import count, estimate, with_p
from hepneg.report.blocks import Block, Facts, Gallery, Heading, Section, Text
from hepneg.report.result_tables import correlation_table, quantile_table, regression_table, target_table
from hepneg.report.results import Data, Results
from hepneg.report.stack_gallery import stack_gallery

__all__ = ["by_target", "is_regression", "regression_merits", "regression_section"]

_FIGURES = ("residuals", "pulls", "bias", "response_matrix")


def is_regression(evaluation: Data | None) -> bool:
    """Tell the results of a regression from those of a classification."""
    return evaluation is not None and evaluation.get("task") == "regression"


def by_target(evaluation: Data) -> Mapping[str, Data]:
    """Return the results of each target by its name; of the only one under an empty name."""
    targets: Mapping[str, Data] = evaluation.get("targets", {"": evaluation})
    return targets


def regression_section(results: Results, evaluation: Data) -> Section:
    """Show the figures of merit, the table of samples and the figures, all with signed weights."""
    blocks: list[Block] = [
        *stack_gallery(results, main=True),
        Text(
            "All figures are signed, in the target's unit, and each event is evaluated by the network that "
            "has not seen it."
        ),
    ]
    if "targets" in evaluation:
        correlated = Gallery((results.figure(CORRELATED_RESIDUALS_STEM),))
        blocks += [target_table(evaluation), correlation_table(evaluation), correlated]
    for name, part in by_target(evaluation).items():
        blocks += _of_target(results, name, part)
    blocks += stack_gallery(results, main=False)
    return Section("response", "Prediction", tuple(blocks))


def _of_target(results: Results, name: str, evaluation: Data) -> list[Block]:
    blocks: list[Block] = [Heading(f"Target {name}")] if name else []
    blocks += [Facts((*_merits(evaluation), *_further_merits(evaluation))), regression_table(evaluation, name)]
    if evaluation["quantiles"]:
        blocks.append(quantile_table(evaluation, name))
    blocks.append(Gallery(tuple(results.figure(target_stem(kind, name), kind) for kind in _FIGURES)))
    return blocks


def regression_merits(evaluation: Data) -> tuple[tuple[str, str], ...]:
    """Return the figures of merit for the summary."""
    targets = by_target(evaluation).items()
    merits = [
        (f"{merit} of {name}" if name else merit, text) for name, part in targets for merit, text in _merits(part)[1:]
    ]
    return (("objective", evaluation["objective"]), *merits)


def _merits(evaluation: Data) -> tuple[tuple[str, str], ...]:
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

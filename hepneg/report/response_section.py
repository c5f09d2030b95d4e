"""The section on the response and what it is worth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hepneg._core.figure_names import (
    CLASS_CALIBRATION_STEM,
    CONFUSION_STEM,
    by_sign_stem,
    class_response_stem,
    components_stem,
)
from hepneg._core.formatting import estimate, with_p
from hepneg.report.blocks import Block, Facts, Figure, Gallery, NotRun, Section, Text
from hepneg.report.class_tables import class_tables, has_classes
from hepneg.report.regression_section import is_regression, regression_section
from hepneg.report.result_tables import process_table
from hepneg.report.results import Data, Results
from hepneg.report.stack_gallery import stack_gallery

__all__ = ["response_section"]

_FIGURES = ("response", "response_log", "roc", "calibration", "significance")


def response_section(results: Results) -> Section:
    """Show the figures of merit, the table of processes and the figures, all with signed weights."""
    evaluation = results.evaluation
    if evaluation is None:
        return Section("response", "Response", (NotRun("hepneg train"),))
    if is_regression(evaluation):
        return regression_section(results, evaluation)
    if has_classes(evaluation):
        return _of_classes(results, evaluation)
    blocks: tuple[Block, ...] = (
        *stack_gallery(results, main=True),
        Text("All figures are signed, and each event is evaluated by the network that has not seen it."),
        Facts(_merits(evaluation)),
        process_table(evaluation),
        *stack_gallery(results, main=False),
        Gallery((*map(results.figure, _FIGURES), *_by_sample(results, evaluation["samples"]))),
    )
    return Section("response", "Response", blocks)


def _of_classes(results: Results, evaluation: Data) -> Section:
    """Show the figures of merit, tables and figures of several classes."""
    figures: list[Figure] = []
    for name in evaluation["classes"]:
        figures.append(results.figure(class_response_stem(name), "class_response", node=name))
        logarithmic = class_response_stem(name, logarithmic=True)
        figures.append(results.figure(logarithmic, "class_response_log", node=name))
    figures += [results.figure(CONFUSION_STEM), results.figure(CLASS_CALIBRATION_STEM)]
    merits = (
        ("mean AUC of each class against all others", estimate(evaluation["auc"], evaluation["auc_error"])),
        ("loss", f"{estimate(evaluation['loss'], evaluation['loss_error'])} nats"),
        ("Brier score", estimate(evaluation["brier"], evaluation["brier_error"])),
    )
    text = "All figures are signed, and each event is evaluated by the network that has not seen it."
    tables = (process_table(evaluation), *class_tables(evaluation))
    stacks = [stack_gallery(results, main=main) for main in (True, False)]
    blocks: tuple[Block, ...] = (*stacks[0], Text(text), Facts(merits), *tables, *stacks[1], Gallery(tuple(figures)))
    return Section("response", "Response", blocks)


def _merits(evaluation: Data) -> tuple[tuple[str, str], ...]:
    calibration = evaluation["calibration"]
    return (
        ("AUC", estimate(evaluation["auc"], evaluation["auc_error"])),
        ("loss", f"{estimate(evaluation['loss'], evaluation['loss_error'])} nats"),
        ("Brier score", estimate(evaluation["brier"], evaluation["brier_error"])),
        (
            "calibration",
            f"χ² {calibration['chi2']:.1f} for {calibration['degrees']} bins, {with_p(calibration['p_value'])}",
        ),
        *_before_calibration(evaluation.get("before_calibration")),
        *_wishes(evaluation),
    )


def _wishes(evaluation: Data) -> Iterator[tuple[str, str]]:
    """Say what came of an operating point, and of a share that was asked for."""
    point = evaluation.get("operating_point")
    if point:
        rates = " and ".join(
            f"{name} {estimate(point[name], point[f'{name}_error'])}" for name in ("sensitivity", "specificity")
        )
        yield f"at response {point['threshold']:g}", rates
    for row in evaluation.get("shares", ()):
        found, asked = estimate(row["share"], row["share_error"]), f"{row['wanted']:g} asked for"
        yield f"share of {row['of']} with a response in [{row['low']:g}, {row['high']:g}]", f"{found} ({asked})"


def _before_calibration(before: Data | None) -> Iterator[tuple[str, str]]:
    if before:
        part, change = before["calibration"], estimate(before["loss_change"], before["loss_change_error"])
        yield (
            "before calibration",
            f"χ² {part['chi2']:.1f} for {part['degrees']} bins; the spline changed the loss by {change} nats",
        )


def _by_sample(results: Results, samples: Iterable[str]) -> Iterator[Figure]:
    for name in samples:
        yield results.figure(components_stem(name), "components", sample=name)
        yield results.figure(by_sign_stem(name), "by_sign", sample=name)

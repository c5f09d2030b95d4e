"""The section on the response and what it is worth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hepneg._core.figure_names import by_sign_stem, components_stem
from hepneg._core.formatting import estimate, p_value
from hepneg.report.blocks import Facts, Figure, Gallery, NotRun, Section, Text
from hepneg.report.regression_section import is_regression, regression_section
from hepneg.report.result_tables import process_table
from hepneg.report.results import Data, Results

__all__ = ["response_section"]

_FIGURES = ("response", "response_log", "roc", "calibration", "significance")


def response_section(results: Results) -> Section:
    """Show the figures of merit, the table of processes and the figures, all with signed weights."""
    evaluation = results.evaluation
    if evaluation is None:
        return Section("response", "Response", (NotRun("hepneg train"),))
    if is_regression(evaluation):
        return regression_section(results, evaluation)
    blocks = (
        Text("All figures are signed, and each event is evaluated by the network that has not seen it."),
        Facts(_merits(evaluation)),
        process_table(evaluation),
        Gallery((*map(results.figure, _FIGURES), *_by_sample(results, evaluation["samples"]))),
    )
    return Section("response", "Response", blocks)


def _merits(evaluation: Data) -> tuple[tuple[str, str], ...]:
    calibration = evaluation["calibration"]
    return (
        ("AUC", estimate(evaluation["auc"], evaluation["auc_error"])),
        ("loss", f"{estimate(evaluation['loss'], evaluation['loss_error'])} nats"),
        ("Brier score", estimate(evaluation["brier"], evaluation["brier_error"])),
        (
            "calibration",
            f"χ² {calibration['chi2']:.1f} for {calibration['degrees']} bins, p = {p_value(calibration['p_value'])}",
        ),
    )


def _by_sample(results: Results, samples: Iterable[str]) -> Iterator[Figure]:
    for name in samples:
        yield results.figure(components_stem(name), "components", sample=name)
        yield results.figure(by_sign_stem(name), "by_sign", sample=name)

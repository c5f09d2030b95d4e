"""The section on the response and what it is worth."""

from __future__ import annotations

from hepneg._core.figure_names import by_sign_stem, components_stem
from hepneg._core.formatting import estimate, p_value
from hepneg.report.blocks import Facts, Figure, Gallery, NotRun, Section, Text
from hepneg.report.regression_section import is_regression, regression_section
from hepneg.report.result_tables import process_table
from hepneg.report.results import Data, Results

__all__ = ["response_section"]

_COMMAND = "hepneg plot"


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
        Gallery((*_overall(results), *_by_sample(results, list(evaluation["samples"])))),
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


def _overall(results: Results) -> list[Figure]:
    described = {
        "response": (
            "Net response of every sample, normalised.",
            "Share of Σw by response for every sample, with errors",
        ),
        "response_log": (
            "The same on a logarithmic axis.",
            "Share of Σw by response for every sample on a logarithmic axis, negative bins marked",
        ),
        "roc": ("Signed ROC curve.", "Background efficiency against signal efficiency with its error band"),
        "calibration": ("Calibration.", "Observed signal share against the response, with errors and the diagonal"),
        "significance": (
            "Significance of a cut.",
            "Expected significance against the cut on the response, with errors",
        ),
    }
    return [results.figure(stem, *texts, _COMMAND) for stem, texts in described.items()]


def _by_sample(results: Results, samples: list[str]) -> list[Figure]:
    return [
        figure
        for name in samples
        for figure in (
            results.figure(
                components_stem(name),
                f"{name}: positive, negative and net.",
                f"Response of {name}: positive, negative and net sums of weights in each bin",
                _COMMAND,
            ),
            results.figure(
                by_sign_stem(name),
                f"{name}: shapes by sign.",
                f"Normalised response of the positive and of the negative events of {name}, with their ratio",
                _COMMAND,
            ),
        )
    ]

"""The section on the weights: what is left of each sample, and how many events that is worth."""

from __future__ import annotations

from hepneg._core.formatting import count, p_value
from hepneg.report.blocks import Gallery, NotRun, Section, Text
from hepneg.report.result_tables import negative_range_table, weight_tables
from hepneg.report.results import Data, Results

__all__ = ["weights_section"]

_COMMAND = "hepneg inspect"


def weights_section(results: Results) -> Section:
    """Show the sums, the negative fraction, what is left of the sample, and the largest weights."""
    report = results.weights
    if report is None:
        return Section("weights", "Weights", (NotRun(_COMMAND),))
    labels = {name: results.label(name) for name in report["samples"]}
    ranges = negative_range_table(report)
    last = ranges if ranges.rows else Text("No feature has a range in which Σw is negative.")
    return Section(
        "weights",
        "Weights",
        (*weight_tables(report, labels), Text(_legend(report)), Gallery((results.figure("weights"),)), last),
    )


def _chance(risk: float | None) -> str:
    text = p_value(risk)
    return f"below {text[1:].strip()}" if text.startswith("<") else text


def _legend(report: Data) -> str:
    risks = " and ".join(f"{_chance(risk)} for {label}" for label, risk in report["batch_risk"].items())
    return (
        "f is the negative fraction Σ|w|(w<0) / Σ|w|, the dilution (1 − 2f)², and n_eff = (Σw)² / Σw² the number of "
        "equally weighted events without negative ones that would know Σw as well. In a random training batch of "
        f"{count(report['batch_size'])} events the probability of Σw ≤ 0 is {risks}."
    )

"""The section on what the signs cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hepneg._core.formatting import count, estimate, interval, p_value, percent, significant
from hepneg.report.blocks import Block, Cell, Column, Gallery, NotRun, Section, Table, Text, number
from hepneg.report.results import Data, Results

__all__ = ["weights_section"]

_COMMAND = "hepneg inspect"


def weights_section(results: Results) -> Section:
    """Show the sums, the negative fraction, what is left of the sample, and the largest weights."""
    report = results.weights
    if report is None:
        return Section("weights", "Weights", (NotRun(_COMMAND),))
    labels = {name: results.label(name) for name in report["samples"]}
    blocks: list[Block] = [_table("samples", "What the signs cost, by sample", report["samples"], labels)]
    if len(report["samples"]) > len(report["labels"]):
        blocks.append(_table("labels", "What the signs cost, by label", report["labels"], {}))
    blocks.append(Text(_legend(report)))
    figure = results.figure(
        "weights", "Signed sums of the samples.", "Positive, negative and net sums of weights of each sample", _COMMAND
    )
    blocks.append(Gallery((figure,)))
    blocks += _regions(report["samples"])
    return Section("weights", "Weights", tuple(blocks))


def _table(name: str, caption: str, parts: Mapping[str, Data], labels: Mapping[str, str]) -> Table:
    names = ("entries", "selected", "Σw", "f", "f (counted)", "dilution", "n_eff", "10 largest |w| / Σ|w|")
    label_column = (Column("label", "text"),) if labels else ()
    return Table(
        name=f"weights-{name}",
        caption=caption,
        columns=(Column(name[:-1], "text"), *label_column, *map(Column, names)),
        rows=tuple(
            (Cell(part), *([Cell(labels[part])] if labels else []), *_figures(summary))
            for part, summary in parts.items()
        ),
    )


def _figures(summary: Data) -> tuple[Cell, ...]:
    total, error = summary["sum_weights"], summary["sum_weights_error"]
    texts: tuple[tuple[str, float | None], ...] = (
        (count(summary["entries"]), summary["entries"]),
        (count(summary["selected"]), summary["selected"]),
        (estimate(total, error), total),
        (percent(summary["negative_fraction"]), summary["negative_fraction"]),
        (percent(summary["negative_fraction_counted"]), summary["negative_fraction_counted"]),
        (significant(summary["dilution"]), summary["dilution"]),
        (count(summary["n_eff"]), summary["n_eff"]),
        (significant(summary["largest_share_abs"], 2), summary["largest_share_abs"]),
    )
    return tuple(number(text, value) for text, value in texts)


def _legend(report: Data) -> str:
    risks = " and ".join(f"{p_value(risk)} for the {label}" for label, risk in report["batch_risk"].items())
    return (
        "f is the negative fraction Σ|w|(w<0) / Σ|w|, the dilution (1 − 2f)², and n_eff = (Σw)² / Σw² the number of "
        "equally weighted events without negative ones that would know Σw as well. In a random training batch of "
        f"{count(report['batch_size'])} events the probability of Σw ≤ 0 is {risks}."
    )


def _regions(samples: Mapping[str, Data]) -> list[Block]:
    rows: list[tuple[Cell, ...]] = [
        (Cell(region["feature"]), Cell(sample), *_region(region))
        for sample, summary in samples.items()
        for region in summary["negative_regions"]
    ]
    if not rows:
        return [Text("No feature has a range in which Σw is negative.")]
    columns = (Column("feature", "text"), Column("sample", "text"))
    numbers = ("from", "entries", "Σw", "Σw / √Σw²")
    return [
        Table("weights-regions", "Ranges with Σw < 0, chance included", (*columns, *map(Column, numbers)), tuple(rows))
    ]


def _region(region: Mapping[str, Any]) -> tuple[Cell, ...]:
    total = region["sum_weights"]
    return (
        Cell(interval(region["low"], region["high"]), region["low"]),
        number(count(region["entries"]), region["entries"]),
        number(estimate(total["value"], total["error"]), total["value"]),
        number(significant(region["significance"], 2), region["significance"]),
    )

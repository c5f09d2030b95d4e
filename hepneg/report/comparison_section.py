"""The section on the schemes side by side."""

from __future__ import annotations

from hepneg._core.formatting import count, estimate
from hepneg.report.blocks import Block, Cell, Column, Gallery, Items, NotRun, Section, Table, Text, number
from hepneg.report.results import Data, Results
from hepneg.schemes.titles import scheme_title

__all__ = ["comparison_section"]

_COMMAND = "hepneg compare"


def comparison_section(results: Results) -> Section:
    """Show every scheme on the same signed events, and how they differ."""
    comparison = results.comparison
    if comparison is None:
        return Section("comparison", "Comparison of schemes", (NotRun(_COMMAND),))
    reason = comparison["reason"]
    blocks: list[Block] = [Text(f"Recommended: {reason}."), _table(comparison)]
    remarks = {**comparison["failures"], **{name: row["message"] for name, row in comparison["schemes"].items()}}
    chosen = {name: row["chosen_because"] for name, row in comparison["schemes"].items() if row["chosen_because"]}
    blocks += [
        Text(f"{name} has chosen {comparison['schemes'][name]['chosen']}: {why}.") for name, why in chosen.items()
    ]
    items = tuple(f"{name}: {message}" for name, message in remarks.items() if message)
    if items:
        blocks.append(Items("Messages", items))
    caption = "Net response under each scheme, and differences to the recommended one, paired on the same events."
    alternative = "Normalised response of every sample under each scheme, and differences of AUC and loss with errors"
    blocks.append(Gallery((results.figure("comparison", caption, alternative, _COMMAND),)))
    return Section("comparison", "Comparison of schemes", tuple(blocks))


def _table(comparison: Data) -> Table:
    names = ("AUC", "loss (nats)", "ΔAUC", "Δloss (nats)", "calibration χ² / bins", "bins with Σw < 0")
    best = comparison["recommended"]
    rows = tuple(
        _row(scheme_title(name, row["chosen"]), row, reference=name == best)
        for name, row in comparison["schemes"].items()
    )
    caption = f"Schemes on the same held-out events, signed; Δ is the difference to {best}"
    return Table("comparison-schemes", caption, (Column("scheme", "text"), *map(Column, names)), rows)


def _row(name: str, row: Data, *, reference: bool) -> tuple[Cell, ...]:
    chi2, bins = row["calibration_chi2"], row["calibration_degrees"]
    differences = ("auc_difference", "loss_difference")
    return (
        Cell(name),
        *(number(estimate(row[key], row[f"{key}_error"]), row[key]) for key in ("auc", "loss")),
        *(
            Cell("reference", 0.0) if reference else number(estimate(row[key], row[f"{key}_error"]), row[key])
            for key in differences
        ),
        number("" if chi2 is None else f"{chi2:.1f} / {bins}", chi2 / bins if chi2 is not None and bins else None),
        number(count(row["negative_bins"]), row["negative_bins"]),
    )

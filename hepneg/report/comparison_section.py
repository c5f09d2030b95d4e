"""The section on the schemes side by side."""

from __future__ import annotations

from hepneg.config.known_classes import has_several_classes
from hepneg.report.blocks import Block, Gallery, Items, NotRun, Section, Text
from hepneg.report.result_tables import comparison_table
from hepneg.report.results import Results

__all__ = ["comparison_section"]

_COMMAND = "hepneg compare"


def comparison_section(results: Results) -> Section:
    """Show every scheme on the same signed events, and how they differ."""
    comparison = results.comparison
    if comparison is None:
        return Section("comparison", "Comparison of schemes", (NotRun(_COMMAND),))
    reason = comparison["reason"]
    blocks: list[Block] = [Text(f"Recommended: {reason}."), comparison_table(comparison)]
    remarks = {**comparison["failures"], **{name: row["message"] for name, row in comparison["schemes"].items()}}
    chosen = {name: row["chosen_because"] for name, row in comparison["schemes"].items() if row["chosen_because"]}
    blocks += [
        Text(f"{name} has chosen {comparison['schemes'][name]['chosen']}: {why}.") for name, why in chosen.items()
    ]
    items = tuple(f"{name}: {message}" for name, message in remarks.items() if message)
    if items:
        blocks.append(Items("Messages", items))
    kind = "comparison_of_classes" if has_several_classes(results.config) else ""
    blocks.append(Gallery((results.figure("comparison", kind),)))
    return Section("comparison", "Comparison of schemes", tuple(blocks))

"""The blocks on the effect of the signs against systematic variations, within the section on shapes."""

from __future__ import annotations

from collections.abc import Iterator

from hepneg._core.figure_names import YARDSTICK_STEM
from hepneg.report.blocks import Block, Gallery, Text
from hepneg.report.result_tables import systematics_table
from hepneg.report.results import Data, Results

__all__ = ["yardstick_blocks"]

_COMMAND = "hepneg check"
_LEGEND = (
    "What taking |w| for w does to each normalised shape, against the spread of the systematic variations: half the "
    "sum "
    "over ten bins of their quadratic sum. A ratio well below 1 says that the bias would be lost in the systematic "
    "uncertainty; there is none where the spread is not significant."
)


def yardstick_blocks(results: Results, report: Data) -> Iterator[Block]:
    """Show the ratios of all features; nothing where there are no systematic variations."""
    table = systematics_table(report)
    if not table.rows:
        return
    yield Text(_LEGEND)
    yield table
    caption = "Displacement of each shape by |w|, over the spread of the systematic variations."
    alternative = "Bars of the systematic spread and points of the bias of |w|, by feature and sample"
    yield Gallery((results.figure(YARDSTICK_STEM, caption, alternative, _COMMAND),))

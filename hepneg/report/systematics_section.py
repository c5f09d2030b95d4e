"""The blocks on the effect of the signs against systematic variations, within the section on shapes."""

from __future__ import annotations

from collections.abc import Iterator

from hepneg._core.figure_names import YARDSTICK_STEM
from hepneg._core.formatting import estimate, percent
from hepneg.report.blocks import Block, Cell, Column, Gallery, Table, Text, number
from hepneg.report.results import Data, Results

__all__ = ["yardstick_blocks"]

_COMMAND = "hepneg check"
_LEGEND = (
    "What taking |w| for w does to each normalised shape, against the spread of the systematic variations: half the sum "
    "over ten bins of their quadratic sum. A ratio well below 1 says that the bias would be lost in the systematic "
    "uncertainty; there is none where the spread is not significant."
)


def yardstick_blocks(results: Results, samples: Data) -> Iterator[Block]:
    """Show the ratios of all features; nothing where there are no systematic variations."""
    rows = tuple(
        _row(feature, sample, shape["yardstick"])
        for sample, shapes in samples.items()
        for feature, shape in shapes["features"].items()
        if "yardstick" in shape
    )
    if not rows:
        return
    columns = (Column("feature", "text"), Column("sample", "text"))
    names = ("bias of |w|", "systematic spread", "ratio")
    yield Text(_LEGEND)
    yield Table("shapes-yardstick", "The signs against the systematics", (*columns, *map(Column, names)), rows)
    caption = "Displacement of each shape by |w|, over the spread of the systematic variations."
    alternative = "Bars of the systematic spread and points of the bias of |w|, by feature and sample"
    yield Gallery((results.figure(YARDSTICK_STEM, caption, alternative, _COMMAND),))


def _row(feature: str, sample: str, yardstick: Data) -> tuple[Cell, ...]:
    sizes = (yardstick[key] for key in ("sign_difference", "spread"))
    ratio = yardstick["ratio"]
    return (
        Cell(feature),
        Cell(sample),
        *(number(percent(size["value"], size["error"]), size["value"]) for size in sizes),
        number(estimate(ratio["value"], ratio["error"]), ratio["value"]),
    )

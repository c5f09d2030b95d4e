"""Legends that hide nothing: inside the axes where there is room, else above them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.legend import Legend
from matplotlib.text import Text

from hepneg.plots.style import OwnFigure, points

ROW = 0.35
"""Inches of height that a legend of one row takes."""

_PAD = 0.2
"""Inches between a legend, the remarks and the edges."""
_LARGEST_SHARE = 0.45
"""Of the height of the axes, for a legend inside."""
_MOST_GIVEN = 0.6
"""Of the height of the user's axes, whose figure does not grow."""
_LAID_OUT = 1.1
"""What axes gain in width and height when the figure is laid out, which takes too long to do for their size."""


def add_legend(
    axes: Axes,
    *,
    headroom: float = 0.3,
    remarks: Sequence[Text] | None = None,
    columns: Sequence[int] = (1,),
    laid_out: bool = False,
    **options: Any,
) -> Legend:
    """Add a legend above the data: the vertical axis grows by ``headroom`` so that nothing lies under it.

    Args:
        axes: that the data are drawn in.
        headroom: growth of the vertical axis, in units of its range.
        remarks: texts in the upper left corner of the axes. If given, even empty, the labels are taken to be of any
            length: the headroom grows as needed, and a legend without room beside the remarks goes above the axes.
        columns: numbers of columns to try, the first that has room is taken; only with ``remarks``.
        laid_out: the axes have the size already that they get when the figure is laid out.
        **options: of the legend.
    """
    options = {"loc": "upper right", **options}
    if remarks is None:
        legend = axes.legend(**options)
        _grow(axes, headroom)
        return legend
    figure = axes.get_figure(root=True)
    assert figure is not None  # noqa: S101 - axes that hold data belong to a figure
    axes_width, axes_height = ((1.0 if laid_out else _LAID_OUT) * length for length in _inches(axes))
    beside, below = _corner(axes, remarks)
    for ncols in columns:
        legend = axes.legend(**options, ncols=ncols)
        width, height = _inches(legend)
        share = (max(height, below) + 0.5 * _PAD) / axes_height
        fits = width + beside + 2 * _PAD <= axes_width and share <= _LARGEST_SHARE
        if fits or not isinstance(figure, OwnFigure):
            _grow(axes, max(headroom, _growth(share)))
            return legend
        legend.remove()
    _grow(axes, _growth((below + 0.5 * _PAD) / axes_height) if below else 0.0)
    handles, labels = axes.get_legend_handles_labels()
    return legend_above(axes, options.get("handles", handles), options.get("labels", labels))


def legend_above(
    axes: Axes, handles: Sequence[Artist], labels: Sequence[str], *, room: float = 0.0, **options: Any
) -> Legend:
    """Add a legend above all axes, in as many columns as the width has room for; into axes of the user's figure.

    Args:
        axes: of the figure, which lays its axes out by itself and grows by the height of the legend; where the figure
            is the user's, the legend goes into these.
        handles: what the legend shows.
        labels: the text beside each.
        room: inches of the height that the figure has for it already.
        **options: of the legend.
    """
    figure = axes.get_figure(root=True)
    if not isinstance(figure, OwnFigure):
        return axes.legend(handles, labels, **options)
    widest, figure_height = figure.get_size_inches()
    style = {"loc": "outside upper center", "fontsize": points(mpl.rcParams["legend.fontsize"]), **options}
    for columns in range(max(1, len(labels)), 0, -1):
        legend = figure.legend(handles, labels, ncols=columns, **style)
        width, height = _inches(legend)
        if width <= widest - _PAD:
            break
        legend.remove()
    else:
        # One column is still too wide.
        style["fontsize"] *= (widest - _PAD) / width
        legend = figure.legend(handles, labels, **style)
    figure.set_size_inches(widest, figure_height + max(0.0, height - room))
    return legend


def _grow(axes: Axes, headroom: float) -> None:
    low, high = axes.get_ylim()
    if axes.get_yscale() == "log":
        axes.set_ylim(low, high * (high / low) ** headroom)
    else:
        axes.set_ylim(low, high + headroom * (high - low))


def _growth(share: float) -> float:
    """Return by how much an axis grows for a share of it to be free; a twentieth is, above the data."""
    return 0.95 / (1.0 - min(share, _MOST_GIVEN)) - 1.0


def _corner(axes: Axes, remarks: Sequence[Text]) -> tuple[float, float]:
    """Return how far texts reach into the axes from their upper left corner, to the right and down, in inches."""
    boxes = [remark.get_window_extent() for remark in remarks]
    dots = axes.get_figure(root=True).dpi  # type: ignore[union-attr]
    right = max((box.x1 - axes.bbox.x0 for box in boxes), default=0.0)
    return right / dots, max((axes.bbox.y1 - box.y0 for box in boxes), default=0.0) / dots


def _inches(artist: Artist) -> tuple[float, float]:
    """Return width and height of what is drawn."""
    figure = artist.get_figure(root=True)
    assert figure is not None  # noqa: S101 - it was drawn into one
    box = artist.get_window_extent()
    return box.width / figure.dpi, box.height / figure.dpi

"""Legends that hide nothing: inside the axes where there is room, else above them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.text import Text

__all__ = ["ROW", "add_legend", "legend_above"]

ROW = 0.35
"""Inches of height that a legend of one row takes."""

_PAD = 0.2
"""Inches between a legend, the remarks and the edges."""
_LARGEST_SHARE = 0.45
"""Of the height of the axes, for a legend inside."""
_LAID_OUT = 1.1
"""What axes gain in width and height when the figure is laid out, which takes too long to do for their size."""


def add_legend(axes: Axes, *, headroom: float = 0.3, remarks: Sequence[Text] | None = None, **options: Any) -> Legend:
    """Add a legend above the data: the vertical axis grows by ``headroom`` so that nothing lies under it.

    Args:
        axes: that the data are drawn in.
        headroom: growth of the vertical axis, in units of its range.
        remarks: texts in the upper left corner of the axes. If given, even empty, the labels are taken to be of any
            length: the headroom grows as needed, and a legend without room beside the remarks goes above the axes.
        **options: of the legend.
    """
    legend = axes.legend(**{"loc": "upper right", **options})
    if remarks is None:
        _grow(axes, headroom)
        return legend
    axes_width, axes_height = (_LAID_OUT * length for length in _inches(axes))
    width, height = _inches(legend)
    beside = max((_inches(remark)[0] for remark in remarks), default=0.0)
    share = (height + 0.5 * _PAD) / axes_height
    if width + beside + 2 * _PAD <= axes_width and share <= _LARGEST_SHARE:
        # Axes leave a twentieth free above the data.
        _grow(axes, max(headroom, 0.95 / (1.0 - share) - 1.0))
        return legend
    legend.remove()
    _grow(axes, 0.1 * len(remarks))
    figure = axes.get_figure(root=True)
    assert figure is not None  # noqa: S101 - axes that hold data belong to a figure
    return legend_above(figure, *axes.get_legend_handles_labels())


def legend_above(
    figure: Figure, handles: Sequence[Artist], labels: Sequence[str], *, room: float = 0.0, **options: Any
) -> Legend:
    """Add a legend above all axes, in as many columns as the width has room for.

    Args:
        figure: that lays its axes out by itself; it grows by the height of the legend.
        handles: what the legend shows.
        labels: the text beside each.
        room: inches of the height that the figure has for it already.
        **options: of the legend.
    """
    widest, figure_height = figure.get_size_inches()
    style = {"loc": "outside upper center", "fontsize": mpl.rcParams["legend.fontsize"], **options}
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


def _inches(artist: Artist) -> tuple[float, float]:
    """Return width and height of what is drawn."""
    figure = artist.get_figure(root=True)
    assert figure is not None  # noqa: S101 - it was drawn into one
    box = artist.get_window_extent()
    return box.width / figure.dpi, box.height / figure.dpi

"""Correlation matrices of positive and of negative events, and their difference."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from hepneg._core.arrays import FloatArray
from hepneg.metrics.correlation import CorrelationDifference
from hepneg.plots.short_names import plain, short_name, short_names
from hepneg.plots.style import Drawn, GivenAxes, axes_grid, in_print_style, relative

__all__ = ["plot_sign_correlations"]

_CELL = 0.30
_MOST_NUMBERED = 12
_WIDEST = 5.0
_LONGEST_NAME = 26
_LONGEST_TITLE = 60
_SIGNIFICANT = 3.0


@in_print_style
def plot_sign_correlations(result: CorrelationDifference, *, sample: str, ax: GivenAxes = None) -> Drawn:
    """Draw three matrices side by side: w > 0, \\|w\\| of w < 0, and the difference in standard deviations.

    Args:
        result: the correlations of both signs.
        sample: its name, for the title.

    Returns:
        The figure, its three axes, and the images ``positive``, ``negative`` and ``difference``. The difference is
        drawn in standard deviations from −5 to 5; where it exceeds 3 of them, its value is written into the cell (in up
        to 12 features). Undefined correlations are grey.
    """
    count = len(result.names)
    side = min(max(1.9, _CELL * count), _WIDEST)
    short = short_names(result.names, _LONGEST_NAME)
    names = [short[name] for name in result.names]
    size = min(8.5, max(4.5, 60.0 * side / count))
    label_room = 0.3 + 0.009 * size * max(len(name) for name in names)
    figure, axes = axes_grid(ax, 3, (label_room + 3 * side + 1.4, side + label_room + 0.45))
    if ax is None:
        figure.set_layout_engine("compressed")  # the others reckon too little room for labels below square axes
    images = {
        "positive": _matrix(axes[0], result.positive.matrix, "w > 0", 1.0),
        "negative": _matrix(axes[1], result.negative.matrix, "|w|, w < 0", 1.0),
        "difference": _matrix(axes[2], result.significance, "difference", 5.0),
    }
    for panel in axes:
        panel.set_xticks(range(count), names, rotation=90, fontsize=size)
        panel.set_yticks(range(count), names, fontsize=size)
        panel.tick_params(which="both", length=0, labelleft=panel is axes[0])
        panel.minorticks_off()
    figure.colorbar(images["positive"], ax=axes[:2], label="Correlation", shrink=0.8, pad=0.02)
    figure.colorbar(images["difference"], ax=axes[2], label="Difference / error", shrink=0.8, pad=0.02, extend="both")
    if count <= _MOST_NUMBERED:
        _write_significant(axes[2], result)
    if ax is None:
        figure.suptitle(plain(short_name(sample, _LONGEST_TITLE)), fontsize=12 * relative())
    return Drawn(figure, axes, dict(images))


def _matrix(axes: Axes, matrix: FloatArray, title: str, reach: float) -> AxesImage:
    axes.set_facecolor("0.8")
    image = axes.imshow(np.ma.masked_invalid(matrix), cmap="RdBu_r", vmin=-reach, vmax=reach)
    axes.set_title(title, fontsize=10.5 * relative())
    return image


def _write_significant(axes: Axes, result: CorrelationDifference) -> None:
    for row, column in np.argwhere(np.abs(result.significance) >= _SIGNIFICANT):
        dark = abs(result.significance[row, column]) > 3.6
        text, colour = f"{100 * result.difference[row, column]:+.0f}", "white" if dark else "black"
        axes.text(column, row, text, ha="center", va="center", fontsize=7.5 * relative(), color=colour)
    if (np.abs(result.significance) >= _SIGNIFICANT).any():
        axes.set_title("difference (numbers in %)", fontsize=10.5 * relative())

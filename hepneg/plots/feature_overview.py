"""Many features of the shape check in small panels."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from hepneg.errors import DataError
from hepneg.plots.shape_plots import densities, p_text, set_density_scales
from hepneg.plots.short_names import plain, short_name, short_names
from hepneg.plots.style import Drawn, in_print_style
from hepneg.shapes import FeatureShape

__all__ = ["plot_feature_overview"]

_MOST = 60
_COLUMNS = 5
_PANEL = (1.62, 1.12)
"""Inches: width and height of the axes of one feature."""
_GAP = (0.22, 0.66)
"""Inches between them, with their labels."""
_EDGE = (0.2, 0.45)
"""Inches beside and below all."""
_HEAD = 0.92
"""Inches above: the name of the sample, the legend, and the title of the first row."""
_LONGEST_NAME, _LONGEST_TITLE = 24, 60


@in_print_style
def plot_feature_overview(shapes: Sequence[FeatureShape], *, sample: str) -> Drawn:
    """Draw positive-only and \\|negative-only\\| events of many features, each normalised to 1, with error bands.

    Args:
        shapes: the checks of the features; the 60 with the smallest p-values are drawn, in the order given.
        sample: its name, for the title.

    Returns:
        The figure, one axes for each feature, and for each feature its two outlines. The p-values are adjusted for the
        number of features. Scales are as those of :func:`hepneg.plots.plot_feature_shape`.

    Raises:
        DataError: there are no features.
    """
    if not shapes:
        raise DataError(f"sample {sample!r} has no features to draw")
    least = {shape.name for shape in sorted(shapes, key=lambda shape: shape.p_adjusted)[:_MOST]}
    shown = [shape for shape in shapes if shape.name in least]
    figure, axes = _grid(len(shown))
    names = short_names((shape.name for shape in shown), _LONGEST_NAME)
    artists: dict[str, object] = {
        shape.name: _draw(panel, shape, names[shape.name]) for panel, shape in zip(axes, shown, strict=True)
    }
    part = f" ({len(shown)} of {len(shapes)} features)" if len(shown) < len(shapes) else ""
    height = figure.get_figheight()
    name = plain(short_name(sample, _LONGEST_TITLE))
    figure.text(_EDGE[0] / figure.get_figwidth(), 1 - 0.1 / height, f"{name}{part}", va="top", fontsize=11)
    figure.legend(
        *axes[0].get_legend_handles_labels(),
        loc="upper left",
        bbox_to_anchor=(_EDGE[0] / figure.get_figwidth(), 1 - 0.28 / height),
        ncols=2,
        fontsize=9,
        borderaxespad=0.0,
        borderpad=0.3,
    )
    return Drawn(figure, axes, artists)


def _grid(count: int) -> tuple[Figure, tuple[Axes, ...]]:
    """Make a figure whose axes have fixed sizes: nothing has to be laid out when it is drawn."""
    columns = min(count, _COLUMNS)
    rows = math.ceil(count / columns)
    width = 2 * _EDGE[0] + max(2, columns) * (_PANEL[0] + _GAP[0]) - _GAP[0]
    height = _HEAD + rows * (_PANEL[1] + _GAP[1]) - _GAP[1] + _EDGE[1]
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    axes = []
    for number in range(count):
        row, column = divmod(number, columns)
        left = _EDGE[0] + column * (_PANEL[0] + _GAP[0])
        top = _HEAD + row * (_PANEL[1] + _GAP[1])
        bottom = height - top - _PANEL[1]
        axes.append(figure.add_axes((left / width, bottom / height, _PANEL[0] / width, _PANEL[1] / height)))
    return figure, tuple(axes)


def _draw(axes: Axes, shape: FeatureShape, name: str) -> list[object]:
    edges = shape.comparison.bins.edges
    outlines: list[object] = []
    for _, density, error, colour, label in densities(shape.comparison):
        low = np.maximum(density - error, 0.0)
        axes.stairs(density + error, edges, baseline=low, fill=True, color=colour, alpha=0.25, lw=0)
        outlines.append(axes.stairs(density, edges, color=colour, lw=1.0, label=label))
    axes.minorticks_off()
    axes.xaxis.set_major_locator(MaxNLocator(3, prune="both"))
    set_density_scales(axes, shape.comparison)
    axes.tick_params(labelsize=8, labelleft=False, length=2.5)
    axes.tick_params(axis="y", which="both", length=0)
    axes.set_title(f"{name}\nadjusted p {p_text(shape.p_adjusted)}", fontsize=8, loc="left", pad=4)
    return outlines

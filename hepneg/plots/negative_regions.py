"""Regions of negative density in two features."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from hepneg.binning.density_cells import SignedDensity
from hepneg.plots.short_names import plain, short_name
from hepneg.plots.style import Drawn, GivenAxes, axes_grid, in_print_style, note, title
from hepneg.shapes.negative.pair_cells import NegativeBox

__all__ = ["plot_negative_boxes"]

_LONGEST_LABEL = 40


@in_print_style
def plot_negative_boxes(
    density: SignedDensity,
    boxes: Sequence[NegativeBox],
    *,
    sample: str,
    axis_labels: tuple[str, str] | None = None,
    ax: GivenAxes = None,
) -> Drawn:
    """Draw the signed density of two features in units of its error, with the boxes of negative density outlined.

    Args:
        density: Σw and Σw² in cells of the two features.
        boxes: of the same sample; those without a cut on either feature are left out.
        sample: its name, for the title.
        axis_labels: with the units; left out, the names of the features.

    Returns:
        The figure, its axes, and the artists ``density`` and ``boxes``. Cuts on other features cannot be seen here:
        such boxes are dashed.
    """
    figure, (axes,) = axes_grid(ax, 1, (6.0, 4.9))
    reach = 5.0
    mesh = axes.pcolormesh(
        density.x_edges,
        density.y_edges,
        density.significance().T,
        cmap="RdBu",
        vmin=-reach,
        vmax=reach,
        rasterized=True,
    )
    axes.set_facecolor("0.85")
    figure.colorbar(mesh, ax=axes, label="Σw / √Σw² in a cell", extend="both", pad=0.02)
    patches = [patch for box in boxes if (patch := _outline(axes, density, box)) is not None]
    labels = [_axis_name(label, name) for label, name in zip(axis_labels or (None, None), density.names, strict=True)]
    axes.set(xlim=density.x_edges[[0, -1]], ylim=density.y_edges[[0, -1]], xlabel=labels[0], ylabel=labels[1])
    title(axes, sample)
    remark = note(axes, f"{len(patches)} region{'' if len(patches) == 1 else 's'} with Σw < 0")
    remark.set_bbox({"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 2.0})
    return Drawn(figure, (axes,), {"density": [mesh], "boxes": patches})


def _outline(axes: Axes, density: SignedDensity, box: NegativeBox) -> Rectangle | None:
    cuts = {cut.feature: (cut.low, cut.high) for cut in box.cuts}
    shown = [cuts.pop(name, None) for name in density.names]
    if shown[0] is None and shown[1] is None:
        return None
    (left, right), (bottom, top) = (
        _clipped(interval, edges) for interval, edges in zip(shown, (density.x_edges, density.y_edges), strict=True)
    )
    style: dict[str, Any] = {"fill": False, "edgecolor": "black", "lw": 1.8, "ls": "--" if cuts else "-"}
    patch = Rectangle((left, bottom), right - left, top - bottom, **style)
    axes.add_patch(patch)
    return patch


def _clipped(interval: tuple[float, float] | None, edges: Any) -> tuple[float, float]:
    low, high = interval or (-math.inf, math.inf)
    return max(low, float(edges[0])), min(high, float(edges[-1]))


def _axis_name(label: str | None, name: str) -> str:
    """Return what stands at an axis: a label, which may hold formulae, or the name of the feature as it is."""
    return short_name(label, _LONGEST_LABEL) if label else plain(short_name(name, _LONGEST_LABEL))

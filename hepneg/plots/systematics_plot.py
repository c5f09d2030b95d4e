"""What ignoring the signs does to each feature, against the spread of the systematic variations."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from hepneg.errors import DataError
from hepneg.plots.legend import ROW, legend_above
from hepneg.plots.short_names import LONGEST_TITLE, short_names
from hepneg.plots.style import NEGATIVE, NEUTRAL, Drawn, GivenAxes, in_print_style, relative, rows_figure, start_at_zero
from hepneg.shapes import SampleShapes, ShapeReport

__all__ = ["plot_yardsticks"]


@in_print_style
def plot_yardsticks(report: ShapeReport, *, ax: GivenAxes = None) -> Drawn:
    """Draw the displacement of every feature by \\|w\\|, over the spread of its systematic variations.

    Args:
        report: a shape check with systematic variations; samples without any are left out.

    Returns:
        The figure, one axes for each sample, and for each sample its bars (½ Σ over the bins of the quadratic sum of
        the variations) and points (total variation between the signed shape and that of \\|w\\|).

    Raises:
        DataError: no sample has systematic variations.
    """
    samples = [sample for sample in report.samples.values() if sample.systematics]
    if not samples:
        raise DataError("no sample has systematic variations to draw; name some under `systematics:`")
    figure, axes = rows_figure(list(samples[0].systematics), len(samples), "Total variation (%)", ax)
    titles = short_names((sample.name for sample in samples), LONGEST_TITLE)
    artists = {s.name: _draw(panel, s, titles[s.name]) for panel, s in zip(axes, samples, strict=True)}
    start_at_zero(axes)
    legend_above(axes[0], *axes[0].get_legend_handles_labels(), room=ROW, fontsize=9 * relative())
    return Drawn(figure, axes, artists)


def _draw(axes: Axes, sample: SampleShapes, title: str) -> list[object]:
    yardsticks = list(sample.systematics.values())
    rows = np.arange(len(yardsticks))
    spread = 100.0 * np.array([yardstick.spread.value for yardstick in yardsticks])
    value = 100.0 * np.array([yardstick.sign_difference.value for yardstick in yardsticks])
    error = 100.0 * np.array([yardstick.sign_difference.error for yardstick in yardsticks])
    bars = axes.barh(rows, spread, height=0.7, color=NEUTRAL, alpha=0.3, lw=0, label="spread of the systematics")
    points = axes.errorbar(
        value, rows, xerr=error, fmt="o", ms=4.5, lw=1.2, color=NEGATIVE, zorder=3, label="|w| instead of w"
    )
    axes.set_title(title, fontsize=10.5 * relative())
    return [bars, points]

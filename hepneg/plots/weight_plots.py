"""The figure of the weight summary."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from hepneg.plots.legend import ROW, legend_above
from hepneg.plots.short_names import short_names
from hepneg.plots.style import NEGATIVE, NEUTRAL, POSITIVE, Drawn, GivenAxes, axes_grid, in_print_style, relative
from hepneg.weights import WeightReport, WeightSummary

__all__ = ["plot_weights"]

_INCHES_A_LETTER, _LETTERS_WITH_ROOM = 0.09, 10


@in_print_style
def plot_weights(report: WeightReport, *, ax: GivenAxes = None) -> Drawn:
    """Draw for each sample how much of Σ|w| is positive and negative, and what is left as Σw.

    Args:
        report: summaries of all samples.

    Returns:
        The figure, its axes, and the artists ``positive``, ``negative`` and ``net``. Shares of Σ|w|; the text gives the
        effective events and the dilution.
    """
    summaries = list(report.samples.values())
    names = short_names(summary.name for summary in summaries)
    longest = max(map(len, names.values()), default=0)
    width = 6.4 + _INCHES_A_LETTER * max(0, longest - _LETTERS_WITH_ROOM)
    figure, (axes,) = axes_grid(ax, 1, (width, 1.5 + 0.55 * len(summaries)))
    rows = np.arange(len(summaries))
    fraction = np.array([summary.negative_fraction for summary in summaries])
    net = np.array([summary.sum_weights / summary.sum_abs_weights for summary in summaries])
    error = np.array([summary.error / summary.sum_abs_weights for summary in summaries])
    artists = {
        "positive": axes.barh(rows, 1.0 - fraction, height=0.5, color=POSITIVE, alpha=0.75, label="w > 0"),
        "negative": axes.barh(rows, -fraction, height=0.5, color=NEGATIVE, alpha=0.75, label="w < 0"),
        "net": axes.errorbar(net, rows, xerr=error, fmt="D", ms=5, color="black", mfc="white", label="Σw ± √Σw²"),
    }
    for row, summary in enumerate(summaries):
        _figures(axes, row, summary)
    axes.axvline(0.0, color=NEUTRAL, lw=0.8)
    axes.set_yticks(rows, [names[summary.name] for summary in summaries])
    axes.tick_params(axis="y", which="both", length=0)
    axes.set_ylim(len(summaries) - 0.5, -0.5)
    axes.set_xlim(-0.55, 1.75)
    axes.set_xticks(np.arange(-0.5, 1.01, 0.25))
    axes.set_xlabel("Share of Σ|w|", loc="left")
    legend_above(axes, *axes.get_legend_handles_labels(), room=ROW)
    return Drawn(figure, (axes,), artists)


def _figures(axes: Axes, row: int, summary: WeightSummary) -> None:
    text = f"f = {summary.negative_fraction:.1%}, dilution {summary.dilution:.2f}\nn$_{{eff}}$ {summary.n_eff:.0f}"
    text += f" of {summary.selected}"
    axes.text(1.04, row, text, va="center", ha="left", fontsize=8.5 * relative(), color=NEUTRAL)

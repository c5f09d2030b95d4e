"""The calibration curve."""

from __future__ import annotations

from typing import Any

from hepneg.evaluation.classification import Evaluation
from hepneg.plots.style import NEUTRAL, Drawn, colour_of, in_print_style, new_figure, note

__all__ = ["plot_calibration"]


@in_print_style
def plot_calibration(evaluation: Evaluation) -> Drawn:
    """Draw the signed share of signal against the mean response, and their difference below.

    Horizontal bars span the merged bins.
    """
    layout = new_figure(panels=1)
    axes, panel = layout.main, layout.panels[0]
    part = evaluation.calibration
    widths = [part.expected - part.edges[:-1], part.edges[1:] - part.expected]
    style: dict[str, Any] = {"fmt": "o", "ms": 4, "lw": 1.2, "color": colour_of(0), "zorder": 3}
    points = axes.errorbar(part.expected, part.observed, yerr=part.error, xerr=widths, **style)
    difference = panel.errorbar(
        part.expected, part.observed - part.expected, yerr=part.difference_error, xerr=widths, **style
    )
    (diagonal,) = axes.plot([0, 1], [0, 1], color=NEUTRAL, lw=0.8, ls="--")
    panel.axhline(0.0, color=NEUTRAL, lw=0.8, ls="--")
    text = f"χ² / bins = {part.chi2:.1f} / {part.degrees}\np = {part.p_value:.2g}"
    remark = note(axes, text)
    axes.set(xlim=(0, 1), ylabel="Observed share of signal (signed)")
    panel.set(xlabel=f"Response ({evaluation.title})", ylabel="observed\n− expected")
    return Drawn(
        layout.figure, (axes, panel), {"points": [points, diagonal], "difference": [difference], "note": [remark]}
    )

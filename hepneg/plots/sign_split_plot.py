"""Sign-split closure: calibration and residuals of classifiers trained with |w|, by sign and together."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from hepneg.plots.legend import add_legend
from hepneg.plots.style import (
    COLOURS,
    NEGATIVE,
    NEUTRAL,
    POSITIVE,
    Drawn,
    GivenAxes,
    in_print_style,
    new_figure,
    relative,
    rows_figure,
    start_at_zero,
)
from hepneg.studies import PartClosure, SignSplitClosure

__all__ = ["plot_closure_curves", "plot_closure_tests"]

_LOOKS = {
    "positive": ("w > 0 alone", POSITIVE, "o"),
    "negative": ("w < 0 alone, |w|", NEGATIVE, "s"),
    "combined": ("all: trained with |w|, evaluated with w", COLOURS[2], "D"),
}


@in_print_style
def plot_closure_curves(closure: SignSplitClosure, *, ax: GivenAxes = None) -> Drawn:
    """Draw the observed share of signal minus the response, of each sign alone and of both together.

    Args:
        closure: the three parts.

    Returns:
        The figure, its axes, and the points of each part. Bins are merged where there are few events. A classifier that
        fits lies on the line; what only the signed events miss is the bias of ignoring the signs.
    """
    layout = new_figure(ax=ax)
    axes = layout.main
    axes.axhline(0.0, color=NEUTRAL, lw=0.8, ls="--")
    artists: dict[str, object] = {part.part: _draw_curve(axes, part) for part in closure.parts.values()}
    axes.set(xlim=(0, 1), xlabel="Response", ylabel="Observed share of signal − response")
    add_legend(axes, headroom=0.1, remarks=[], loc="upper left")
    return Drawn(layout.figure, (axes,), artists)


def _draw_curve(axes: Axes, part: PartClosure) -> object:
    curve = part.calibration
    label, colour, marker = _LOOKS[part.part]
    return axes.errorbar(
        curve.expected, curve.observed - curve.expected, yerr=curve.difference_error, fmt=marker, ms=4, lw=1.2,
        color=colour, label=f"{label} (p = {curve.p_value:.2g})",
    )  # fmt: skip


@in_print_style
def plot_closure_tests(closure: SignSplitClosure, *, ax: GivenAxes = None) -> Drawn:
    """Draw the χ² per bin of the residuals in every feature, of each sign alone and of both together.

    Args:
        closure: the three parts.

    Returns:
        The figure, one axes for each part, and its points. Full points are mismodelled at 1 %, corrected for the number
        of tests, open ones are not.
    """
    names = list(closure.parts["combined"].tests)
    figure, axes = rows_figure(names, len(closure.parts), "χ² of Σ w (label − response) per bin", ax)
    parts = closure.parts.values()
    artists: dict[str, object] = {part.part: _draw_tests(panel, part) for panel, part in zip(axes, parts, strict=True)}
    start_at_zero(axes)
    return Drawn(figure, axes, artists)


def _draw_tests(axes: Axes, part: PartClosure) -> list[object]:
    label, colour, marker = _LOOKS[part.part]
    ratio = np.array([test.chi2 / test.degrees if test.degrees else np.nan for test in part.tests.values()])
    failed = np.isin(list(part.tests), part.mismodelled)
    rows = np.arange(len(ratio))
    axes.axvline(1.0, color=NEUTRAL, lw=0.8, ls="--")
    axes.set_title(label.replace(": ", ":\n").replace(", ", ",\n"), fontsize=10.5 * relative())
    return [
        axes.plot(ratio[mask], rows[mask], marker, color=colour, mfc=face, ms=5, ls="")[0]
        for mask, face in ((failed, colour), (~failed, "white"))
    ]

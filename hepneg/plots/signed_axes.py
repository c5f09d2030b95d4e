"""Drawing one signed histogram, or one masked ratio, into axes."""

from __future__ import annotations

from typing import Any

import hist
import mplhep
import numpy as np
from matplotlib.axes import Axes

from hepneg.evaluation.classification import Evaluation
from hepneg.evaluation.histograms import BinRatio
from hepneg.plots.style import NEUTRAL, colour_of, mark_negative_bins

__all__ = ["draw_ratio", "draw_signed", "label_colour", "per_bin_label", "ratio_limits"]


def draw_signed(
    axes: Axes, histogram: hist.Hist[Any], *, colour: str, label: str, histtype: str = "step", **options: Any
) -> list[Any]:
    """Draw a histogram with √Σw² errors and mark its negative bins.

    Args:
        axes: where to draw; set a logarithmic scale first, so that negative bins are marked at their magnitude.
        histogram: one-dimensional, ``Weight()`` storage.
        colour: of everything.
        label: for the legend.
        histtype: of mplhep: ``"step"``, ``"fill"``, ``"errorbar"``.
        **options: for mplhep's ``histplot``.

    Returns:
        The artists, the marks of negative bins last where there are any (areas are not marked).
    """
    # mplhep's own guess at the errors takes ±1 weights for counts.
    drawn = mplhep.histplot(
        histogram,
        ax=axes,
        histtype=histtype,
        color=colour,
        label=label,
        yerr=histtype != "fill",
        w2method="sqrt",
        flow="none",
        **options,
    )
    axes.set_xlabel("")
    if histtype == "fill":
        return list(drawn)
    centres, values = np.asarray(histogram.axes[0].centers), np.asarray(histogram.values(), np.float64)
    marks = mark_negative_bins(axes, centres, values, colour=colour, magnitude=axes.get_yscale() == "log")
    return [*drawn, *([marks] if marks is not None else [])]


def draw_ratio(axes: Axes, ratio: BinRatio, *, colour: str, reference: float | None = 1.0, **options: Any) -> Any:
    """Draw a masked ratio as points with errors, and the line that it is compared with."""
    if reference is not None:
        axes.axhline(reference, color=NEUTRAL, lw=0.8, ls="--", zorder=0)
    return axes.errorbar(
        ratio.centre, ratio.value, yerr=ratio.error, fmt="o", ms=3, lw=1.1, color=colour, **{"zorder": 3, **options}
    )


def ratio_limits(axes: Axes, ratios: list[BinRatio], *, reference: float = 1.0, widest: float = 1.0) -> None:
    """Set the vertical limits of a ratio panel: wide enough for most points, never wider than ``widest``."""
    values = np.concatenate([np.abs(part.value[part.shown] - reference) + part.error[part.shown] for part in ratios])
    half = float(np.clip(1.2 * np.quantile(values, 0.95), 0.05, widest)) if len(values) else widest
    axes.set_ylim(reference - half, reference + half)


def label_colour(evaluation: Evaluation, label: str) -> str:
    """Return the colour of a label: that of its first sample, so that all figures of an evaluation agree."""
    return colour_of([row.label for row in evaluation.samples].index(label))


def per_bin_label(histogram: hist.Hist[Any], *, normalise: bool) -> str:
    """Return the vertical label of a response histogram."""
    widths = np.asarray(histogram.axes[0].widths)
    width = f"{widths[0]:.3g}" if np.allclose(widths, widths[0]) else "bin"
    return f"Share of Σw / {width}" if normalise else f"Σw / {width}"

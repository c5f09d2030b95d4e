"""Drawing one signed histogram, or one masked ratio, into axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import hist
import mplhep
import numpy as np
from matplotlib.axes import Axes

from hepneg._core.arrays import FloatArray
from hepneg.evaluation.classification import Evaluation
from hepneg.evaluation.histograms import BinRatio, bin_errors
from hepneg.plots.sample_looks import sample_looks
from hepneg.plots.style import NEUTRAL, mark_negative_bins, relative


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


def draw_ratio(
    axes: Axes,
    ratio: BinRatio,
    *,
    colour: str,
    reference: float | None = 1.0,
    sides: FloatArray | None = None,
    **options: Any,
) -> Any:
    """Draw a masked ratio as points with errors, and the line that it is compared with.

    Args:
        axes: where to draw.
        ratio: what to draw.
        colour: of the points.
        reference: where the line is; None for no line.
        sides: errors down and up, (2, bins), where they differ.
        **options: of the points.
    """
    if reference is not None:
        axes.axhline(reference, color=NEUTRAL, lw=0.8, ls="--", zorder=0)
    error = ratio.error if sides is None else sides
    style = {"ms": 3 * relative(), "lw": 1.1 * relative(), "zorder": 3, **options}
    return axes.errorbar(ratio.centre, ratio.value, yerr=error, fmt="o", color=colour, **style)


_TELLING = 3.0
"""Standard errors from which a deviation is worth a wider panel."""


def ratio_limits(
    axes: Axes, ratios: Sequence[BinRatio], *, reference: float = 1.0, widest: float = 1.0, least: float = 0.05
) -> None:
    """Set the vertical limits of a ratio panel: wide enough for most points and all significant deviations.

    Args:
        axes: of the panel.
        ratios: what it shows.
        reference: its middle.
        widest: the farthest that it reaches from there; draw what lies beyond with :func:`mark_beyond`.
        least: the nearest.
    """
    away = np.concatenate([np.abs(part.value[part.shown] - reference) for part in ratios])
    error = np.concatenate([part.error[part.shown] for part in ratios])
    reach = widest
    if len(away):
        telling = away[away > _TELLING * error]
        reach = max(float(np.quantile(away + error, 0.95)), *telling.tolist(), 0.0)
    half = float(np.clip(1.2 * reach, least, widest))
    axes.set_ylim(reference - half, reference + half)


def mark_beyond(axes: Axes, ratio: BinRatio, *, colour: str) -> list[Any]:
    """Draw an arrow at the edge of a panel for each point beyond its limits, which must be set."""
    low, high = axes.get_ylim()
    drawn = []
    for beyond, level, marker in ((ratio.value > high, high, "^"), (ratio.value < low, low, "v")):
        if beyond.any():
            inside = level + (0.045 if marker == "v" else -0.045) * (high - low)
            style: dict[str, Any] = {"ms": 5.5 * relative(), "mfc": colour, "mec": colour, "zorder": 5}
            drawn += axes.plot(ratio.centre[beyond], np.full(int(beyond.sum()), inside), marker, ls="none", **style)
    return drawn


def significant_range(histograms: Sequence[hist.Hist[Any]], *, errors: bool = True) -> tuple[float, float]:
    """Return the lowest and highest of the bins that are above two standard errors, or of all where none is.

    Args:
        histograms: one-dimensional, ``Weight()`` storage.
        errors: whether the range takes in their errors.
    """
    values = np.concatenate([np.asarray(part.values(), np.float64) for part in histograms])
    spread = np.concatenate([bin_errors(part) for part in histograms])
    telling = np.abs(values) > 2.0 * spread
    chosen = telling if telling.any() else np.ones(len(values), bool)
    reach = spread[chosen] if errors else 0.0
    return float((values[chosen] - reach).min()), float((values[chosen] + reach).max())


def signed_limits(axes: Axes, histograms: Sequence[hist.Hist[Any]]) -> None:
    """Set the vertical limits by the significant bins, with zero, all negative bins and a twentieth of room."""
    if axes.get_yscale() == "log":
        log_limits(axes, histograms)
        return
    low, high = significant_range(histograms)
    low = min(low, 0.0, *(float(np.min(part.values())) for part in histograms))
    high = max(high, 0.0)
    room = 0.05 * (high - low)
    axes.set_ylim(low - room if low < 0 else 0.0, high + room)


def log_limits(
    axes: Axes,
    histograms: Sequence[hist.Hist[Any]],
    *,
    decades: float = 6.0,
    counts: Sequence[float] | FloatArray = (),
) -> None:
    """Let a logarithmic axis span the magnitudes of the significant bins, at most so many decades, little beyond.

    Args:
        axes: that are logarithmic.
        histograms: one-dimensional, ``Weight()`` storage.
        decades: below the highest bin.
        counts: of measured events, all of which are shown, significant or not.
    """
    values = np.concatenate([np.abs(np.asarray(part.values(), np.float64)) for part in histograms])
    spread = np.concatenate([bin_errors(part) for part in histograms])
    telling = values[values > 2.0 * spread]
    shown = telling if len(telling) else values[values > 0]
    measured = np.asarray(counts, np.float64)
    shown = np.concatenate([shown, measured[measured > 0]])
    if len(shown):
        highest = max(float(values.max()), float(shown.max()))
        axes.set_ylim(0.5 * max(float(shown.min()), highest * 10.0**-decades), 1.5 * highest)


def label_colour(evaluation: Evaluation, label: str) -> str:
    """Return the colour of a label: that of its first sample, so that all figures of an evaluation agree."""
    labels = {row.sample: row.label for row in evaluation.samples}
    return next(look.colour for name, look in sample_looks(labels).items() if labels[name] == label)


def per_bin_label(histogram: hist.Hist[Any], *, normalise: bool) -> str:
    """Return the vertical label of a response histogram."""
    widths = np.asarray(histogram.axes[0].widths)
    width = f"{widths[0]:.3g}" if np.allclose(widths, widths[0]) else "bin"
    return f"Share of Σw / {width}" if normalise else f"Σw / {width}"

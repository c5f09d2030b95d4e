"""Figures of the shape check: one feature with ratio and pulls, and the effect sizes of all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import mplhep
import numpy as np
from matplotlib.axes import Axes

from hepneg._core.arrays import FloatArray
from hepneg._core.formatting import measured_percent
from hepneg.evaluation.histograms import BinRatio
from hepneg.plots.legend import ROW, add_legend, legend_above
from hepneg.plots.short_names import LONGEST_TITLE, plain, short_name, short_names
from hepneg.plots.signed_axes import draw_ratio, mark_beyond, ratio_limits
from hepneg.plots.style import (
    NEGATIVE,
    NEUTRAL,
    POSITIVE,
    Drawn,
    GivenAxes,
    in_print_style,
    new_figure,
    note,
    relative,
    rows_figure,
    start_at_zero,
    title,
)
from hepneg.shapes import Comparison, FeatureShape, SampleShapes, ShapeReport

__all__ = ["densities", "plot_effect_sizes", "plot_feature_shape", "set_density_scales"]


# What spans more than that is drawn on a logarithmic scale.
_LOG_RANGE, _LOG_DENSITIES = 1000.0, 1000.0
_LONGEST_LABEL = 48


@in_print_style
def plot_feature_shape(
    shape: FeatureShape, *, sample: str, axis_label: str | None = None, ax: GivenAxes = None
) -> Drawn:
    """Draw positive-only and |negative-only| events of one feature, each normalised to 1, with ratio and pulls.

    Args:
        shape: the check of the feature.
        sample: its name, for the title.
        axis_label: with the unit; left out, the name of the feature.

    Returns:
        The figure, its three axes, and the artists ``positive``, ``negative``, ``ratio`` and ``pulls``. The last bins
        reach beyond the range drawn where the feature has long tails; ratios without significance are left out. Scales
        are logarithmic where the range or the densities span several powers of ten. What lies beyond the range drawn,
        as padding values do, is said in the caption.
    """
    layout = new_figure(2, ax=ax)
    ratio, pulls = layout.panels
    comparison = shape.comparison
    artists = _draw_overlay(layout.main, comparison)
    artists["ratio"] = _draw_ratio(ratio, comparison)
    artists["pulls"] = _draw_pulls(pulls, comparison)
    layout.main.set_ylabel("Share / unit")
    title(layout.main, sample)
    layout.lowest.set_xlabel(axis_label or plain(short_name(shape.name, _LONGEST_LABEL)))
    add_legend(layout.main, headroom=0.32)
    note(layout.main, _caption(shape))
    return Drawn(layout.figure, (layout.main, *layout.panels), artists)


def _caption(shape: FeatureShape) -> str:
    total = shape.total_variation
    positive, negative = (100 * share for share in shape.comparison.outside_view)
    unseen = f"\nnot shown: {positive:.1f} % of w > 0,\n{negative:.1f} % of w < 0" if positive + negative > 2 else ""
    return f"total variation {measured_percent(total)}\np {p_text(shape.p_value)}{unseen}"


def p_text(p_value: float) -> str:
    """Return ``= 0.012``, or ``< 10⁻¹⁰`` as a formula, where its size is of no interest."""
    return "< 10$^{-10}$" if p_value < 1e-10 else f"= {p_value:.2g}"


def _draw_overlay(axes: Axes, comparison: Comparison) -> dict[str, object]:
    artists: dict[str, object] = {}
    for name, density, error, colour, label in densities(comparison):
        artists[name] = mplhep.histplot(
            density,
            comparison.bins.edges,
            yerr=error,
            ax=axes,
            histtype="step",
            color=colour,
            label=label,
            flow="none",
            edges=False,
            lw=1.3,
        )
    set_density_scales(axes, comparison)
    return artists


def densities(comparison: Comparison) -> Iterator[tuple[str, FloatArray, FloatArray, str, str]]:
    """Yield ``positive`` and ``negative`` with density and its error, (bins,), colour and label."""
    widths = np.diff(comparison.bins.edges)
    positive, negative = comparison.positive / widths, comparison.negative / widths
    yield "positive", positive, comparison.positive_error / widths, POSITIVE, "w > 0"
    yield "negative", negative, comparison.negative_error / widths, NEGATIVE, "|w|, w < 0"


def set_density_scales(axes: Axes, comparison: Comparison) -> None:
    """Show the range worth drawing, on logarithmic scales where it or the densities span several powers of ten."""
    edges = comparison.bins.edges
    low, high = comparison.bins.view
    axes.set_xlim(low, high)
    if low > 0 and high > _LOG_RANGE * low:
        axes.set_xscale("log")
    inside = (edges[:-1] >= low) & (edges[1:] <= high)
    density = np.stack([comparison.positive, comparison.negative])[:, inside] / np.diff(edges)[inside]
    filled = density[density > 0]
    if len(filled) and filled.max() > _LOG_DENSITIES * filled.min():
        axes.set_yscale("log")
        axes.set_ylim(0.5 * filled.min(), 2.0 * filled.max())
    else:
        axes.set_ylim(bottom=0.0)


def _draw_ratio(axes: Axes, comparison: Comparison) -> list[Any]:
    edges = np.clip(comparison.bins.edges, *comparison.bins.view)  # points stand in the part of a bin that is seen
    centres, half = 0.5 * (edges[1:] + edges[:-1]), 0.5 * np.diff(edges)
    seen = np.isfinite(comparison.ratio) & (half > 0)
    ratio = BinRatio(centres, np.where(seen, comparison.ratio, np.nan), comparison.ratio_error, seen)
    drawn = draw_ratio(axes, ratio, colour=NEGATIVE, xerr=half, ms=2.5, lw=1.0)
    ratio_limits(axes, [ratio])
    axes.set_ylabel("w < 0\nover w > 0", fontsize=9 * relative())
    return [drawn, *mark_beyond(axes, ratio, colour=NEGATIVE)]


def _draw_pulls(axes: Axes, comparison: Comparison) -> object:
    drawn = axes.stairs(comparison.pulls, comparison.bins.edges, fill=True, color=NEGATIVE, alpha=0.6)
    reach = max(3.5, 1.15 * float(np.abs(comparison.pulls).max()))
    axes.axhline(0.0, color=NEUTRAL, lw=0.8)
    for line in (-2.0, 2.0):
        axes.axhline(line, color=NEUTRAL, lw=0.6, ls=":")
    axes.set_ylim(-reach, reach)
    axes.set_ylabel("Pull", fontsize=9 * relative())
    return drawn


@in_print_style
def plot_effect_sizes(report: ShapeReport, *, ax: GivenAxes = None) -> Drawn:
    """Draw the total variation of every feature in every sample.

    Args:
        report: a shape check; samples without a comparison are left out.

    Returns:
        The figure, one axes for each sample, and for each sample its points and the expectation under no difference.
        Full points are significant after Holm's correction, open ones are not.
    """
    samples = [sample for sample in report.samples.values() if sample.features]
    names = list(samples[0].features) if samples else []
    label = "Total variation between w > 0 and w < 0 (%)"
    figure, axes = rows_figure(names, max(1, len(samples)), label, ax)
    titles = short_names((sample.name for sample in samples), LONGEST_TITLE)
    artists = {s.name: _draw_sizes(panel, s, report.alpha) for panel, s in zip(axes, samples, strict=False)}
    for panel, sample in zip(axes, samples, strict=False):
        panel.set_title(f"{titles[sample.name]}\n{sample.verdict}", fontsize=10.5 * relative())
    if samples:
        start_at_zero(axes)
        legend_above(axes[0], *axes[0].get_legend_handles_labels(), room=ROW, fontsize=9 * relative())
    return Drawn(figure, axes, artists)


def _draw_sizes(axes: Axes, sample: SampleShapes, alpha: float) -> list[object]:
    shapes = list(sample.features.values())
    rows = np.arange(len(shapes))
    value = 100.0 * np.array([shape.total_variation.value for shape in shapes])
    error = 100.0 * np.array([shape.total_variation.error for shape in shapes])
    noise = 100.0 * np.array([shape.comparison.null_total_variation for shape in shapes])
    significant = np.array([shape.p_adjusted <= alpha for shape in shapes])
    artists: list[object] = [axes.plot(noise, rows, "|", color=NEUTRAL, ms=9, mew=1.2, label="noise (taken off)")[0]]
    for mask, face, label in ((significant, NEGATIVE, "significant"), (~significant, "white", "not significant")):
        artists.append(
            axes.errorbar(
                value[mask], rows[mask], xerr=error[mask], fmt="o", ms=4.5, mfc=face, mec=NEGATIVE, ecolor=NEGATIVE,
                lw=1.0, label=label,
            )
        )  # fmt: skip
    return artists

"""Regressions: residuals, pulls, the response matrix, bias and resolution, all with signed weights."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes

from hepneg._core.arrays import FloatArray
from hepneg.evaluation.histograms import count_negative_bins, normalised, project
from hepneg.evaluation.regression import Histogram, RegressionEvaluation
from hepneg.evaluation.several_targets import SeveralTargets
from hepneg.plots.legend import add_legend
from hepneg.plots.sample_looks import sample_looks
from hepneg.plots.short_names import plain
from hepneg.plots.signed_axes import draw_signed, per_bin_label
from hepneg.plots.style import (
    NEGATIVE,
    NEUTRAL,
    Drawn,
    GivenAxes,
    annotate_negative_bins,
    colour_of,
    in_print_style,
    new_figure,
    note,
)

__all__ = ["plot_bias", "plot_pulls", "plot_residual_correlations", "plot_residuals", "plot_response_matrix"]


@in_print_style
def plot_residuals(evaluation: RegressionEvaluation, *, ax: GivenAxes = None) -> Drawn:
    """Draw prediction − target of every sample, net, normalised to |Σw| = 1 with its flow; negative bins are marked."""
    return _distributions(evaluation, evaluation.residual, _label(evaluation, "Prediction − target"), [], ax=ax)


@in_print_style
def plot_pulls(evaluation: RegressionEvaluation, *, ax: GivenAxes = None) -> Drawn:
    """Draw (prediction − target)/σ of every sample over the density of a unit normal distribution."""
    return _distributions(
        evaluation,
        evaluation.pull,
        _label(evaluation, "(Prediction − target) / σ"),
        [f"mean {evaluation.pull_mean}", f"width {evaluation.pull_width}"],
        normal=True,
        ax=ax,
    )


def _label(evaluation: RegressionEvaluation, quantity: str) -> str:
    """Return the text of an axis, with the target where it is one of several, and the scheme."""
    of = ", ".join(part for part in (plain(evaluation.target), evaluation.scheme) if part)
    return f"{quantity} ({of})"


def _distributions(
    evaluation: RegressionEvaluation,
    histogram: Histogram,
    label: str,
    remarks: list[str],
    *,
    normal: bool = False,
    ax: GivenAxes,
) -> Drawn:
    layout = new_figure(ax=ax)
    axes, artists, negative = layout.main, {}, 0
    looks = sample_looks(dict.fromkeys(evaluation.samples, "signal"))
    for name in evaluation.samples:
        net = project(histogram, name)
        artists[name] = draw_signed(axes, normalised(net), label=looks[name].name, **looks[name].style)
        negative += count_negative_bins(net)
    axes.axhline(0.0, color=NEUTRAL, lw=0.8)
    axis = histogram.axes[2]
    if normal:
        artists["normal"] = _draw_normal(axes, axis)
    axes.set(xlim=(axis.edges[0], axis.edges[-1]), xlabel=label, ylabel=per_bin_label(net, normalise=True))
    artists["note"] = [annotate_negative_bins(axes, negative)]
    for row, remark in enumerate(remarks, start=1):
        text = note(axes, remark)
        text.set_y(text.get_position()[1] - 0.06 * row)
        artists[f"note {row}"] = [text]
    add_legend(axes, headroom=0.15 + 0.07 * len(evaluation.samples), remarks=axes.texts)
    return Drawn(layout.figure, (axes,), artists)


def _draw_normal(axes: Axes, axis: Any) -> list[Any]:
    x = np.linspace(axis.edges[0], axis.edges[-1], 300)
    height = axis.widths[0] * np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi)
    return axes.plot(x, height, color=NEUTRAL, lw=1.0, ls="--", label="unit normal")


@in_print_style
def plot_response_matrix(evaluation: RegressionEvaluation, *, ax: GivenAxes = None) -> Drawn:
    """Draw the signed distribution of the prediction in each bin of the target, and the diagonal.

    Every column is scaled to a sum of 1. Cells with Σw < 0 have a colour of their own; columns with Σw ≤ 0 are empty.
    """
    layout = new_figure(size=(6.0, 5.0), ax=ax)
    axes = layout.main
    target, prediction = evaluation.matrix.axes
    shares = _columns(np.asarray(evaluation.matrix.values(), np.float64))
    colours = mpl.colormaps["cividis"].with_extremes(under=NEGATIVE)
    # A column of few events would set the scale: its largest cells may reach beyond.
    top = float(np.nanquantile(shares, 0.99)) if np.isfinite(shares).any() else 1.0
    mesh = axes.pcolormesh(target.edges, prediction.edges, shares.T, cmap=colours, vmin=0.0, vmax=top, rasterized=True)
    reach = (max(target.edges[0], prediction.edges[0]), min(target.edges[-1], prediction.edges[-1]))
    line = axes.plot(reach, reach, color="white", lw=1.2, ls="--")
    axes.set(xlabel="Target", ylabel=_label(evaluation, "Prediction"))
    bar = layout.figure.colorbar(mesh, ax=axes, label="Share of the column's Σw (below 0: orange)", extend="both")
    return Drawn(layout.figure, (axes, bar.ax), {"matrix": [mesh], "diagonal": line})


def _columns(values: FloatArray) -> FloatArray:
    """Scale each row (a bin of the target) to a sum of 1; NaN where it is not positive or the cell is empty."""
    total = values.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = np.where(total > 0, values / total, np.nan)
    return np.where(values == 0, np.nan, shares)


@in_print_style
def plot_bias(evaluation: RegressionEvaluation, *, ax: GivenAxes = None) -> Drawn:
    """Draw the mean residual in bins of the prediction and of the target, and the resolution below.

    The bias in bins of the prediction should be zero where the objective asks for the mean. In bins of the target it
    falls with the target wherever the features do not determine it. Horizontal bars span the bins; the outermost may
    reach beyond the axis.
    """
    layout = new_figure(panels=1, ax=ax)
    axes, panel = layout.main, layout.panels[0]
    artists: dict[str, Any] = {}
    parts = (("prediction", evaluation.by_prediction), ("target", evaluation.by_target))
    for position, (name, part) in enumerate(parts):
        spans = [np.maximum(part.centre - part.edges[:-1], 0.0), np.maximum(part.edges[1:] - part.centre, 0.0)]
        style: dict[str, Any] = {"fmt": "os"[position], "ms": 4, "lw": 1.2, "color": colour_of(position), "xerr": spans}
        label = f"in bins of the {name}"
        artists[f"bias by {name}"] = [axes.errorbar(part.centre, part.bias, yerr=part.bias_error, label=label, **style)]
        artists[f"resolution by {name}"] = [
            panel.errorbar(part.centre, part.resolution, yerr=part.resolution_error, **style)
        ]
    axes.axhline(0.0, color=NEUTRAL, lw=0.8, ls="--")
    axes.set(ylabel="Bias: mean of prediction − target")
    panel.set(xlabel=_label(evaluation, "Prediction or target"), ylabel="Resolution")
    panel.set_ylim(bottom=0.0)
    target = evaluation.matrix.axes[0].edges
    axes.set_xlim(target[0], target[-1])
    add_legend(axes, headroom=0.25)
    if evaluation.objective == "squared":
        part = evaluation.by_prediction
        text = f"prediction: χ² / bins = {part.chi2:.1f} / {part.degrees}, p = {part.p_value:.2g}"
        artists["note"] = [note(axes, text, where="lower left")]
    return Drawn(layout.figure, (axes, panel), artists)


@in_print_style
def plot_residual_correlations(evaluation: SeveralTargets, *, ax: GivenAxes = None) -> Drawn:
    """Draw the correlation of the residuals of every pair of targets, in per cent with its error."""
    names = [plain(name) for name in evaluation.targets]
    matrix = np.full((len(names), len(names)), np.nan)
    layout = new_figure(size=(1.8 + 1.1 * len(names), 1.2 + 0.9 * len(names)), ax=ax)
    axes = layout.main
    for pair in evaluation.correlations:
        row, column = sorted((list(evaluation.targets).index(pair.first), list(evaluation.targets).index(pair.second)))
        matrix[column, row] = pair.correlation.value
        text = f"{100 * pair.correlation.value:.0f} ± {100 * pair.correlation.error:.0f}"
        dark = abs(pair.correlation.value) > 0.6
        axes.text(row, column, text, ha="center", va="center", color="white" if dark else "black")
    image = axes.imshow(np.ma.masked_invalid(matrix), cmap="RdBu_r", vmin=-1.0, vmax=1.0)
    axes.set_xticks(range(len(names)), names)
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(which="both", length=0)
    axes.minorticks_off()
    axes.set(xlabel=f"Target ({evaluation.scheme}), numbers in %")
    bar = layout.figure.colorbar(image, ax=axes, label="Correlation of the residuals")
    return Drawn(layout.figure, (axes, bar.ax), {"matrix": [image]})

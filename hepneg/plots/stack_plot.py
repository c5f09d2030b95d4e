"""Backgrounds stacked, signal on top or as a line, data beside them: the figure of a note."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import mplhep
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.text import Text

from hepneg._core.arrays import FloatArray
from hepneg.config import FigureLook
from hepneg.evaluation.histograms import bin_errors
from hepneg.evaluation.stack import Stack
from hepneg.plots.axis_titles import axis_title, per_bin
from hepneg.plots.experiment_label import experiment_label
from hepneg.plots.legend import add_legend
from hepneg.plots.short_names import plain
from hepneg.plots.signed_axes import draw_ratio, log_limits, mark_beyond, ratio_limits
from hepneg.plots.stack_layers import Layer, background_layers, signal_layers
from hepneg.plots.style import (
    NEGATIVE,
    NEUTRAL,
    Drawn,
    below,
    in_print_style,
    mark_negative_bins,
    new_figure,
    note,
    relative,
)

__all__ = ["plot_stack"]

_HATCH = "\\\\\\\\"
_DECADES = 4.0
"""Of a logarithmic axis, at most."""


@in_print_style
def plot_stack(
    stack: Stack,
    *,
    look: FigureLook | None = None,
    title: str | None = None,
    unit: str | None = None,
    luminosity: float | None = None,
    ax: Axes | Sequence[Axes] | None = None,
) -> Drawn:
    """Draw backgrounds stacked, the signal on top or as a line, data as points, and their ratio below.

    Where a sample has Σw < 0 in a bin, its area hangs hatched from the top of the others', so that what is left below
    it is the sum; the line of the sum is drawn over all, and such bins are marked and counted. On a logarithmic axis a
    hollow triangle that points down stands at the magnitude of a sum, or of a signal drawn as a line, that is not
    positive. Data have Garwood's 68 % intervals. The region and what is left out stand in the corner. The band is √Σw²
    of the sum and its systematic variations, in quadrature. The ratio is left out where the sum is not above two
    standard errors; points beyond the panel are arrows. Blinded bins are shaded.

    Args:
        stack: of :func:`hepneg.make_stack`, or of the command line.
        look: order, names, colours, scale, treatment of the signal, experiment.
        title: of the quantity, at its axis; left out, its name.
        unit: of the quantity.
        luminosity: in 1/fb, for the experiment's label.
        ax: axes to draw into, the main ones or these and those of the ratio, in the style that is active.

    Returns:
        The figure, its axes, and the artists ``stack``, ``total``, ``band``, ``negative``, ``below_zero``, ``signal``,
        ``data``, ``ratio``, ``blinded``, ``label`` and ``note``, those that there are.
    """
    look = look or FigureLook()
    layout = new_figure(0 if stack.data is None else 1, size=look.size, ax=ax)
    axes = layout.main
    axes.set_yscale(look.scale)
    backgrounds, signals = background_layers(stack, look), signal_layers(stack, look)
    stacked = look.signal == "stacked" or not backgrounds
    layers = [*backgrounds, *(signals if stacked else [])]
    summed = tuple(name for layer in layers for name in layer.samples)
    artists = _draw_layers(axes, stack.edges, layers)
    artists |= _draw_total(axes, stack, summed)
    if not stacked:
        artists["signal"] = [_draw_signal(axes, stack.edges, layer, look.signal_scale) for layer in signals]
    if stack.data is not None:
        artists |= _draw_data(axes, layout.panels[0], stack, summed, "Data / bkg." if not stacked else "Data / MC")
    artists["blinded"] = [span for part in (axes, *layout.panels) for span in _shade(part, stack)]
    axes.set_xlim(stack.edges[0], stack.edges[-1])
    axes.set_ylabel(per_bin("Events" if luminosity or stack.data is not None else "Σw", stack.edges, unit))
    layout.lowest.set_xlabel(axis_title(_title(stack, look, title), unit, look, plain_text=title is None))
    _scale(axes, stack, summed)
    lines = {} if stacked else {layer.name: (layer.colour, look.signal_scale, layer.samples) for layer in signals}
    artists["below_zero"] = _mark_below_zero(axes, stack, {"Sum": ("black", 1.0, summed)} | lines)
    artists["label"] = list(experiment_label(axes, look, luminosity=luminosity, data=stack.data is not None))
    remarks = [stack.region] * bool(stack.region) + [f"without {stack.left_out}"] * bool(stack.left_out)
    artists["note"] = [note(axes, "\n".join(map(plain, remarks)))] if remarks else []
    inside = below(axes, artists["note"][0] if artists["note"] else Text(), artists["label"])
    handles = _legend(artists, layers)
    legend: dict[str, Any] = {
        "handles": list(handles.values()),
        "labels": list(handles),
        "laid_out": bool(artists["label"]),
    }
    add_legend(axes, headroom=0.08, remarks=[*inside, *artists["note"]], columns=(1, 2, 3), **legend)
    return Drawn(layout.figure, (axes, *layout.panels), artists)


def _title(stack: Stack, look: FigureLook, title: str | None) -> str:
    return title or (look.title if stack.quantity == "response" else stack.quantity)


def _draw_layers(axes: Axes, edges: FloatArray, layers: Sequence[Layer]) -> dict[str, list[Any]]:
    """Stack what is positive, and hang what is negative from its top."""
    filled = mplhep.histplot(
        [np.maximum(layer.values, 0.0) for layer in layers],
        edges,
        stack=True,
        ax=axes,
        histtype="fill",
        color=[layer.colour for layer in layers],
        label=[layer.name for layer in layers],
        flow="none",
    )
    axes.set_xlabel("")
    top = np.sum([np.maximum(layer.values, 0.0) for layer in layers], axis=0)
    hung = []
    for layer in layers:
        below = top + np.minimum(layer.values, 0.0)
        if (below < top).any():
            part = np.where(below < top, top, np.nan), np.where(below < top, below, np.nan)
            hung.append(_hang(axes, edges, *part, layer.colour))
        top = below
    return {"stack": list(filled), "negative": hung}


def _hang(axes: Axes, edges: FloatArray, top: FloatArray, below: FloatArray, colour: str) -> Any:
    style: dict[str, Any] = {"facecolor": "white", "edgecolor": colour, "hatch": _HATCH, "lw": 0.8}
    return axes.stairs(top, edges, baseline=below, fill=True, zorder=1.5, **style)


def _draw_total(axes: Axes, stack: Stack, summed: tuple[str, ...]) -> dict[str, list[Any]]:
    values = np.asarray(stack.total(*summed).values(), np.float64)
    low, high = stack.band(*summed)
    line = axes.stairs(values, stack.edges, color="black", lw=1.0 * relative(), zorder=2.5)
    label = "Stat. ⊕ syst. unc." if stack.systematics else "MC stat. unc."
    band = _band(axes, stack.edges, values - low, values + high, label=label)
    return {"total": [line], "band": [band]}


def _band(axes: Axes, edges: FloatArray, low: FloatArray, high: FloatArray, **options: Any) -> Any:
    style: dict[str, Any] = {"facecolor": "none", "edgecolor": "0.3", "hatch": "////", "lw": 0, "zorder": 2}
    return axes.stairs(high, edges, baseline=low, fill=True, **style, **options)


def _draw_signal(axes: Axes, edges: FloatArray, layer: Layer, scale: float) -> Any:
    factor = "" if scale == 1.0 else f" × {scale:g}"
    style: dict[str, Any] = {"color": layer.colour, "ls": layer.line, "lw": 1.8 * relative(), "zorder": 3}
    return axes.stairs(scale * layer.values, edges, label=f"{layer.name}{factor}", **style)


def _draw_data(axes: Axes, panel: Axes, stack: Stack, summed: tuple[str, ...], label: str) -> dict[str, list[Any]]:
    counts, errors = stack.counts(), stack.count_errors()
    centres = 0.5 * (stack.edges[1:] + stack.edges[:-1])
    style: dict[str, Any] = {"fmt": "o", "color": "black", "lw": 1.1 * relative(), "ms": 3.8 * relative(), "zorder": 4}
    empty = counts == 0 if axes.get_yscale() == "log" else np.zeros(len(counts), bool)
    shown = np.where(empty, np.nan, counts)
    points = axes.errorbar(centres, shown, yerr=errors, label="Data", **style)
    ratio, sides = stack.data_over(*summed)
    total = np.asarray(stack.total(*summed).values(), np.float64)
    significant = np.where(total > 2.0 * bin_errors(stack.total(*summed)), total, np.nan)
    low, high = (part / significant for part in stack.band(*summed))
    _band(panel, stack.edges, 1.0 - low, 1.0 + high)
    drawn = draw_ratio(panel, ratio, colour="black", sides=sides, ms=style["ms"], lw=style["lw"])
    ratio_limits(panel, [ratio], least=0.1)
    panel.set_ylabel(label)
    return {"data": [points], "ratio": [drawn, *mark_beyond(panel, ratio, colour="black")]}


def _shade(axes: Axes, stack: Stack) -> list[Any]:
    """Shade the bins in which data are blinded, neighbours together."""
    steps = np.flatnonzero(np.diff(np.concatenate([[False], stack.hidden, [False]]).astype(int)))
    runs = zip(steps[::2], steps[1::2], strict=True)
    return [
        axes.axvspan(stack.edges[first], stack.edges[last], color="0.5", alpha=0.15, lw=0, zorder=0.5)
        for first, last in runs
    ]


def _scale(axes: Axes, stack: Stack, summed: tuple[str, ...]) -> None:
    total = stack.total(*summed)
    if axes.get_yscale() == "log":
        counts = () if stack.data is None else stack.counts()
        log_limits(axes, [total, *stack.samples.values()], decades=_DECADES, counts=counts)
        return
    lowest = float(np.minimum(total.values() - bin_errors(total), 0.0).min())
    bottom, top = 1.05 * lowest, float(axes.dataLim.y1)
    axes.set_ylim(bottom, bottom + (top - bottom) / 0.95)
    if lowest < 0:
        axes.axhline(0.0, color=NEUTRAL, lw=0.8)


def _mark_below_zero(axes: Axes, stack: Stack, sums: Mapping[str, tuple[str, float, tuple[str, ...]]]) -> list[Any]:
    """Mark bins whose sum no logarithmic axis can show at its magnitude, or at the lower edge where that is too small.

    Args:
        axes: with their limits.
        stack: what is drawn.
        sums: colour, factor and samples of each line, by name.
    """
    if axes.get_yscale() != "log":
        return []
    low, high = axes.get_ylim()
    centres, marks = 0.5 * (stack.edges[1:] + stack.edges[:-1]), []
    for name, (colour, factor, samples) in sums.items():
        total = stack.total(*samples)
        values = factor * np.asarray(total.values(), np.float64)
        size = np.clip(np.abs(values), low * (high / low) ** 0.03, high)
        lost = np.where((values <= 0) & (bin_errors(total) > 0), -size, 0.0)
        mark = mark_negative_bins(axes, centres, lost, colour=colour, magnitude=True)
        if mark is not None:
            mark.set_label(f"{name} ≤ 0, |{name}| shown ({_bins(int(np.count_nonzero(lost)))})")
            marks.append(mark)
    return marks


def _bins(count: int) -> str:
    return f"{count} bin{'' if count == 1 else 's'}"


def _legend(artists: Mapping[str, Sequence[Any]], layers: Sequence[Layer]) -> dict[str, Any]:
    """Return the legend as the stack is seen: data first, the layers from the top down, what is marked last."""
    shown = [part for part in artists.get("data", ()) if np.isfinite(part.lines[0].get_ydata()).any()]
    handles = dict(zip(["Data"], shown, strict=False))
    handles |= {str(line.get_label()): line for line in artists.get("signal", ())}
    handles |= {layer.name: Patch(facecolor=layer.colour) for layer in reversed(layers)}
    handles |= {str(part.get_label()): part for part in artists["band"]}
    count = sum(int(np.count_nonzero(layer.values < 0)) for layer in layers)
    if count:
        hatched = Patch(facecolor="white", edgecolor=NEGATIVE, hatch=_HATCH, lw=0.8)
        handles[f"Σw < 0 ({_bins(count)})"] = hatched
    handles |= {str(part.get_label()): part for part in artists["below_zero"]}
    return handles | dict(zip(["Data blinded"], artists["blinded"], strict=False))

"""Several schemes on the same events, side by side in the signed response."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import hist
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from hepneg._core.estimate import Estimate
from hepneg.evaluation.class_evaluation import ClassEvaluation
from hepneg.evaluation.classification import Evaluation
from hepneg.evaluation.histograms import count_negative_bins, normalised, project
from hepneg.plots.legend import ROW, legend_above
from hepneg.plots.sample_looks import SampleLook, sample_looks
from hepneg.plots.signed_axes import draw_signed, per_bin_label
from hepneg.plots.style import (
    NEUTRAL,
    Drawn,
    GivenAxes,
    annotate_negative_bins,
    axes_of,
    colour_of,
    empty_figure,
    given_figure,
    in_print_style,
)

if TYPE_CHECKING:
    from hepneg.studies.scheme_comparison import Comparison

__all__ = ["plot_comparison"]


@in_print_style
def plot_comparison(comparison: Comparison, *, ax: GivenAxes = None) -> Drawn:
    """Draw the net response of every sample under each scheme, and how their AUC and loss differ.

    The recommended scheme is the reference: its response is repeated as a dotted line in the others, and the lower
    panels show differences to it, paired on the same events. Every sample is scaled to |Σw| = 1 and keeps its signed
    weights; negative bins are marked and counted. Of several classes there is the response of each class to its own
    events.
    """
    evaluations = comparison.evaluations
    parts = {name: _parts(evaluation) for name, evaluation in evaluations.items()}
    reference = comparison.recommended
    figure, free = _places(len(evaluations), len(comparison.schemes), ax)
    axes: list[Axes] = []
    artists: dict[str, Any] = {}
    for position, (name, own) in enumerate(parts.items()):
        axes.append(free[position])
        outlines = {} if name == reference else parts[reference]
        artists[name] = _draw_scheme(axes[-1], evaluations[name].scheme, own, outlines)
        axes[-1].tick_params(labelleft=position % 2 == 0, labelbottom=position + 2 >= len(evaluations))
    _label_multiples(axes, evaluations[reference], next(iter(parts[reference].values())).net)
    for column, (metric, text) in enumerate((("auc", "AUC"), ("loss", "loss [nats]"))):
        axes.append(free[len(evaluations) + column])
        values = {name: getattr(result, f"{metric}_difference") for name, result in comparison.schemes.items()}
        artists[metric] = _draw_estimates(axes[-1], values)
        better = "right" if metric == "auc" else "left"
        axes[-1].set_xlabel(f"{text} − {comparison.recommended} ({better} is better)")
        axes[-1].tick_params(labelleft=column == 0)
    return Drawn(figure, tuple(axes), artists)


def _places(count: int, schemes: int, ax: GivenAxes) -> tuple[Figure, tuple[Axes, ...]]:
    """Return axes for the responses, which share their scales, and two for AUC and loss of the schemes."""
    if ax is not None:
        axes = axes_of(ax)
        return given_figure(axes, count + 2), axes
    rows, low = (count + 1) // 2, 0.28 * schemes + 0.4
    figure = empty_figure((7.0, 2.1 * rows + low + 0.6))
    grid = figure.add_gridspec(rows + 1, 2, height_ratios=[2.1] * rows + [low])
    first = figure.add_subplot(grid[0, 0])
    others = [figure.add_subplot(grid[i // 2, i % 2], sharex=first, sharey=first) for i in range(1, count)]
    return figure, (first, *others, *(figure.add_subplot(grid[rows, column]) for column in range(2)))


@dataclass(frozen=True, eq=False)
class _Part:
    """The net response of one sample, or of one class to its own events, scaled to |Σw| = 1, and how it looks."""

    net: hist.Hist[Any]
    look: SampleLook
    negative: int


def _parts(evaluation: Evaluation | ClassEvaluation) -> dict[str, _Part]:
    """Return the responses that stand for an evaluation, by sample or class."""
    if isinstance(evaluation, Evaluation):
        looks = sample_looks({row.sample: row.label for row in evaluation.samples})
        nets = {row.sample: project(evaluation.response, row.sample) for row in evaluation.samples}
    else:
        looks = {name: SampleLook(name, colour_of(code), "-") for code, name in enumerate(evaluation.classes)}
        nets = {name: evaluation.of_class(name, name) for name in evaluation.classes}
    return {name: _Part(normalised(net), looks[name], count_negative_bins(net)) for name, net in nets.items()}


def _draw_scheme(axes: Axes, scheme: str, drawn: Mapping[str, _Part], outlines: Mapping[str, _Part]) -> list[Any]:
    artists = []
    for name, part in drawn.items():
        if name in outlines:
            outline = outlines[name].net
            edges, values = outline.axes[0].edges, np.asarray(outline.values(), np.float64)
            artists.append(axes.stairs(values, edges, color=part.look.colour, ls=":", lw=1.0, alpha=0.8, zorder=1))
        artists += draw_signed(axes, part.net, label=part.look.name, linewidth=1.2, **part.look.style)
    axes.axhline(0.0, color=NEUTRAL, lw=0.8)
    axes.text(0.97, 0.95, scheme, transform=axes.transAxes, ha="right", va="top", weight="bold")
    return [*artists, annotate_negative_bins(axes, sum(part.negative for part in drawn.values()))]


def _label_multiples(axes: list[Axes], reference: Evaluation | ClassEvaluation, net: hist.Hist[Any]) -> None:
    low, high = axes[0].get_ylim()
    axes[0].set(xlim=(0, 1), ylim=(low, high + 0.25 * (high - low)))
    title = "Response" if isinstance(reference, Evaluation) else "Response of the own class"
    for position, part in enumerate(axes):
        if position % 2 == 0:
            part.set_ylabel(per_bin_label(net, normalise=True))
        if position + 2 >= len(axes):
            part.set_xlabel(title)
    handles, labels = axes[0].get_legend_handles_labels()
    if len(axes) > 1:
        handles.append(Line2D([], [], color=NEUTRAL, ls=":", lw=1.0))
        labels.append(f"{reference.title}, for comparison")
    legend_above(axes[0], handles, labels, room=ROW)


def _draw_estimates(axes: Axes, values: Mapping[str, Estimate]) -> list[Any]:
    heights = -np.arange(len(values), dtype=float)
    centre, error = np.array([(part.value, part.error) for part in values.values()]).T
    axes.axvline(0.0, color=NEUTRAL, lw=0.8, ls="--")
    points = axes.errorbar(centre, heights, xerr=error, fmt="o", ms=4, lw=1.3, color="black")
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.set_yticks(heights, list(values))
    axes.set_ylim(heights[-1] - 0.6, 0.6)
    axes.tick_params(axis="y", which="both", left=False, right=False)
    axes.minorticks_off()
    return [points]

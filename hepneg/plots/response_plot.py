"""The response with all signed weights applied: per process, by component and by sign."""

from __future__ import annotations

from typing import Any

from hepneg.config import FigureLook
from hepneg.config.figure_look import Scale
from hepneg.errors import DataError, nearest_names
from hepneg.evaluation.classification import Evaluation
from hepneg.evaluation.histograms import count_negative_bins, net_over_positive, normalised, project, ratio
from hepneg.plots.experiment_label import experiment_label
from hepneg.plots.legend import add_legend
from hepneg.plots.sample_looks import SampleLook, sample_looks
from hepneg.plots.signed_axes import draw_ratio, draw_signed, mark_beyond, per_bin_label, ratio_limits, signed_limits
from hepneg.plots.style import (
    NEGATIVE,
    NEUTRAL,
    POSITIVE,
    Drawn,
    GivenAxes,
    annotate_negative_bins,
    below,
    in_print_style,
    new_figure,
)

__all__ = ["plot_response", "plot_response_by_sign", "plot_response_components"]

_FEW = 30.0
"""Effective events below which a sample says little about the shape."""
_FAINT = 0.35


@in_print_style
def plot_response(
    evaluation: Evaluation,
    *,
    scale: Scale = "linear",
    normalise: bool = True,
    look: FigureLook | None = None,
    luminosity: float | None = None,
    ax: GivenAxes = None,
) -> Drawn:
    """Draw the net response of every sample with √Σw² errors.

    Args:
        evaluation: of a trained scheme.
        scale: of the vertical axis. On a logarithmic one negative bins stand at their magnitude.
        normalise: scale every sample to |Σw| = 1; otherwise the weights as they are.
        look: names and colours of samples, title of the response, the experiment.
        luminosity: in 1/fb, for the experiment's label.
        ax: axes to draw into, in the style that is active.

    Negative bins are marked by hollow triangles and counted. Samples of fewer than 30 effective events are faint, and
    the vertical axis takes no notice of them, nor of bins that are not significant.
    """
    look = look or FigureLook()
    layout = new_figure(ax=ax)
    axes = layout.main
    axes.set_yscale(scale)
    looks = _looks(evaluation, look)
    artists, telling = {}, []
    for row in evaluation.samples:
        net = project(evaluation.response, row.sample)
        drawn = normalised(net) if normalise else net
        name = looks[row.sample].name
        of_label = name if row.sample == row.label else f"{name} ({row.label})"
        label = f"{of_label}, f = {row.negative_fraction:.0%}"
        faint = row.n_eff < _FEW
        style = {**looks[row.sample].style, **({"alpha": _FAINT} if faint else {})}
        artists[row.sample] = draw_signed(axes, drawn, label=label, **style)
        telling += [] if faint else [drawn]
    if scale == "linear":
        axes.axhline(0.0, color=NEUTRAL, lw=0.8)
    signed_limits(axes, telling or [drawn])
    axes.set(xlim=(0, 1), xlabel=look.title, ylabel=per_bin_label(net, normalise=normalise))
    artists["label"] = list(experiment_label(axes, look, luminosity=luminosity, data=False))
    artists["note"] = [annotate_negative_bins(axes, sum(row.negative_bins for row in evaluation.samples))]
    inside = below(axes, artists["note"][0], artists["label"])
    hides = len(telling) < len(evaluation.samples)  # faint samples may reach beyond the axes
    options: dict[str, Any] = {"frameon": True, "framealpha": 0.85, "edgecolor": "none"} if hides else {}
    remarks = [*inside, *artists["note"]]
    add_legend(axes, headroom=0.08, remarks=remarks, laid_out=bool(artists["label"]), **options)
    return Drawn(layout.figure, (axes,), artists)


@in_print_style
def plot_response_components(
    evaluation: Evaluation,
    sample: str,
    *,
    scale: Scale = "linear",
    look: FigureLook | None = None,
    ax: GivenAxes = None,
) -> Drawn:
    """Draw the positive component, the magnitude of the negative one and their net, with the net's share below.

    Args:
        evaluation: of a trained scheme.
        sample: which sample.
        scale: of the vertical axis.
        look: names of samples, title of the response.
        ax: axes to draw into, in the style that is active.

    Raises:
        DataError: there is no such sample.
    """
    _check_sample(evaluation, sample)
    layout = new_figure(panels=1, ax=ax)
    axes, panel = layout.main, layout.panels[0]
    axes.set_yscale(scale)
    look = look or FigureLook()
    name = _looks(evaluation, look)[sample].name
    positive, negative = (project(evaluation.response, sample, sign) for sign in ("positive", "negative"))
    net = project(evaluation.response, sample)
    artists = {
        "positive": draw_signed(axes, positive, colour=POSITIVE, label="Σw of w > 0"),
        "negative": draw_signed(axes, negative * -1.0, colour=NEGATIVE, label="|Σw| of w < 0"),
        "net": draw_signed(axes, net, colour="black", label=f"{name}, net", histtype="errorbar", markersize=4),
    }
    share = net_over_positive(evaluation.response, sample)
    artists["ratio"] = [draw_ratio(panel, share, colour="black", reference=None)]
    for level in (0.0, 1.0):
        panel.axhline(level, color=NEUTRAL, lw=0.8, ls="--", zorder=0)
    axes.set(xlim=(0, 1), ylabel=per_bin_label(net, normalise=False))
    panel.set(ylim=(-0.25, 1.15), xlabel=look.title, ylabel="net / positive")
    artists["ratio"] += mark_beyond(panel, share, colour="black")
    artists["note"] = [annotate_negative_bins(axes, count_negative_bins(net))]
    add_legend(axes, remarks=artists["note"])
    return Drawn(layout.figure, (axes, panel), artists)


@in_print_style
def plot_response_by_sign(
    evaluation: Evaluation, sample: str, *, look: FigureLook | None = None, ax: GivenAxes = None
) -> Drawn:
    """Draw the response of the events with w > 0 and of those with w < 0, each normalised by itself, and their ratio.

    Equal shapes mean that the sign does not depend on what the classifier looks at.

    Args:
        evaluation: of a trained scheme.
        sample: which sample.
        look: names of samples, title of the response.
        ax: axes to draw into, in the style that is active.

    Raises:
        DataError: there is no such sample.
    """
    _check_sample(evaluation, sample)
    layout = new_figure(panels=1, ax=ax)
    axes, panel = layout.main, layout.panels[0]
    positive = normalised(project(evaluation.response, sample, "positive"))
    negative = normalised(project(evaluation.response, sample, "negative")) * -1.0
    look = look or FigureLook()
    name = _looks(evaluation, look)[sample].name
    artists = {
        "positive": draw_signed(axes, positive, colour=POSITIVE, label=f"{name}, w > 0"),
        "negative": draw_signed(axes, negative, colour=NEGATIVE, label=f"{name}, w < 0"),
    }
    quotient = ratio(negative, positive)
    artists["ratio"] = [draw_ratio(panel, quotient, colour=NEGATIVE)]
    ratio_limits(panel, [quotient])
    artists["ratio"] += mark_beyond(panel, quotient, colour=NEGATIVE)
    axes.set(xlim=(0, 1), ylabel=per_bin_label(positive, normalise=True).replace("Σw", "Σ|w|"))
    panel.set(xlabel=look.title, ylabel="w < 0 / w > 0")
    axes.set_ylim(bottom=0.0)
    add_legend(axes, remarks=[])
    return Drawn(layout.figure, (axes, panel), artists)


def _looks(evaluation: Evaluation, look: FigureLook) -> dict[str, SampleLook]:
    return sample_looks({row.sample: row.label for row in evaluation.samples}, look)


def _check_sample(evaluation: Evaluation, sample: str) -> None:
    known = [row.sample for row in evaluation.samples]
    if sample not in known:
        raise DataError(f"no sample {sample!r}{nearest_names(sample, known)}")

"""Several classes: the response of each, where their events go, and the calibration, all with signed weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from hepneg._core.estimate import Estimate
from hepneg.config import FigureLook
from hepneg.config.figure_look import Scale
from hepneg.evaluation.class_evaluation import ClassEvaluation
from hepneg.evaluation.histograms import count_negative_bins, normalised
from hepneg.plots.experiment_label import experiment_label
from hepneg.plots.legend import add_legend
from hepneg.plots.signed_axes import draw_signed, per_bin_label, signed_limits
from hepneg.plots.style import (
    NEUTRAL,
    Drawn,
    GivenAxes,
    annotate_negative_bins,
    below,
    colour_of,
    in_print_style,
    new_figure,
    note,
)

__all__ = ["plot_class_calibration", "plot_class_response", "plot_confusion"]


@in_print_style
def plot_class_response(
    evaluation: ClassEvaluation,
    node: str,
    *,
    scale: Scale = "linear",
    look: FigureLook | None = None,
    luminosity: float | None = None,
    ax: GivenAxes = None,
) -> Drawn:
    """Draw the net response of one class for the events of every class, each normalised to |Σw| = 1.

    Args:
        evaluation: of a classifier.
        node: the class whose response it is.
        scale: of the vertical axis. On a logarithmic one negative bins stand at their magnitude.
        look: title of the response, the experiment.
        luminosity: in 1/fb, for the experiment's label.
        ax: axes to draw into, in the style that is active.
    """
    look = look or FigureLook()
    layout = new_figure(ax=ax)
    axes, artists, drawn, negative = layout.main, {}, [], 0
    axes.set_yscale(scale)
    for code, name in enumerate(evaluation.classes):
        net = evaluation.of_class(name, node)
        drawn.append(normalised(net))
        negative += count_negative_bins(net)
        artists[name] = draw_signed(axes, drawn[-1], colour=colour_of(code), label=name)
    if scale == "linear":
        axes.axhline(0.0, color=NEUTRAL, lw=0.8)
    signed_limits(axes, drawn)
    axes.set(xlim=(0, 1), xlabel=f"{look.title}: {node}", ylabel=per_bin_label(net, normalise=True))
    artists["label"] = list(experiment_label(axes, look, luminosity=luminosity, data=False))
    artists["note"] = [annotate_negative_bins(axes, negative)]
    inside = below(axes, artists["note"][0], artists["label"])
    add_legend(axes, headroom=0.08, remarks=[*inside, *artists["note"]], laid_out=bool(artists["label"]))
    return Drawn(layout.figure, (axes,), artists)


@in_print_style
def plot_confusion(evaluation: ClassEvaluation, *, ax: GivenAxes = None) -> Drawn:
    """Draw which share of each class's Σw goes to each class, the most probable at equal priors, with errors."""
    names, classes = evaluation.classes, len(evaluation.classes)
    size = max(4.5, 1.1 + 1.05 * classes)
    layout = new_figure(size=(size + 0.8, size), ax=ax)
    axes = layout.main
    mesh = axes.imshow(evaluation.confusion, cmap="cividis", vmin=0.0, vmax=1.0, aspect="auto")
    texts = []
    for own in range(classes):
        for code in range(classes):
            value = Estimate(evaluation.confusion[own, code], evaluation.confusion_error[own, code])
            colour = "black" if value.value > 0.6 else "white"
            texts.append(axes.text(code, own, str(value), ha="center", va="center", color=colour, fontsize=9))
    axes.set_xticks(range(classes), names, rotation=30 if classes > 3 else 0)
    axes.set_yticks(range(classes), names)
    axes.tick_params(which="both", top=False, right=False, length=0)
    axes.minorticks_off()
    axes.set(xlabel="Most probable class", ylabel="Class (signed share of its Σw)")
    return Drawn(layout.figure, (axes,), {"mesh": [mesh], "values": texts})


@in_print_style
def plot_class_calibration(evaluation: ClassEvaluation, *, ax: GivenAxes = None) -> Drawn:
    """Draw for each class its signed share against its mean response, at equal priors of it and of all others."""
    layout = new_figure(panels=1, ax=ax)
    axes, panel = layout.main, layout.panels[0]
    artists: dict[str, list[Any]] = {}
    for code, (name, part) in enumerate(evaluation.calibration.items()):
        style: dict[str, Any] = {"fmt": "o", "ms": 4, "lw": 1.2, "color": colour_of(code)}
        label = f"{name}, χ² / bins = {part.chi2:.1f} / {part.degrees}"
        points = axes.errorbar(part.expected, part.observed, yerr=part.error, label=label, **style)
        residual = part.observed - part.expected
        artists[name] = [points, panel.errorbar(part.expected, residual, yerr=part.difference_error, **style)]
    artists["diagonal"] = axes.plot([0, 1], [0, 1], color=NEUTRAL, lw=0.8, ls="--")
    panel.axhline(0.0, color=NEUTRAL, lw=0.8, ls="--")
    axes.set(xlim=(0, 1), ylabel="Observed share (signed)")
    panel.set(xlabel="Response, at equal priors of class and others", ylabel="observed\n− expected")
    if not np.isfinite([part.chi2 for part in evaluation.calibration.values()]).all():
        artists["note"] = [note(axes, "too few events for a χ²", where="lower right")]
    axes.legend(loc="upper left")
    return Drawn(layout.figure, (axes, panel), artists)

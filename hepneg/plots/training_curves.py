"""How the training went: learning curves, and the response to events seen and not seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hepneg.errors import DataError
from hepneg.evaluation.classification import Evaluation
from hepneg.evaluation.histograms import count_negative_bins, normalised, ratio
from hepneg.learning.history import FoldHistory
from hepneg.plots.legend import add_legend
from hepneg.plots.signed_axes import draw_ratio, draw_signed, label_colour, mark_beyond, per_bin_label, ratio_limits
from hepneg.plots.style import Drawn, GivenAxes, annotate_negative_bins, colour_of, in_print_style, new_figure

__all__ = ["plot_learning_curves", "plot_overtraining"]


@in_print_style
def plot_overtraining(evaluation: Evaluation, *, ax: GivenAxes = None) -> Drawn:
    """Draw the response of networks that have not seen the events over that of networks that were trained on them.

    The two are of disjoint halves of the events, each normalised to |Σw| = 1, so points and areas are independent; the
    panel shows their ratio. Negative bins of the points are marked and counted. The legend gives the p-value of the
    Kolmogorov-Smirnov test.

    Raises:
        DataError: the evaluation has no response of trained networks.
    """
    if not evaluation.overtraining:
        raise DataError("the evaluation holds no response of trained networks; evaluate with `trained_logit`")
    layout = new_figure(panels=1, ax=ax)
    axes, panel = layout.main, layout.panels[0]
    artists, ratios, negative = {}, [], 0
    for label in ("signal", "background"):
        part, colour = evaluation.overtraining[label], label_colour(evaluation, label)
        trained, held_out = normalised(part.trained), normalised(part.held_out)
        p_value = f"{label}, held out (KS p = {part.test.p_value:.2g})"
        artists[label] = [
            *draw_signed(axes, trained, colour=colour, label=f"{label}, trained on", histtype="fill", alpha=0.3),
            *draw_signed(axes, held_out, colour=colour, label=p_value, histtype="errorbar", markersize=4),
        ]
        ratios.append(ratio(held_out, trained))
        artists[f"{label} ratio"] = [draw_ratio(panel, ratios[-1], colour=colour)]
        negative += count_negative_bins(held_out)
    ratio_limits(panel, ratios)
    artists["beyond"] = [
        mark
        for quotient, label in zip(ratios, ("signal", "background"), strict=True)
        for mark in mark_beyond(panel, quotient, colour=label_colour(evaluation, label))
    ]
    axes.set(xlim=(0, 1), ylabel=per_bin_label(held_out, normalise=True))
    panel.set(xlabel="Response", ylabel="held out\n/ trained")
    artists["note"] = [annotate_negative_bins(axes, negative)]
    add_legend(axes, headroom=0.1, remarks=artists["note"], columns=(1, 2))
    return Drawn(layout.figure, (axes, panel), artists)


@in_print_style
def plot_learning_curves(histories: Sequence[FoldHistory], *, unit: str = "nats", ax: GivenAxes = None) -> Drawn:
    """Draw the validation loss of each fold with its error band, its best epoch, and the training objective.

    Args:
        histories: of the folds.
        unit: of the validation loss; empty for none.

    The errors of the epochs of a fold are those of the same validation events, so they move together.

    Raises:
        DataError: there is no epoch to draw.
    """
    if not any(history.epochs for history in histories):
        raise DataError("no epochs to draw: the histories are empty")
    layout = new_figure(panels=1, ax=ax)
    axes, panel = layout.main, layout.panels[0]
    artists = {}
    for position, history in enumerate(part for part in histories if part.epochs):
        colour = colour_of(position)
        epoch, train, loss, error = np.array(
            [(r.epoch, r.train_loss, r.validation_loss, r.validation_error) for r in history.epochs]
        ).T
        (line,) = axes.plot(epoch, loss, color=colour, lw=1.3, label=f"fold {history.fold}")
        band = axes.fill_between(epoch, loss - error, loss + error, color=colour, alpha=0.12, lw=0)
        best = epoch == history.best_epoch
        (mark,) = axes.plot(epoch[best], loss[best], "o", mfc="white", mec=colour, ms=6, zorder=5)
        artists[f"fold {history.fold}"] = [line, band, mark, *panel.plot(epoch, train, color=colour, lw=1.3)]
    axes.plot([], [], "o", mfc="white", mec="black", ms=6, label="best epoch")
    axes.set(ylabel=f"Validation loss [{unit}]" if unit else "Validation loss")
    panel.set(xlabel="Epoch", ylabel="Training\nobjective")
    add_legend(axes, headroom=0.05, remarks=[], columns=(2, 3))
    return Drawn(layout.figure, (axes, panel), artists)

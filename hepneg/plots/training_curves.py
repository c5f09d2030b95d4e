"""How the training went: learning curves, and the response to events seen and not seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hepneg.errors import DataError
from hepneg.evaluation.class_evaluation import ClassEvaluation
from hepneg.evaluation.classification import Evaluation
from hepneg.evaluation.histograms import count_negative_bins, normalised, ratio
from hepneg.evaluation.overtraining import Overtraining
from hepneg.learning.history import FoldHistory
from hepneg.plots.legend import add_legend
from hepneg.plots.signed_axes import draw_ratio, draw_signed, label_colour, mark_beyond, per_bin_label, ratio_limits
from hepneg.plots.style import NEUTRAL, Drawn, GivenAxes, annotate_negative_bins, colour_of, in_print_style, new_figure

__all__ = ["plot_learning_curves", "plot_overtraining"]


@in_print_style
def plot_overtraining(
    evaluation: Evaluation | ClassEvaluation, node: str | None = None, *, ax: GivenAxes = None
) -> Drawn:
    """Draw the response of networks that have not seen the events over that of networks that were trained on them.

    The two are of disjoint halves of the events, each normalised to |Σw| = 1, so points and areas are independent; the
    panel shows their ratio. Negative bins of the points are marked and counted. The legend gives the p-value of the
    Kolmogorov-Smirnov test, of several classes corrected for the number of tests.

    Args:
        evaluation: of trained networks.
        node: of several classes the one whose response is drawn, for its own events and those of all others.
        ax: axes to draw into, the main ones and those of the ratio, in the style that is active.

    Raises:
        DataError: the evaluation has no response of trained networks, or there is no such class.
    """
    if not evaluation.overtraining:
        raise DataError("the evaluation holds no response of trained networks; evaluate with `trained_logit`")
    layout = new_figure(panels=1, ax=ax)
    axes, panel = layout.main, layout.panels[0]
    artists, ratios, negative = {}, [], 0
    halves = _halves(evaluation, node)
    for label, (part, p_value, colour) in halves.items():
        trained, held_out = normalised(part.trained), normalised(part.held_out)
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
        for quotient, (_, _, colour) in zip(ratios, halves.values(), strict=True)
        for mark in mark_beyond(panel, quotient, colour=colour)
    ]
    axes.set(xlim=(0, 1), ylabel=per_bin_label(held_out, normalise=True))
    panel.set(xlabel="Response" if node is None else f"Response: {node}", ylabel="held out\n/ trained")
    artists["note"] = [annotate_negative_bins(axes, negative)]
    add_legend(axes, headroom=0.1, remarks=artists["note"], columns=(1, 2))
    return Drawn(layout.figure, (axes, panel), artists)


def _halves(evaluation: Evaluation | ClassEvaluation, node: str | None) -> dict[str, tuple[Overtraining, str, str]]:
    """Return what is compared, with the text of its p-value and its colour, by whose events they are."""
    if isinstance(evaluation, Evaluation):
        return {
            label: (part, f"{label}, held out (KS p = {part.test.p_value:.2g})", label_colour(evaluation, label))
            for label in ("signal", "background")
            for part in (evaluation.overtraining[label],)
        }
    if node is None or node not in evaluation.overtraining:
        raise DataError(f"name one of the classes {', '.join(evaluation.classes)} as `node`, not {node!r}")
    found = evaluation.overtraining[node]
    return {
        name: (part, f"{name}, held out (KS p = {p_value:.2g}, adjusted)", colour)
        for name, part, p_value, colour in (
            (node, found.own, found.own_p_adjusted, colour_of(evaluation.classes.index(node))),
            ("all others", found.others, found.others_p_adjusted, NEUTRAL),
        )
    }


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

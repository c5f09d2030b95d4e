"""What an objective with prices followed during the training: rates, or a share, and the price, by epoch."""

from __future__ import annotations

from collections.abc import Sequence

from hepneg.errors import DataError
from hepneg.learning.history import FoldHistory
from hepneg.plots.legend import add_legend
from hepneg.plots.style import Drawn, GivenAxes, colour_of, in_print_style, new_figure

__all__ = ["has_running_state", "plot_running_rates"]

_STYLES = ("-", "--")
_PRICE = "price"


def has_running_state(histories: Sequence[FoldHistory]) -> bool:
    """Tell whether there is anything to draw."""
    return any(record.running for history in histories for record in history.epochs)


@in_print_style
def plot_running_rates(histories: Sequence[FoldHistory], *, ax: GivenAxes = None) -> Drawn:
    """Draw the running rates at the end of each epoch, a colour for each fold, and the price below.

    Rates are those of the training batches with signed weights, behind a low-pass filter; the best epoch of each fold
    is marked.

    Args:
        histories: of the folds.

    Raises:
        DataError: the objective follows nothing.
    """
    if not has_running_state(histories):
        raise DataError("the histories hold no running rates: the objective of this training follows none")
    layout = new_figure(panels=1, ax=ax)
    axes, panel = layout.main, layout.panels[0]
    artists = {}
    names = [name for name in next(iter(histories[0].epochs)).running if name != _PRICE]
    for position, history in enumerate(histories):
        epochs, colour = [record.epoch for record in history.epochs], colour_of(position)
        lines = []
        for name, style in zip(names, _STYLES, strict=False):
            values = [record.running[name] for record in history.epochs]
            lines += axes.plot(epochs, values, color=colour, lw=1.3, ls=style)
            best = [(e, v) for e, v in zip(epochs, values, strict=True) if e == history.best_epoch]
            lines += axes.plot(*zip(*best, strict=True), "o", mfc="white", mec=colour, ms=5) if best else []
        lines += panel.plot(epochs, [record.running[_PRICE] for record in history.epochs], color=colour, lw=1.3)
        axes.plot([], [], color=colour, label=f"fold {history.fold}")
        artists[f"fold {history.fold}"] = lines
    for name, style in zip(names, _STYLES, strict=False):
        axes.plot([], [], color="black", ls=style, label=name)
    axes.set(ylabel="Running rate, training batches" if len(names) > 1 else "Running share, training batches")
    panel.set(xlabel="Epoch", ylabel="Price")
    add_legend(axes, headroom=0.05, remarks=[], columns=(2, 3))
    return Drawn(layout.figure, (axes, panel), artists)

"""A figure of the running state of a loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def plot_running(history: Sequence[Mapping[str, float]], ax: Any = None) -> Any:
    """Draw rates, and the price on an axis of its own, against the batch.

    Args:
        history: the state after each batch.
        ax: matplotlib axes to draw into; left out, new ones.

    Returns:
        The axes of the rates.

    Raises:
        ValueError: there is no history.
    """
    if not history:
        raise ValueError("no batch was seen, or the loss was made with keep_history=False: there is nothing to draw")
    if ax is None:
        from matplotlib.figure import Figure

        ax = Figure(layout="constrained").add_subplot()
    batches = range(1, len(history) + 1)
    prices = ax.twinx()
    for name in history[0]:
        axes, style = (prices, {"color": "0.5", "ls": "--"}) if name == "price" else (ax, {})
        axes.plot(batches, [state[name] for state in history], label=name, **style)
    ax.set(xlabel="Batch", ylabel="Running rate, signed weights")
    prices.set_ylabel("Price")
    lines = [*ax.get_lines(), *prices.get_lines()]
    ax.legend(lines, [line.get_label() for line in lines])
    return ax

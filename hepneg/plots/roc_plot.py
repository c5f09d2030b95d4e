"""The signed ROC curve."""

from __future__ import annotations

import numpy as np

from hepneg.evaluation.classification import Evaluation
from hepneg.plots.style import NEUTRAL, Drawn, colour_of, in_print_style, new_figure

__all__ = ["plot_roc"]


@in_print_style
def plot_roc(evaluation: Evaluation, *, envelope: bool = False) -> Drawn:
    """Draw signal against background efficiency with the band of one standard error.

    Args:
        evaluation: of a trained scheme.
        envelope: draw the monotone envelope instead of the curve as it is, which signed weights can make turn back.
    """
    layout = new_figure()
    axes = layout.main
    curve = evaluation.roc.envelope() if envelope else evaluation.roc
    x, y = curve.background_efficiency, curve.signal_efficiency
    label = f"{evaluation.title}, AUC = {evaluation.auc}"
    (line,) = axes.plot(x, y, color=colour_of(0), lw=1.4, label=label)
    order = np.argsort(x, kind="stable")
    low, high = (y - curve.band)[order], (y + curve.band)[order]
    band = axes.fill_between(x[order], low, high, color=colour_of(0), alpha=0.3, lw=0, label="± 1 standard error")
    axes.plot([0, 1], [0, 1], color=NEUTRAL, lw=0.8, ls="--", label="no separation")
    axes.set(xlabel="Background efficiency (signed)", ylabel="Signal efficiency (signed)", xlim=(-0.02, 1.02))
    axes.set_ylim(min(-0.02, float(y.min())), max(1.04, float(y.max()) + 0.02))
    axes.legend(loc="lower right")
    return Drawn(layout.figure, (axes,), {"curve": [line], "band": [band]})

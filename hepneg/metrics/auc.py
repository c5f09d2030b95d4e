"""Area under the ROC curve with signed weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hepneg.estimate import Estimate
from hepneg.metrics.influence import Influence
from hepneg.metrics.scored import scored_events

__all__ = ["auc", "auc_influence"]


def auc(score: ArrayLike, label: ArrayLike, weight: ArrayLike) -> Estimate:
    """Measure how well a score separates signal from background.

    Σᵢⱼ wᵢwⱼ (1[sᵢ > sⱼ] + ½·1[sᵢ = sⱼ]) / (W₁W₀) over the pairs of a signal and a background event. With signed
    weights it may leave [0, 1].

    Args:
        score: (n,), higher for signal; only its order matters.
        label: (n,) of 0 and 1.
        weight: (n,) signed weights.

    Returns:
        The area and its standard error: DeLong's variance (Biometrics 44 (1988) 837) with signed weights, where the
        two sums of weights fluctuate as well.

    Raises:
        DataError: unusable columns, or a label with Σw ≤ 0.
    """
    return auc_influence(score, label, weight).estimate()


def auc_influence(score: ArrayLike, label: ArrayLike, weight: ArrayLike) -> Influence:
    """Return the area and each event's contribution wᵢ(Vᵢ − A)/W to its fluctuation.

    Vᵢ is the normalised weight of the other label on the wrong side of a background event, or on the right side of a
    signal event: the mean of the pair kernel over the other label. Arguments and errors are those of :func:`auc`.
    """
    events = scored_events(score, label, weight)
    share = events.normalised_weight()
    values, place = np.unique(events.score, return_inverse=True)
    signal = np.bincount(place, np.where(events.signal, share, 0.0), len(values))
    background = np.bincount(place, np.where(events.signal, 0.0, share), len(values))
    background_below = np.cumsum(background) - 0.5 * background
    signal_above = 1.0 - (np.cumsum(signal) - 0.5 * signal)
    area = float(np.dot(signal, background_below))
    placement = np.where(events.signal, background_below[place], signal_above[place])
    return Influence(area, share * (placement - area))

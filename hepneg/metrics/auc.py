"""Area under the ROC curve with signed weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hepneg._core.arrays import BoolArray, FloatArray
from hepneg._core.estimate import Estimate
from hepneg.errors import DataError
from hepneg.metrics.influence import Influence
from hepneg.metrics.scored import ScoredEvents, scored_events

__all__ = ["area_and_placements", "auc", "auc_influence", "auc_of", "auc_of_part"]


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
        two sums of weights fluctuate as well. Where those are only a few standard deviations from zero,
        :func:`~hepneg.metrics.auc_interval` is the better answer.

    Raises:
        DataError: unusable columns, or a label with Σw ≤ 0.
    """
    return auc_influence(score, label, weight).estimate()


def auc_influence(score: ArrayLike, label: ArrayLike, weight: ArrayLike) -> Influence:
    """Return the area and each event's contribution to its fluctuation; arguments and errors as of :func:`auc`."""
    return auc_of(scored_events(score, label, weight))


def auc_of(events: ScoredEvents) -> Influence:
    """Return the area and each event's contribution wᵢ(Vᵢ − A)/W to its fluctuation.

    Vᵢ is the event's placement, see :func:`area_and_placements`.

    Raises:
        DataError: a label with Σw ≤ 0.
    """
    area, placement = area_and_placements(events)
    return Influence(area, events.share * (placement - area), events.cluster)


def auc_of_part(events: ScoredEvents, part: BoolArray) -> Estimate:
    """Return the area of some events of one label against all of the other; NaN where it is undefined.

    Args:
        events: n events.
        part: (n,) true for those of one label.
    """
    other = events.code != events.code[int(np.argmax(part))]
    try:
        return auc_of(events.select(part | other)).estimate()
    except DataError:
        return Estimate(float("nan"), float("nan"))


def area_and_placements(events: ScoredEvents) -> tuple[float, FloatArray]:
    """Return the area and the placement of each event, (n,): the mean of the pair kernel over the other label.

    That is the normalised weight of the other label on the wrong side of a background event, or on the right side of a
    signal event.

    Raises:
        DataError: a label with Σw ≤ 0.
    """
    placement = events.ranks.placement(events.share)
    return float(np.dot(events.share[events.signal], placement[events.signal])), placement

"""Area under the ROC curve with signed weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hepneg._core.estimate import Estimate
from hepneg.metrics.influence import Influence
from hepneg.metrics.scored import Floats, scored_events

__all__ = ["RankedScores", "auc", "auc_influence"]


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
    """Return the area and each event's contribution wᵢ(Vᵢ − A)/W to its fluctuation.

    Vᵢ is the normalised weight of the other label on the wrong side of a background event, or on the right side of a
    signal event: the mean of the pair kernel over the other label. Arguments and errors are those of :func:`auc`.
    """
    events = scored_events(score, label, weight)
    share = events.normalised_weight()
    placement = RankedScores.of(events.score, events.signal).placement(share)
    area = float(np.dot(share[events.signal], placement[events.signal]))
    return Influence(area, share * (placement - area))


@dataclass(frozen=True, eq=False, slots=True)
class RankedScores:
    """Scores in order, ties together: what all sums over pairs of a signal and a background event start from.

    Attributes:
        place: (n,) of each event's score among the distinct ones.
        signal: (n,) true for signal.
    """

    place: NDArray[np.intp]
    signal: NDArray[np.bool_]

    @classmethod
    def of(cls, score: Floats, signal: NDArray[np.bool_]) -> Self:
        """Rank the scores (n,)."""
        return cls(np.unique(score, return_inverse=True)[1], signal)

    def by_label(self, share: Floats) -> tuple[Floats, Floats]:
        """Sum the shares (n,) of signal and of background at each distinct score."""
        length = int(self.place.max()) + 1
        parts = (np.where(mask, share, 0.0) for mask in (self.signal, ~self.signal))
        signal, background = (np.asarray(np.bincount(self.place, part, length), np.float64) for part in parts)
        return signal, background

    def placement(self, share: Floats) -> Floats:
        """Return the share of the other label on the wrong side of a background, the right side of a signal event."""
        signal, background = self.by_label(share)
        background_below = np.cumsum(background) - 0.5 * background
        signal_above = signal.sum() - (np.cumsum(signal) - 0.5 * signal)
        return np.where(self.signal, background_below[self.place], signal_above[self.place])

    def tied(self, share: Floats) -> float:
        """Sum the product of the shares over the pairs with equal scores."""
        signal, background = self.by_label(share)
        return float(signal @ background)

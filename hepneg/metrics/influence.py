"""What each event contributes to a metric's fluctuation, and what follows from it: errors and paired differences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hepneg._core.arrays import FloatArray
from hepneg._core.estimate import Estimate

__all__ = ["Influence", "InfluenceFunction", "paired_difference"]


@dataclass(frozen=True, eq=False, slots=True)
class Influence:
    """A metric's value and the contribution of each event to its fluctuation.

    Attributes:
        value: of the metric.
        contribution: cᵢ = wᵢ ∂value/∂wᵢ, (n,).
    """

    value: float
    contribution: FloatArray

    def estimate(self) -> Estimate:
        """Return the value with its error √Σcᵢ²."""
        return Estimate(self.value, float(np.sqrt(np.sum(self.contribution**2))))

    def __sub__(self, other: Influence) -> Influence:
        """Return the difference to another metric of the same events: what the two have in common cancels."""
        return Influence(self.value - other.value, self.contribution - other.contribution)


InfluenceFunction = Callable[[ArrayLike, ArrayLike, ArrayLike], Influence]
"""``f(score, label, weight)``: :func:`~hepneg.metrics.auc_influence` and its like."""


def paired_difference(
    influence: InfluenceFunction, score: ArrayLike, other: ArrayLike, label: ArrayLike, weight: ArrayLike
) -> Estimate:
    """Compare two scores of the same events: metric(score) − metric(other).

    Args:
        influence: which metric: ``auc_influence``, ``log_loss_influence`` or ``brier_influence``.
        score: (n,) of one classifier.
        other: (n,) of the other classifier, for the same events in the same order.
        label: (n,) of 0 and 1.
        weight: (n,) signed weights.

    Returns:
        The difference and its error √Σ(cᵢ − c′ᵢ)². What the two have in common cancels, so the error is usually much
        smaller than those of the two metrics; it is 0 for identical scores.

    Raises:
        DataError: as the metric does.
    """
    return (influence(score, label, weight) - influence(other, label, weight)).estimate()

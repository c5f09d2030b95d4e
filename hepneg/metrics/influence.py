"""What each event contributes to a metric's fluctuation, and what follows from it: errors and paired differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from hepneg._core.arrays import FloatArray, IndexArray
from hepneg._core.estimate import Estimate
from hepneg.events import cluster_sums
from hepneg.metrics.scored import row_clusters

__all__ = ["Influence", "InfluenceFunction", "paired_difference"]


@dataclass(frozen=True, eq=False, slots=True)
class Influence:
    """A metric's value and the contribution of each event to its fluctuation.

    Attributes:
        value: of the metric.
        contribution: cᵢ = wᵢ ∂value/∂wᵢ, (n,).
        cluster: (n,) number of the event that each row is of; None where each row is an event of its own.
    """

    value: float
    contribution: FloatArray
    cluster: IndexArray | None = None

    @property
    def by_event(self) -> FloatArray:
        """The contributions of the independent events, (C,): those of the rows of one event added up."""
        return cluster_sums(self.contribution, self.cluster)

    def by_events(self, event_id: ArrayLike | None) -> Influence:
        """Return the same with rows of equal identifiers, (n,) or (n, m), as one event; None changes nothing.

        Raises:
            DataError: not one identifier for each row.
        """
        cluster = row_clusters(event_id, len(self.contribution))
        return self if cluster is None else replace(self, cluster=cluster)

    def estimate(self) -> Estimate:
        """Return the value with its error √Σc², over independent events."""
        return Estimate(self.value, float(np.sqrt(np.sum(self.by_event**2))))

    @classmethod
    def mean(cls, parts: Sequence[Influence]) -> Influence:
        """Return the mean of several metrics of the same events."""
        value = float(np.mean([part.value for part in parts]))
        return cls(value, np.mean([part.contribution for part in parts], axis=0), parts[0].cluster)

    def __sub__(self, other: Influence) -> Influence:
        """Return the difference to another metric of the same events: what the two have in common cancels."""
        return Influence(self.value - other.value, self.contribution - other.contribution, self.cluster)


InfluenceFunction = Callable[[ArrayLike, ArrayLike, ArrayLike], Influence]
"""``f(score, label, weight)``: :func:`~hepneg.metrics.auc_influence` and its like."""


def paired_difference(
    influence: InfluenceFunction,
    score: ArrayLike,
    other: ArrayLike,
    label: ArrayLike,
    weight: ArrayLike,
    *,
    event_id: ArrayLike | None = None,
) -> Estimate:
    """Compare two scores of the same events: metric(score) − metric(other).

    Args:
        influence: which metric: ``auc_influence``, ``log_loss_influence`` or ``brier_influence``.
        score: (n,) of one classifier.
        other: (n,) of the other classifier, for the same events in the same order.
        label: (n,) of 0 and 1.
        weight: (n,) signed weights.
        event_id: (n,) or (n, m) integers; rows of equal ones, the candidates of an event, are one observation. Left
            out, each row is.

    Returns:
        The difference and its error √Σ(cᵢ − c′ᵢ)². What the two have in common cancels, so the error is usually much
        smaller than those of the two metrics; it is 0 for identical scores.

    Raises:
        DataError: as the metric does.
    """
    difference = influence(score, label, weight) - influence(other, label, weight)
    return difference.by_events(event_id).estimate()

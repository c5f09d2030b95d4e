"""Proper scores of the probabilities of any number of classes, with signed weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hepneg._core.arrays import FloatArray, IndexArray
from hepneg._core.log_odds import class_log_odds, log_probabilities, sigmoid
from hepneg.errors import DataError
from hepneg.events import EventTable
from hepneg.metrics.influence import Influence
from hepneg.metrics.proper import balanced_mean, brier_of, log_loss_of
from hepneg.metrics.scored import ScoredEvents, SignedClasses, column_of

__all__ = [
    "ClassScores",
    "class_brier_of",
    "class_log_loss_of",
    "output_brier",
    "output_log_loss",
    "scored_output",
    "unscored",
]


@dataclass(frozen=True, eq=False)
class ClassScores(SignedClasses):
    """Events with the probabilities of K classes at equal priors.

    Attributes:
        log_probability: logarithm of each class's probability, (n, K).
        code: of each event's own class, (n,).
        weight: (n,) signed weights.
        classes: names of the classes by code.
        cluster: (n,) number of the event that each row is of; None where each row is an event of its own.
    """

    log_probability: FloatArray
    code: NDArray[np.int8]
    weight: FloatArray
    classes: Sequence[str]
    cluster: IndexArray | None = None

    @property
    def class_names(self) -> Sequence[str]:
        """Names of the classes by code."""
        return self.classes

    @cached_property
    def log_odds(self) -> FloatArray:
        """Log-odds of each class against all others together, (n, K)."""
        return class_log_odds(self.log_probability)

    @classmethod
    def of_table(cls, events: EventTable, log_ratios: FloatArray) -> ClassScores:
        """Score the n events of a table.

        Args:
            events: of K classes.
            log_ratios: against the first class: (n,) of two classes, (n, K − 1) of more.

        Raises:
            DataError: numbers that are not finite.
        """
        if not np.isfinite(log_ratios).all():
            raise DataError("some networks give NaN or infinite outputs: look for extreme features or weights")
        return cls(log_probabilities(log_ratios), events.label, events.weight, events.classes, events.clusters())

    def with_score(self, log_ratios: FloatArray) -> ClassScores:
        """Return the same events with other log-ratios against the first class, (n, K − 1)."""
        return self._knowing_weights(replace(self, log_probability=log_probabilities(log_ratios)))


def class_log_loss_of(events: ClassScores) -> Influence:
    """Measure the cross-entropy, the classes balanced: the mean over the classes of Σw·(−log p of the own class)/Σw.

    An uninformative classifier has log K. For two classes it is :func:`hepneg.metrics.log_loss`.

    Raises:
        DataError: a class with Σw ≤ 0.
    """
    return balanced_mean(events, -events.log_probability[np.arange(len(events.code)), events.code])


def class_brier_of(events: ClassScores) -> Influence:
    """Measure half the squared distance of the probabilities from the own class, the classes balanced.

    An uninformative classifier has (1 − 1/K)/2. For two classes it is :func:`hepneg.metrics.brier`.

    Raises:
        DataError: a class with Σw ≤ 0.
    """
    missing = np.exp(events.log_probability)
    missing[np.arange(len(events.code)), events.code] -= 1.0
    return balanced_mean(events, 0.5 * np.square(missing).sum(axis=1))


def unscored(events: EventTable, weight: FloatArray) -> ScoredEvents | ClassScores:
    """Return a table's events with other weights, (n,), and no scores yet: rows of one event count by themselves."""
    if len(events.classes) == 2:
        return ScoredEvents(np.zeros(len(events)), events.label, weight)
    return ClassScores(np.zeros((len(events), len(events.classes))), events.label, weight, events.classes)


def scored_output(events: EventTable, log_ratios: FloatArray) -> ScoredEvents | ClassScores:
    """Return a table's events with what networks give for them: (n,) of two classes, (n, K − 1) of more."""
    if log_ratios.ndim > 1:
        return ClassScores.of_table(events, log_ratios)
    return ScoredEvents(column_of(events, log_ratios, "score"), events.label, events.weight, events.clusters())


def output_log_loss(scored: ScoredEvents | ClassScores) -> Influence:
    """Measure the cross-entropy of events as :func:`scored_output` has them."""
    return log_loss_of(scored) if isinstance(scored, ScoredEvents) else class_log_loss_of(scored)


def output_brier(scored: ScoredEvents | ClassScores) -> Influence:
    """Measure the Brier score of events as :func:`scored_output` has them."""
    if isinstance(scored, ScoredEvents):
        return brier_of(scored.with_score(sigmoid(scored.score)))
    return class_brier_of(scored)

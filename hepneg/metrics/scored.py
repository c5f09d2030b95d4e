"""Scored events: the columns that every metric starts from, checked, summed and sorted once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hepneg._core.arrays import BoolArray, FloatArray, IndexArray
from hepneg._core.class_names import TWO_CLASSES, require_two_classes
from hepneg.errors import DataError
from hepneg.events import LABEL_NAMES, SIGNAL, EventTable, clusters, first_entries
from hepneg.metrics.ranked_scores import RankedScores

__all__ = [
    "ScoredEvents",
    "SignedClasses",
    "column_of",
    "finite_column",
    "positive_sums",
    "row_clusters",
    "scored_events",
]


class SignedClasses:
    """Events of several classes: what every metric wants of their signed weights, found once.

    Attributes:
        code: (n,) of the class.
        weight: (n,) signed weights.
        cluster: (n,) number of the event that each row is of; None where each row is an event of its own.
    """

    code: NDArray[np.int8]
    weight: FloatArray
    cluster: IndexArray | None

    @property
    def class_names(self) -> Sequence[str]:
        """Names of the classes by code."""
        return TWO_CLASSES

    @cached_property
    def sums(self) -> FloatArray:
        """Σw of each class by its code, (K,).

        Raises:
            DataError: one of them is not positive.
        """
        sums = [float(self.weight[self.code == code].sum()) for code in range(len(self.class_names))]
        return positive_sums(sums, self.class_names)

    @cached_property
    def share(self) -> FloatArray:
        """The weights divided by the sum of their class's, (n,).

        Raises:
            DataError: a class with Σw ≤ 0.
        """
        return np.asarray(self.weight / self.sums[self.code])

    def _knowing_weights(self, other: Self) -> Self:
        """Return other scores of the same events, with what is known of their weights."""
        known: dict[str, Any] = {
            name: self.__dict__[name] for name in ("signal", "sums", "share") if name in self.__dict__
        }
        other.__dict__.update(known)
        return other


@dataclass(frozen=True, eq=False)
class ScoredEvents(SignedClasses):
    """Events with a score and a label, which every metric starts from.

    Attributes:
        score: (n,) finite numbers.
        code: (n,) of the label: 0 for background, 1 for signal.
        weight: (n,) signed weights.
        cluster: (n,) number of the event that each row is of, whose candidates fluctuate together; None where each row
            is an event of its own.
    """

    score: FloatArray
    code: NDArray[np.int8]
    weight: FloatArray
    cluster: IndexArray | None = None
    _ranks: RankedScores | None = field(default=None, repr=False)

    @classmethod
    def of_table(cls, events: EventTable, score: ArrayLike, what: str = "score") -> ScoredEvents:
        """Score the n events of a table.

        Args:
            events: with labels and weights, which are checked already.
            score: (n,) finite numbers.
            what: how messages call the score.

        Raises:
            DataError: not one finite number for each event, or other classes than signal and background.
        """
        require_two_classes(events.classes, "this metric")
        return cls(column_of(events, score, what), events.label, events.weight, events.clusters())

    def __len__(self) -> int:
        return len(self.score)

    @cached_property
    def signal(self) -> BoolArray:
        """True for signal, (n,)."""
        return np.asarray(self.code == SIGNAL)

    @cached_property
    def ranks(self) -> RankedScores:
        """The scores in order."""
        return self._ranks or RankedScores.of(self.score, self.signal)

    def with_score(self, score: FloatArray) -> ScoredEvents:
        """Return the same events with another score, (n,) finite numbers; what is known of the weights is kept."""
        return self._knowing_weights(replace(self, score=score, _ranks=None))

    def select(self, mask: BoolArray) -> ScoredEvents:
        """Return the events for which ``mask`` (n,) is true; scores that are sorted are not sorted again."""
        cluster = None if self.cluster is None else self.cluster[mask]
        ranks = self.ranks.select(mask) if self._ranks or "ranks" in self.__dict__ else None
        return ScoredEvents(self.score[mask], self.code[mask], self.weight[mask], cluster, ranks)


def scored_events(
    score: ArrayLike, label: ArrayLike, weight: ArrayLike, *, event_id: ArrayLike | None = None
) -> ScoredEvents:
    """Check the columns of a metric.

    Args:
        score: (n,) finite numbers.
        label: (n,) of 0 (background) and 1 (signal), or booleans.
        weight: (n,) signed weights.
        event_id: (n,) or (n, m) integers; rows of equal ones, the candidates of an event, are one observation. Left
            out, each row is.

    Raises:
        DataError: shapes that do not fit, numbers that are not finite, or labels other than 0 and 1.
    """
    scores, weights, labels = finite_column(score, "score"), finite_column(weight, "weight"), np.asarray(label)
    if not scores.shape == weights.shape == labels.shape:
        shapes = f"{scores.shape}, {labels.shape} and {weights.shape}"
        raise DataError(f"score, label and weight have shapes {shapes}; give one of each per event")
    bad = ~np.isin(labels, list(LABEL_NAMES))
    if bad.any():
        raise DataError(f"{int(bad.sum())} labels are neither 1 (signal) nor 0 (background), at {first_entries(bad)}")
    return ScoredEvents(scores, labels.astype(np.int8), weights, row_clusters(event_id, len(weights)))


def row_clusters(event_id: ArrayLike | None, n: int) -> IndexArray | None:
    """Return the event that each of n rows is of, by identifiers that a caller gave; None where each is its own.

    Raises:
        DataError: not one integer, or one row of integers, for each.
    """
    if event_id is None:
        return None
    ids = np.asarray(event_id)
    if ids.dtype.kind not in "iu" or ids.ndim not in (1, 2) or len(ids) != n:
        raise DataError(f"event_id must be {n} integers, one for each row, not {ids.dtype} of shape {ids.shape}")
    return clusters(ids)


def finite_column(values: ArrayLike, what: str) -> FloatArray:
    """Return one column of numbers as float64, (n,).

    Raises:
        DataError: it is not one-dimensional, or holds NaN or infinite values.
    """
    column = np.asarray(values, dtype=np.float64)
    if column.ndim != 1:
        raise DataError(f"{what} has shape {column.shape}; give one number per event")
    bad = ~np.isfinite(column)
    if bad.any():
        raise DataError(
            f"{int(bad.sum())} NaN or infinite values in {what}, at {first_entries(bad)}; remove them first"
        )
    return column


def column_of(events: EventTable, values: ArrayLike, what: str) -> FloatArray:
    """Return a column that belongs to the n events of a table, (n,).

    Raises:
        DataError: not one finite number for each event.
    """
    column = finite_column(values, what)
    if len(column) != len(events):
        raise DataError(
            f"{len(column)} values are given for {what}, but there are {len(events)} events; give one per event"
        )
    return column


def positive_sums(sums: list[float], classes: Sequence[str] = TWO_CLASSES) -> FloatArray:
    """Return Σw of each class by its code, (K,).

    Raises:
        DataError: one of them is not positive.
    """
    for code, name in reversed(list(enumerate(classes))):
        if sums[code] <= 0:
            raise DataError(
                f"the {name} weights sum to {sums[code]:.6g}: no metric is defined; "
                f"use more {name} events or a looser selection"
            )
    return np.array(sums)

"""Two-sample Kolmogorov-Smirnov test with signed weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from hepneg._core.arrays import BoolArray, FloatArray, IndexArray
from hepneg._core.json_values import JsonResult
from hepneg.errors import DataError
from hepneg.events import clusters
from hepneg.metrics.scored import ScoredEvents, finite_column, row_clusters

__all__ = ["KSTest", "ks_two_sample", "ks_two_sample_of"]

_TRIES = 4
_Columns: TypeAlias = tuple[FloatArray, FloatArray, IndexArray | None]
"""Of a set: values (n,), signed weights (n,), and the event of each row, (n,) from 0 without gaps."""


@dataclass(frozen=True, slots=True)
class KSTest(JsonResult):
    """Result of a two-sample test.

    Attributes:
        distance: largest distance between the two normalised signed cumulative distributions; may exceed 1.
        p_value: probability of a distance at least as large if both sets have the same distribution.
        permutations: behind the p-value, which is never below 1 / (permutations + 1).
    """

    distance: float
    p_value: float
    permutations: int


def ks_two_sample(
    x1: ArrayLike,
    w1: ArrayLike,
    x2: ArrayLike,
    w2: ArrayLike,
    *,
    event_id1: ArrayLike | None = None,
    event_id2: ArrayLike | None = None,
    permutations: int = 500,
    seed: int = 1,
) -> KSTest:
    """Test whether two independent sets of events have the same distribution of (x, w).

    The p-value comes from shuffling which set an event belongs to, each event keeping its x and w. It is exact for any
    weights, ties included, if events of both sets are exchangeable: no event in both, the same process, and weights on
    the same scale. Sets that differ only in the distribution of |w| are not exchangeable.

    Args:
        x1: (n1,) of the first set.
        w1: (n1,) signed weights of the first set.
        x2: (n2,) of the second set.
        w2: (n2,) signed weights of the second set.
        event_id1: (n1,) or (n1, m) integers; rows of equal ones are one event, and stay together in a shuffle.
        event_id2: the same of the second set.
        permutations: how many shuffles that leave both sets with Σw > 0; the cost is n1 + n2 for each.
        seed: of the shuffles.

    Raises:
        DataError: unusable columns, or a set with Σw ≤ 0, which has no cumulative distribution.

    A shuffle that leaves a set with Σw ≤ 0 is left out, as such a set is not tested at all: the p-value is exact for
    the sets that are. No more than four times ``permutations`` shuffles are made.
    """
    first = (finite_column(x1, "x1"), finite_column(w1, "w1"), row_clusters(event_id1, np.size(x1)))
    second = (finite_column(x2, "x2"), finite_column(w2, "w2"), row_clusters(event_id2, np.size(x2)))
    return _permutation_test(first, second, permutations, seed)


def ks_two_sample_of(first: ScoredEvents, second: ScoredEvents, *, permutations: int = 500, seed: int = 1) -> KSTest:
    """Test whether two independent sets of events have the same distribution of score and weight.

    See :func:`ks_two_sample`; labels are not used here.

    Raises:
        DataError: a set with Σw ≤ 0.
    """
    return _permutation_test(_columns(first), _columns(second), permutations, seed)


def _columns(events: ScoredEvents) -> _Columns:
    return events.score, events.weight, None if events.cluster is None else clusters(events.cluster)


def _permutation_test(one: _Columns, other: _Columns, permutations: int, seed: int) -> KSTest:
    x, w = np.concatenate([one[0], other[0]]), np.concatenate([one[1], other[1]])
    first = np.arange(len(x)) < len(one[0])
    order = np.argsort(x, kind="stable")
    x, w, first = x[order], w[order], first[order]
    cluster = _joined_clusters(one, other)
    last_of_tie = np.flatnonzero(np.append(x[1:] != x[:-1], True)) if len(x) else np.array([], np.int64)
    total = np.cumsum(w)
    observed = _distance(w, first, total, last_of_tie)
    if not np.isfinite(observed):
        raise DataError("a set's weights do not sum to a positive number: it has no distribution to compare")
    rng = np.random.default_rng(seed)
    shuffled = first.copy() if cluster is None else np.zeros(int(cluster.max()) + 1, dtype=bool)
    if cluster is not None:
        cluster = cluster[order]
        shuffled[cluster[first]] = True
    extreme = used = 0
    for _ in range(_TRIES * permutations):
        rng.shuffle(shuffled)
        distance = _distance(w, shuffled if cluster is None else shuffled[cluster], total, last_of_tie)
        if not np.isfinite(distance):
            continue
        extreme += distance >= observed * (1.0 - 1e-12)
        used += 1
        if used == permutations:
            break
    return KSTest(observed, (1 + extreme) / (1 + used), used)


def _joined_clusters(one: _Columns, other: _Columns) -> IndexArray | None:
    """Return the event of each row of both sets, (n1 + n2,); None where each row is an event of its own."""
    if one[2] is None and other[2] is None:
        return None
    first, second = (np.arange(len(x)) if cluster is None else cluster for x, _, cluster in (one, other))
    return np.concatenate([first, second + first.max(initial=-1) + 1])


def _distance(w: FloatArray, first: BoolArray, total: FloatArray, last_of_tie: IndexArray) -> float:
    """Largest distance of the two cumulative distributions, infinite where one is undefined; events in order of x."""
    if not len(w):
        return float("inf")
    running = np.cumsum(w * first)
    sum1, sum2 = running[-1], total[-1] - running[-1]
    if sum1 <= 0 or sum2 <= 0:
        return float("inf")
    # F1 - F2 from the running sums of the first set and of both.
    difference = running * (1.0 / sum1 + 1.0 / sum2) - total * (1.0 / sum2)
    return float(np.abs(difference[last_of_tie]).max())

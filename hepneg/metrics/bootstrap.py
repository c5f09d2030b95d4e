"""Poisson bootstrap whose multiplicities follow from the event identifier."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hepneg._core.arrays import FloatArray
from hepneg._core.estimate import Estimate
from hepneg._core.hashing import uniform_events
from hepneg.errors import DataError, HepnegWarning
from hepneg.metrics.scored import finite_column

__all__ = ["poisson_bootstrap", "poisson_multiplicity"]

# P(multiplicity <= k) for a mean of 1; beyond 20 nothing is left in double precision.
_CUMULATIVE = np.cumsum([math.exp(-1.0) / math.factorial(k) for k in range(21)])


def poisson_multiplicity(event_id: NDArray[np.integer], replica: int, seed: int) -> NDArray[np.int64]:
    """Say how often each event counts in one bootstrap replica.

    Args:
        event_id: (n,) or (n, m) integers.
        replica: number of the replica.
        seed: any integer.

    Returns:
        (n,) Poisson numbers of mean 1, fixed by identifier, replica and seed: an event counts equally often in every
        histogram, chunk and machine, so replicas of different quantities are correlated as the quantities are.
    """
    return np.searchsorted(_CUMULATIVE, uniform_events(event_id, seed, f"bootstrap {replica}"), side="right")


def poisson_bootstrap(
    metric: Callable[[FloatArray, FloatArray, FloatArray], Estimate | float],
    score: ArrayLike,
    label: ArrayLike,
    weight: ArrayLike,
    event_id: NDArray[np.integer] | None = None,
    *,
    replicas: int = 200,
    seed: int = 1,
) -> Estimate:
    """Measure a metric with the spread of its bootstrap replicas as error.

    Args:
        metric: ``f(score, label, weight)`` that returns an Estimate (its value is used) or a number.
        score: (n,) or (n, m), handed to the metric; it may hold several scores, for a difference.
        label: (n,) of 0 and 1.
        weight: (n,) signed weights; a replica multiplies them by Poisson numbers.
        event_id: (n,) or (n, m) integers; left out, the position.
        replicas: how many, at least 2; the error itself is uncertain by 1/√(2·replicas).
        seed: any integer.

    Returns:
        The metric of the events and the standard deviation of the replicas.

    Raises:
        DataError: the metric is undefined for the events themselves, or in more than half of the replicas.

    Replicas in which the metric is undefined (a label's weights sum to zero or less) are left out with a
    :class:`~hepneg.errors.HepnegWarning`: the error is then too small.
    """
    scores, labels, weights = np.asarray(score), np.asarray(label), finite_column(weight, "weight")
    ids = np.arange(len(weights)) if event_id is None else event_id
    central = _value(metric(scores, labels, weights))
    values = []
    for replica in range(replicas):
        try:
            values.append(_value(metric(scores, labels, weights * poisson_multiplicity(ids, replica, seed))))
        except DataError:
            continue
    _check_undefined(replicas - len(values), replicas)
    return Estimate(central, float(np.std(values, ddof=1)))


def _value(result: Estimate | float) -> float:
    return result.value if isinstance(result, Estimate) else float(result)


def _check_undefined(undefined: int, replicas: int) -> None:
    if 2 * undefined > replicas or replicas - undefined < 2:
        raise DataError(f"the metric is undefined in {undefined} of {replicas} bootstrap replicas; use more events")
    if undefined:
        message = f"the metric is undefined in {undefined} of {replicas} bootstrap replicas; its error is too small"
        warnings.warn(message, HepnegWarning, stacklevel=3)

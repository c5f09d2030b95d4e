"""Permutation importance of the features for a score, with signed weights and paired errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hepneg._core.arrays import FloatArray
from hepneg._core.estimate import Estimate
from hepneg.errors import DataError
from hepneg.metrics.auc import auc_influence
from hepneg.metrics.influence import Influence, InfluenceFunction

__all__ = ["importance_influence", "permutation_importance"]

Score = Callable[[NDArray[np.float32]], NDArray[np.floating]]


def permutation_importance(
    score: Score,
    features: ArrayLike,
    label: ArrayLike,
    weight: ArrayLike,
    *,
    feature_names: Sequence[str] | None = None,
    influence: InfluenceFunction = auc_influence,
    larger_is_better: bool = True,
    event_id: ArrayLike | None = None,
    repeats: int = 5,
    seed: int = 1,
) -> dict[str, Estimate]:
    """Measure how much worse a score gets when the values of one feature are permuted among the events.

    Args:
        score: gives the score (n,) of features (n, F); events that it was not trained on should be used.
        features: (n, F).
        label: (n,) of 0 and 1.
        weight: (n,) signed weights.
        feature_names: F names; left out, ``x0``, ``x1``, …
        influence: the metric: ``auc_influence``, ``log_loss_influence`` (the score is then a log-odds), …
        larger_is_better: false for a loss.
        event_id: (n,) or (n, m) integers; rows of equal ones, the candidates of an event, are one observation.
        repeats: permutations for each feature; their mean is given.
        seed: of the permutations.

    Returns:
        The loss of quality of each feature with its standard error, in the order of the features. The errors are
        paired: what both scores share cancels. They hold for these permutations, so the further spread between
        permutations is not in them; it falls with ``repeats``.

    Raises:
        DataError: shapes that do not fit, or a metric that is undefined.

    Features that carry the same information cover for each other, and each then seems unimportant (Breiman, Machine
    Learning 45 (2001) 5, introduced the method). Values are permuted without their weights, within the events given.
    """
    matrix = np.asarray(features, dtype=np.float32)
    names = _names(matrix, feature_names)
    base = influence(score(matrix), label, weight).by_events(event_id)
    rng = np.random.default_rng(seed)
    worse = 1.0 if larger_is_better else -1.0
    importance = {}
    for column, name in enumerate(names):
        drop = importance_influence(score, matrix, column, label, weight, base, influence, repeats, rng)
        importance[name] = Influence(worse * drop.value, drop.contribution, drop.cluster).estimate()
    return importance


def importance_influence(
    score: Score,
    matrix: NDArray[np.float32],
    column: int,
    label: ArrayLike,
    weight: ArrayLike,
    base: Influence,
    influence: InfluenceFunction,
    repeats: int,
    rng: np.random.Generator,
) -> Influence:
    """Return by how much the metric falls when one column is permuted, and each event's contribution to that."""
    permuted = matrix.copy()
    value, contribution = 0.0, np.zeros(len(matrix))
    for _ in range(repeats):
        permuted[:, column] = rng.permutation(matrix[:, column])
        result = influence(score(permuted), label, weight)
        value += result.value / repeats
        contribution += result.contribution / repeats
    difference: FloatArray = base.contribution - contribution
    return Influence(base.value - value, difference, base.cluster)


def _names(matrix: NDArray[np.float32], names: Sequence[str] | None) -> tuple[str, ...]:
    if matrix.ndim != 2:
        raise DataError(f"features have shape {matrix.shape}; give (n, F), one row per event")
    if names is None:
        return tuple(f"x{i}" for i in range(matrix.shape[1]))
    if len(names) != matrix.shape[1]:
        raise DataError(f"features have {matrix.shape[1]} columns, but {len(names)} names are given")
    return tuple(names)

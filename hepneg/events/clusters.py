"""Rows that are not independent: candidates of one event share its identifier and are one observation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hepneg._core.hashing import hash_events

__all__ = ["cluster_sums", "clustering", "clusters"]


def clusters(event_id: NDArray[np.integer]) -> NDArray[np.intp] | None:
    """Number the clusters of rows with equal identifiers.

    Args:
        event_id: integers, (n,) or (n, m).

    Returns:
        The cluster of each row, (n,), 0 to C − 1; None where all identifiers are different, so that each row is one
        observation. Costs one pass where identifiers increase, else a sort.

    Identifiers of several columns are compared by a hash of 64 bits: two different ones are taken for the same with a
    probability of n²/2**65.
    """
    keys = hash_events(event_id, 0, "clusters") if event_id.ndim > 1 else event_id
    if bool((keys[1:] > keys[:-1]).all()):
        return None
    distinct, codes = np.unique(keys, return_inverse=True)
    return codes.astype(np.intp, copy=False) if len(distinct) < len(keys) else None


def cluster_sums(values: NDArray[np.float64], codes: NDArray[np.intp] | None) -> NDArray[np.float64]:
    """Add values up by cluster.

    Args:
        values: (n,) of each row: weights, or contributions to a metric.
        codes: of :func:`clusters`; None leaves the values as they are.

    Returns:
        (C,) sums, whose squares add up to a variance where those of single rows would not: rows of one event fluctuate
        together.
    """
    return values if codes is None else np.bincount(codes, values).astype(np.float64, copy=False)


def clustering(weight: NDArray[np.float64], codes: NDArray[np.intp] | None) -> float:
    """Return Σ(Σw)² over the clusters by Σw² of the rows: by how much fewer observations there are than rows.

    Args:
        weight: (n,) signed weights.
        codes: of :func:`clusters`.
    """
    square = float(weight @ weight)
    return float(np.sum(cluster_sums(weight, codes) ** 2)) / square if square > 0 else 1.0

"""Rows that are not independent: candidates of one event share its identifier and are one observation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hepneg._core.hashing import hash_events

__all__ = [
    "cluster_products",
    "cluster_squares",
    "cluster_sums",
    "clustering",
    "clusters",
    "excess",
    "nested_sums",
]

Float = NDArray[np.float64]
Codes = NDArray[np.intp]


def clusters(event_id: NDArray[np.integer], group: NDArray[np.integer] | None = None) -> Codes | None:
    """Number the clusters of rows with equal identifiers.

    Args:
        event_id: integers, (n,) or (n, m).
        group: (n,) integers; equal identifiers of two groups are of different events.

    Returns:
        The cluster of each row, (n,), 0 to C − 1; None where all identifiers are different, so that each row is one
        observation. Costs one pass where identifiers increase, else a sort.

    Identifiers of several columns are compared by a hash of 64 bits: two different ones are taken for the same with a
    probability of n²/2**65.
    """
    keys = hash_events(event_id, 0, "clusters") if event_id.ndim > 1 else event_id
    higher = keys[1:] > keys[:-1]
    if group is not None:
        higher = (group[1:] > group[:-1]) | (higher & (group[1:] == group[:-1]))
    if bool(higher.all()):
        return None
    if group is not None:
        keys = hash_events(np.stack([keys.astype(np.uint64), group.astype(np.uint64)], axis=1), 0, "clusters")
    distinct, codes = np.unique(keys, return_inverse=True)
    return codes.astype(np.intp, copy=False) if len(distinct) < len(keys) else None


def cluster_sums(values: Float, codes: Codes | None) -> Float:
    """Add values up by cluster.

    Args:
        values: (n,) of each row: weights, or contributions to a metric.
        codes: of :func:`clusters`; None leaves the values as they are.

    Returns:
        (C,) sums, whose squares add up to a variance where those of single rows would not: rows of one event fluctuate
        together.
    """
    return values if codes is None else np.bincount(codes, values).astype(np.float64, copy=False)


def clustering(weight: Float, codes: Codes | None) -> float:
    """Return Σ(Σw)² over the clusters by Σw² of the rows: by how much fewer observations there are than rows.

    Args:
        weight: (n,) signed weights.
        codes: of :func:`clusters`.
    """
    square = float(weight @ weight)
    return float(np.sum(cluster_sums(weight, codes) ** 2)) / square if square > 0 else 1.0


def excess(first: Float, second: Float, codes: Codes | None) -> float:
    """Return Σ(Σa)(Σb) over the clusters, less Σab over the rows: what rows of one event add to a covariance.

    Args:
        first: a, (n,).
        second: b, (n,).
        codes: of :func:`clusters`; the excess is 0 where each row is an observation.
    """
    if codes is None:
        return 0.0
    return float(cluster_sums(first, codes) @ cluster_sums(second, codes)) - float(first @ second)


def cluster_squares(values: Float, bin_of: NDArray[np.integer], bins: int, codes: Codes | None) -> Float:
    """Return Σ(Σv)² over the clusters in each bin, (bins,), Σ the rows of a cluster in that bin.

    Args:
        values: v, (n,).
        bin_of: (n,) from 0.
        bins: how many.
        codes: of :func:`clusters`.
    """
    if codes is None:
        return np.bincount(bin_of, values**2, bins).astype(np.float64, copy=False)
    number = int(codes.max(initial=0)) + 1
    cells, cell = np.unique(bin_of.astype(np.int64) * number + codes, return_inverse=True)
    squares = np.bincount(cell, values, len(cells)) ** 2
    return np.bincount(cells // number, squares, bins).astype(np.float64, copy=False)


def cluster_products(values: Float, column: Codes, columns: int, codes: Codes, rows: Codes) -> Float:
    """Return what rows of one event add to the covariance of column sums, (columns, columns).

    Σ(Σ_a v)(Σ_b v) over the clusters for each pair of columns a and b, less the same over the rows.

    Args:
        values: v of each entry, (k,).
        column: that the entry adds to, (k,).
        columns: how many.
        codes: the cluster of the entry, (k,).
        rows: the row that the entry comes from, (k,).
    """
    from scipy.sparse import csr_array

    total = np.zeros((columns, columns))
    for group, sign in ((codes, 1.0), (rows, -1.0)):
        shape = (int(group.max(initial=0)) + 1, columns)
        sums = csr_array((values, (group, column)), shape=shape)
        total += sign * (sums.T @ sums).toarray()
    return total


def nested_sums(values: Float, codes: Codes) -> tuple[Float, Float]:
    """Return Σ K² and Σ K·S over the clusters as rows are added one by one, (n,) each.

    K is what is added so far of a cluster's values and S their sum: what the variance of a share of the total needs.

    Args:
        values: (n,) in the order in which they are added.
        codes: the cluster of each, (n,).
    """
    order = np.argsort(codes, kind="stable")
    ordered, running = codes[order], np.cumsum(values[order])
    starts = np.concatenate([[True], ordered[1:] != ordered[:-1]])[: len(codes)]
    before = running - values[order]
    offset = before[np.maximum.accumulate(np.where(starts, np.arange(len(codes)), 0))]
    held = np.empty(len(codes))
    held[order] = before - offset
    return np.cumsum(values * (2.0 * held + values)), np.cumsum(values * np.bincount(codes, values)[codes])

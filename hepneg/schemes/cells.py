"""Cells: each negative event together with its nearest positive events, until their weights sum to more than zero.

The idea is that of cell resampling (Andersen, Maier, arXiv:2109.07851): a small neighbourhood is blind to which of its
events carried the minus sign. Here the weights stay as they are; only the batches respect the cells.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hepneg.errors import TrainingError

__all__ = ["nearest_cells", "standardised"]

Float = NDArray[np.float64]
Index = NDArray[np.int64]

_NEIGHBOURS = 8
_POSITIVE = 1e-9  # of the mean |w|: a sum that rounding alone lifts above zero is not positive


def standardised(features: NDArray[np.floating]) -> Float:
    """Scale each column by half its central 68 % interval, so that one metric serves all features.

    Quantiles and not the standard deviation: a long tail must not squeeze the bulk of its feature to nothing.
    A column without a central spread is scaled by its standard deviation, a constant one by 1.
    """
    values = np.asarray(features, dtype=np.float64)
    low, middle, high = np.quantile(values, [0.16, 0.5, 0.84], axis=0)
    scale = np.where(high > low, (high - low) / 2, values.std(axis=0))
    return np.asarray((values - middle) / np.where(scale > 0, scale, 1.0))


def nearest_cells(features: NDArray[np.floating], weight: Float) -> Index:
    """Group the events of one label into cells of positive sum.

    Negative events claim their nearest unused positive events, round after round, the closest claim first, until their
    cell's sum is positive. When the positive events run out, a cell still in deficit is merged with its nearest
    neighbour, so the property holds at any negative fraction below one half.

    Args:
        features: (n, F).
        weight: (n,) signed, with a positive sum.

    Returns:
        The cell of each event, (n,) int64; −1 for events of weight zero. A positive event that no negative event
        needs is a cell of its own.

    Raises:
        TrainingError: the weights do not sum to something positive.
    """
    tolerance = _POSITIVE * float(np.abs(weight).mean()) if len(weight) else 0.0
    if weight.sum() <= tolerance:
        raise TrainingError(f"the weights of a label sum to {weight.sum():.6g}: no cell can have a positive sum")
    place = standardised(features)
    cell = np.where(weight != 0, np.arange(len(weight)), -1)
    negatives = np.flatnonzero(weight < 0)
    if len(negatives) == 0:
        return cell
    sums = _claim_positives(place, weight, cell, negatives, tolerance)
    _merge_deficits(place, cell, negatives, sums, tolerance)
    return np.asarray(cell)


def _claim_positives(place: Float, weight: Float, cell: Index, negatives: Index, tolerance: float) -> Float:
    """Let negative events claim positive ones (changes ``cell``); return the sum of each negative event's cell."""
    from scipy.spatial import KDTree

    sums = weight[negatives].copy()
    unused = np.flatnonzero(weight > 0)
    while len(unused) and (sums <= tolerance).any():
        needy = np.flatnonzero(sums <= tolerance)
        k = min(_NEIGHBOURS, len(unused))
        distance, neighbour = KDTree(place[unused]).query(place[negatives[needy]], k=[*range(1, k + 1)], workers=-1)
        free = np.ones(len(unused), dtype=bool)
        for rank in range(k):
            still = sums[needy] <= tolerance
            _grant(distance[:, rank], neighbour[:, rank], still, free, needy, negatives, unused, weight, cell, sums)
        unused = unused[free]
    return sums


def _grant(
    distance: Float,
    neighbour: Index,
    still: NDArray[np.bool_],
    free: NDArray[np.bool_],
    needy: Index,
    negatives: Index,
    unused: Index,
    weight: Float,
    cell: Index,
    sums: Float,
) -> None:
    """Give each claimed positive event to the closest of its claimants."""
    claim = np.flatnonzero(still & free[neighbour])
    claim = claim[np.argsort(distance[claim], kind="stable")]
    granted, first = np.unique(neighbour[claim], return_index=True)
    winner = needy[claim[first]]
    free[granted] = False
    cell[unused[granted]] = negatives[winner]
    sums[winner] += weight[unused[granted]]


def _merge_deficits(place: Float, cell: Index, negatives: Index, sums: Float, tolerance: float) -> None:
    """Merge cells without a positive sum with their nearest neighbours until none is left (changes ``cell``)."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import KDTree

    group: Index = np.arange(len(negatives))  # the group of each negative event's first cell
    centre, total = place[negatives], sums
    while (total <= tolerance).any():
        deficit = np.flatnonzero(total <= tolerance)
        surplus = np.flatnonzero(total > tolerance)
        # Every positive event is in a cell by now and the whole sum is positive, so some cell has a surplus.
        _, nearest = KDTree(centre[surplus]).query(centre[deficit], workers=-1)
        links = coo_array((np.ones(len(deficit)), (deficit, surplus[nearest])), shape=(len(total), len(total)))
        count, merged = connected_components(links, directed=False)
        members = np.bincount(merged, minlength=count)
        total = np.bincount(merged, weights=total, minlength=count).astype(np.float64)
        centre = np.stack([np.bincount(merged, weights=axis, minlength=count) / members for axis in centre.T], axis=1)
        group = merged[group]
    _, first = np.unique(group, return_index=True)
    renamed = np.arange(len(cell))
    renamed[negatives] = negatives[first[np.unique(group, return_inverse=True)[1]]]
    kept = cell >= 0
    cell[kept] = renamed[cell[kept]]

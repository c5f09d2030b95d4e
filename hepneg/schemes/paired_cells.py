"""Cells: each negative event together with its nearest positive events, until their weights sum to more than zero.

The idea is that of cell resampling (Andersen, Maier, arXiv:2109.07851): a small neighbourhood is blind to which of its
events carried the minus sign. Here the weights stay as they are; only the batches respect the cells.
"""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hepneg._core.interruption import stop_if_asked
from hepneg.errors import TrainingError
from hepneg.schemes.paired_line import claim_in_turn, line_through, links_along

if TYPE_CHECKING:
    from scipy.spatial import KDTree

__all__ = ["nearest_cells", "standardised"]

Float = NDArray[np.float64]
Index = NDArray[np.int64]

_NEIGHBOURS = 8
_EFFORT = 64  # points looked at, for each event, until a line takes over
_STALL = 16  # likewise where a round grants less than one in so many of the claims that could be met
_CROWD = 256  # cells without a positive sum that share their nearest one, likewise
_PIECE = 1 << 14  # queries between two looks at a request to stop
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


def nearest_cells(features: NDArray[np.floating], weight: Float, surplus: float = 0.0) -> Index:
    """Group the events of one label into cells of positive sum.

    Negative events claim their nearest unused positive events, round after round, the closest claim first, until their
    cell's sum is positive. When the positive events run out, a cell still in deficit is merged with its nearest
    neighbour, so the property holds at any negative fraction below one half.

    Searches end when they bring little, so that the time stays nearly proportional to n: where many events share their
    features, or negative events lie apart from the positive ones. The rest is matched along a line through the events
    (:mod:`hepneg.schemes.paired_line`), near ones to near ones as well, if not to the very nearest.

    Args:
        features: (n, F).
        weight: (n,) signed, with a positive sum.
        surplus: each negative event's cell sums to more than so many times the mean \\|w\\|, while there are events.

    Returns:
        The cell of each event, (n,) int64; −1 for events of weight zero. A positive event that no negative event
        needs is a cell of its own.

    Raises:
        TrainingError: the weights do not sum to something positive.
        Interrupted: it was asked for (see :func:`hepneg._core.interruption.stoppable`).
    """
    mean = float(np.abs(weight).mean()) if len(weight) else 0.0
    if weight.sum() <= _POSITIVE * mean:
        raise TrainingError(f"the weights of a label sum to {weight.sum():.6g}: no cell can have a positive sum")
    tolerance = min(max(_POSITIVE, surplus) * mean, weight.sum() / 2)
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

    sums, owner = weight[negatives].copy(), np.full(len(weight), -1)
    owner[negatives] = np.arange(len(negatives))
    spot = _spots(place)
    _claim_in_crowds(spot, owner, weight, cell, sums, tolerance)
    unused, effort = _unused(weight, cell), _EFFORT * len(weight)
    while len(unused) and effort > 0 and (sums <= tolerance).any():
        needy = np.flatnonzero(sums <= tolerance)
        near = unused[_first_of_each(spot[unused], _NEIGHBOURS)]  # no query sees more than these
        k = min(_NEIGHBOURS, len(near))
        distance, neighbour = _nearest(KDTree(place[near]), place[negatives[needy]], k)
        free = np.ones(len(near), dtype=bool)
        for rank in range(k):
            still = sums[needy] <= tolerance
            _grant(distance[:, rank], neighbour[:, rank], still, free, needy, negatives, near, weight, cell, sums)
        stalled = _STALL * np.count_nonzero(~free) < min(len(near), len(needy))
        effort = 0 if stalled else effort - len(near) - k * len(needy)
        unused = _unused(weight, cell)
    left = np.concatenate([negatives[sums <= tolerance], unused])
    if len(unused) and len(left) > len(unused):
        rows = left[line_through(place[left])]
        claim_in_turn(rows, repeat(0, len(rows)), owner, weight, cell, sums, tolerance)
    return sums


def _unused(weight: Float, cell: Index) -> Index:
    """Return the positive events that are cells of their own."""
    return np.flatnonzero((weight > 0) & (cell == np.arange(len(cell))))


def _spots(place: Float) -> Index:
    """Number the distinct points among (n, F)."""
    order = np.lexsort(place.T)
    steps = (place[order[1:]] != place[order[:-1]]).any(axis=1)
    spot = np.zeros(len(place), dtype=np.int64)
    spot[order[1:]] = np.cumsum(steps)
    return spot


def _first_of_each(spot: Index, most: int) -> Index:
    """Return where the first few events of each spot are, in increasing order."""
    order = np.argsort(spot, kind="stable")
    rank = np.arange(len(spot)) - np.searchsorted(spot[order], spot[order])
    return np.sort(order[rank < most])


def _claim_in_crowds(spot: Index, owner: Index, weight: Float, cell: Index, sums: Float, tolerance: float) -> None:
    """Match events with the same features where a query could not see all of them (changes ``cell`` and ``sums``)."""
    crowded = np.bincount(spot, weights=weight > 0)[spot] > _NEIGHBOURS
    rows = np.flatnonzero(crowded & (weight != 0))
    rows = rows[np.argsort(spot[rows], kind="stable")]
    claim_in_turn(rows, spot[rows].tolist(), owner, weight, cell, sums, tolerance)


def _nearest(tree: KDTree, place: Float, k: int) -> tuple[Float, Index]:
    """Return distances and numbers of the k nearest points of a tree, (n, k) each, ready to stop between pieces."""
    parts = []
    for start in range(0, len(place), _PIECE):
        stop_if_asked()
        parts.append(tree.query(place[start : start + _PIECE], k=[*range(1, k + 1)], workers=-1))
    distance, number = (np.concatenate(column) for column in zip(*parts, strict=True))
    return distance, number


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
    """Merge cells without a positive sum with their neighbours until none is left (changes ``cell``)."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    group: Index = np.arange(len(negatives))  # the group of each negative event's first cell
    centre, total, effort = place[negatives], sums, _EFFORT * len(negatives)
    while len(total) > 1 and (total <= tolerance).any():
        stop_if_asked()
        pairs = _nearest_surplus(centre, total, tolerance) if effort > 0 else None
        if pairs is None:
            effort = min(effort, 0)
            sparing = effort > -_EFFORT * len(negatives)
            pairs = links_along(line_through(centre), total, tolerance, sparing=sparing)
        effort -= len(total)
        links = coo_array((np.ones(len(pairs[0])), pairs), shape=(len(total), len(total)))
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


def _nearest_surplus(centre: Float, total: Float, tolerance: float) -> tuple[Index, Index] | None:
    """Return each cell without a positive sum and its nearest one with such a sum; None where they crowd."""
    from scipy.spatial import KDTree

    deficit, surplus = np.flatnonzero(total <= tolerance), np.flatnonzero(total > tolerance)
    apart = surplus[_first_of_each(_spots(centre[surplus]), 1)]
    if 2 * len(apart) <= len(surplus):
        return None
    nearest = _nearest(KDTree(centre[apart]), centre[deficit], 1)[1][:, 0]
    return (deficit, apart[nearest]) if np.bincount(nearest).max() <= _CROWD else None

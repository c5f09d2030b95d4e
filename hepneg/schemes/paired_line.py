"""Matching along a line: neighbours in one walk over the events, however they crowd.

Where many negative events have the same nearest positive ones, to match by distance grants a few of them at a time. A
walk along a line that passes through every small volume in one go costs the same for any events: what comes short is
put on a stack, and so is what there is too much of; the last of one kind meets the next of the other. So a volume gives
nothing away, nor asks for anything, before it has used up what it has.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = ["claim_in_turn", "line_through", "links_along"]

Float = NDArray[np.float64]
Index = NDArray[np.int64]


def line_through(place: Float) -> Index:
    """Return an order of points, (n, F), in which every node of a k-d tree is a run without gaps."""
    from scipy.spatial import KDTree

    return np.asarray(KDTree(place).indices, dtype=np.int64)


def claim_in_turn(
    rows: Index, block: Iterable[int], owner: Index, weight: Float, cell: Index, sums: Float, tolerance: float
) -> None:
    """Let negative events claim positive ones of their block (changes ``cell`` and ``sums``).

    Args:
        rows: events in the order of the walk; the events of a block follow each other.
        block: of each of these.
        owner: (n,) for a negative event its number in ``sums``, −1 for a positive one.
        weight: (n,) signed.
        cell: (n,) the cell of each event; a negative event's is its own.
        sums: of the cell of each negative event.
        tolerance: what a sum must exceed.
    """
    wanting: list[int] = []
    free: list[int] = []
    here = None
    for row, where in zip(rows.tolist(), block, strict=True):
        if where != here:
            wanting, free, here = [], [], where
        (free if owner[row] < 0 else wanting).append(row)
        while wanting and free:
            claimant, claimed = wanting[-1], free.pop()
            cell[claimed] = claimant
            sums[owner[claimant]] += weight[claimed]
            if sums[owner[claimant]] > tolerance:
                wanting.pop()


def links_along(order: Index, total: Float, tolerance: float, *, sparing: bool) -> tuple[Index, Index]:
    """Return pairs of groups to merge so that fewer, or none, are left without a positive sum, as two columns.

    Args:
        order: of the groups on the line.
        total: the sum of each group; all together sum to more than ``tolerance``.
        tolerance: what a sum must exceed.
        sparing: leave a group alone once its sum is positive, unless there is plenty left, so that groups stay small;
            if not, none is left without a positive sum.
    """
    sums = total.tolist()
    plenty = max(-2 * float(total.min()), tolerance) if sparing else tolerance
    wanting: list[int] = []
    giving: list[int] = []
    links: list[tuple[int, int]] = []
    for group in order.tolist():
        (giving if sums[group] > tolerance else wanting).append(group)
        while wanting and giving:
            needy, giver = wanting.pop(), giving.pop()
            links.append((giver, needy))
            sums[needy] += sums[giver]
            if sums[needy] <= tolerance:
                wanting.append(needy)
            elif sums[needy] > plenty:
                giving.append(needy)
    if not sparing:  # only all of them together are positive
        links.extend(pairwise(wanting))
    first, second = np.array(links, dtype=np.int64).reshape(-1, 2).T
    return first, second

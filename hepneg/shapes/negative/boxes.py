"""Boxes of feature space in which the mean sign is low: a regression tree of the sign, and the growth of its leaves.

Everything works on codes of quantile bins, so that the best cut of a node is one histogram of each feature.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

__all__ = ["CODES", "Box", "candidate_boxes", "inside", "significance_of"]

CODES = 256
"""Quantile bins of each feature."""

_MOST_LEAVES = 128
_LEAST_EFFECTIVE = 25.0
# A cut must separate the mean signs of both sides by √12 standard deviations, and a slice must be so many below 0.
_LEAST_GAIN = 12.0
_SLICE = -1.0
_WORTH_TESTING = -2.0

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Box:
    """A box of codes: first and last code inside, for each feature."""

    low: tuple[int, ...]
    high: tuple[int, ...]

    def moved(self, feature: int, *, low: int | None = None, high: int | None = None) -> Box:
        """Return the box with another bound."""
        lows, highs = list(self.low), list(self.high)
        lows[feature] = lows[feature] if low is None else low
        highs[feature] = highs[feature] if high is None else high
        return Box(tuple(lows), tuple(highs))


def inside(codes: Codes, box: Box, *, but: int | None = None) -> NDArray[np.bool_]:
    """Mark the events in a box, all bounds or all but those of one feature; codes (F, n) gives (n,)."""
    kept = np.ones(codes.shape[1], np.bool_)
    for feature, column in enumerate(codes):
        low, high = box.low[feature], box.high[feature]
        if feature != but and (low > 0 or high < CODES - 1):
            kept &= (column >= low) & (column <= high)
    return kept


def significance_of(weight: Floats) -> float:
    """Return Σw/√Σw²; 0 without events."""
    square = float(weight @ weight)
    return float(weight.sum()) / math.sqrt(square) if square > 0 else 0.0


def candidate_boxes(codes: Codes, weight: Floats, most: int) -> list[Box]:
    """Find boxes in which Σw is negative, most significant first.

    The leaves of a regression tree (Breiman, Friedman, Olshen, Stone, 1984) that predicts the sign, each grown as long
    as what it takes in is negative too. Events of a box do not count for the ones after it.

    Args:
        codes: (F, n) from 0 to ``CODES`` − 1.
        weight: (n,) signed.
        most: how many boxes.

    Returns:
        Boxes with Σw/√Σw² ≤ −2 in these events, which is biased downwards: test them on others.
    """
    leaves = sorted((significance_of(leaf.weight), i, leaf.box) for i, leaf in enumerate(_leaves(codes, weight)))
    found: list[Box] = []
    for significance, _, leaf in leaves:
        if significance > _WORTH_TESTING or len(found) == most:
            break
        if significance_of(weight[inside(codes, leaf)]) > _WORTH_TESTING:
            continue  # taken by a box before
        box = _grown(codes, weight, leaf)
        found.append(box)
        free = np.flatnonzero(~inside(codes, box))
        codes, weight = np.take(codes, free, axis=1), weight[free]
    return found


@dataclass(frozen=True, eq=False, slots=True)
class _Node:
    codes: Codes
    weight: Floats
    box: Box


def _leaves(codes: Codes, weight: Floats) -> Iterator[_Node]:
    """Grow the tree best cut first, and yield its leaves."""
    features = len(codes)
    nodes = [_Node(codes, weight, Box((0,) * features, (CODES - 1,) * features))]
    heap = _queued(nodes, 0)
    while heap and len(heap) < _MOST_LEAVES and -heap[0][0] >= _LEAST_GAIN:
        _, number, feature, code = heapq.heappop(heap)
        first = len(nodes)
        nodes += _cut(nodes[number], feature, code)
        nodes[number] = replace(nodes[number], codes=codes[:, :0], weight=weight[:0])  # frees what the children hold
        for child in (first, first + 1):
            heapq.heappush(heap, _queued(nodes, child)[0])
    return (nodes[number] for _, number, _, _ in heap)


def _queued(nodes: list[_Node], number: int) -> list[tuple[float, int, int, int]]:
    gain, feature, code = _best_cut(nodes[number])
    return [(-gain, number, feature, code)]


def _cut(node: _Node, feature: int, code: int) -> list[_Node]:
    """Return what lies below a code of a feature, and the rest."""
    below = node.codes[feature] < code
    boxes = (node.box.moved(feature, high=code - 1), node.box.moved(feature, low=code))
    parts = (np.flatnonzero(below), np.flatnonzero(~below))
    return [
        _Node(np.take(node.codes, part, axis=1), node.weight[part], box) for part, box in zip(parts, boxes, strict=True)
    ]


def _best_cut(node: _Node) -> tuple[float, int, int]:
    """Return the gain in variances of the mean sign, the feature and the first code above the cut; gain 0 for none."""
    magnitude = np.abs(node.weight)
    size, total = float(magnitude.sum()), float(node.weight.sum())
    square = float(node.weight @ node.weight)
    if square <= 0:
        return 0.0, 0, 0
    least = _LEAST_EFFECTIVE * square / size  # Σ|w| of so many effective events
    best = (0.0, 0, 0)
    for feature, column in enumerate(node.codes):
        below = np.cumsum(np.bincount(column, magnitude, CODES))[:-1]
        net = np.cumsum(np.bincount(column, node.weight, CODES))[:-1]
        usable = np.flatnonzero((below >= least) & (size - below >= least))
        if len(usable):
            b, s = below[usable], net[usable]
            gain = (s**2 / b + (total - s) ** 2 / (size - b) - total**2 / size) * size / square
            at = int(np.argmax(gain))
            best = max(best, (float(gain[at]), feature, int(usable[at]) + 1))
    return best


def _grown(codes: Codes, weight: Floats, box: Box) -> Box:
    """Move each bound outwards to where the Σw taken in is lowest, as long as that is below −1 standard deviation."""
    moving = True
    while moving:
        moving = False
        for feature in range(len(codes)):
            for side in (-1, 1):
                wider = _widened(codes, weight, box, feature, side)
                moving |= wider is not None
                box = wider or box
    return box


def _widened(codes: Codes, weight: Floats, box: Box, feature: int, side: int) -> Box | None:
    bound = box.low[feature] if side < 0 else box.high[feature]
    if bound == (0 if side < 0 else CODES - 1):
        return None
    members = inside(codes, box, but=feature)
    column, w = codes[feature][members], weight[members]
    outwards = slice(bound - 1, None, -1) if side < 0 else slice(bound + 1, None)
    net = np.cumsum(np.bincount(column, w, CODES)[outwards])
    square = np.cumsum(np.bincount(column, w * w, CODES)[outwards])
    at = int(np.argmin(net))
    if net[at] >= _SLICE * math.sqrt(square[at]):
        return None
    return box.moved(feature, low=bound - 1 - at) if side < 0 else box.moved(feature, high=bound + 1 + at)

"""A shallow tree that describes a selection of events by a few cuts."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["tree_cuts"]

_DEPTH = 4
"""Splits that close a box of two features; with three, a strip open to one side stands for it."""
_MOST = 3
_QUANTILES = np.linspace(0.0, 1.0, 33)[1:-1]
_LEAST_EVENTS = 20

Bounds = dict[int, tuple[float, float]]
Floats = NDArray[np.float64]


def tree_cuts(features: NDArray[np.float32], chosen: NDArray[np.bool_], size: Floats) -> list[Bounds]:
    """Describe the chosen events by cuts.

    Args:
        features: (n, F).
        chosen: (n,) the events to describe.
        size: (n,) what each counts.

    Returns:
        For each leaf of a tree of depth four in which the chosen events are in the majority, at most three, those with
        most of them first: low ≤ x < high by column. Splits are those of least Gini impurity, at quantiles.
    """
    leaves = _leaves(features, chosen, size, np.arange(len(chosen)), {}, _DEPTH)
    described = [(float(size[rows][chosen[rows]].sum()), bounds) for rows, bounds, pure in leaves if pure and bounds]
    return [bounds for _, bounds in sorted(described, key=lambda leaf: -leaf[0])[:_MOST]]


def _leaves(
    features: NDArray[np.float32],
    chosen: NDArray[np.bool_],
    size: Floats,
    rows: NDArray[np.intp],
    bounds: Bounds,
    depth: int,
) -> list[tuple[NDArray[np.intp], Bounds, bool]]:
    """Return the rows and bounds of each leaf, and whether the chosen events are in the majority there."""
    pure = float(size[rows][chosen[rows]].sum()) > 0.5 * float(size[rows].sum())
    split = _best_split(features[rows], chosen[rows], size[rows]) if depth else None
    if split is None:
        return [(rows, bounds, pure)]
    column, threshold = split
    low, high = bounds.get(column, (-math.inf, math.inf))
    below = features[rows, column] < threshold
    parts = ((rows[below], (low, threshold)), (rows[~below], (threshold, high)))
    leaves = [
        leaf
        for part, interval in parts
        for leaf in _leaves(features, chosen, size, part, {**bounds, column: interval}, depth - 1)
    ]
    # Cuts that only tell more from less of a majority describe nothing.
    return [(rows, bounds, True)] if all(leaf[2] for leaf in leaves) else leaves


def _best_split(features: NDArray[np.float32], chosen: NDArray[np.bool_], size: Floats) -> tuple[int, float] | None:
    """Return column and threshold of the least impurity; None where no split makes it less."""
    inside, total = float(size[chosen].sum()), float(size.sum())
    if not 0 < inside < total:
        return None
    best, least = None, _impurity(inside, total) * (1.0 - 1e-9)
    for column, values in enumerate(features.T):
        for threshold in np.unique(np.quantile(values, _QUANTILES).astype(np.float32)).tolist():
            below = values < threshold
            if _LEAST_EVENTS <= np.count_nonzero(below) <= len(below) - _LEAST_EVENTS:
                part, all_below = float(size[below & chosen].sum()), float(size[below].sum())
                impurity = _impurity(part, all_below) + _impurity(inside - part, total - all_below)
                if impurity < least:
                    best, least = (column, threshold), impurity
    return best


def _impurity(inside: float, total: float) -> float:
    """Return the Gini impurity of a node, times what it counts."""
    return inside * (total - inside) / total if total > 0 else 0.0

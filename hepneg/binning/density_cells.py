"""Σw and Σw² of two features in cells, for drawing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hepneg._core.arrays import FloatArray
from hepneg._core.json_values import JsonResult
from hepneg.events import EventTable

__all__ = ["SignedDensity", "signed_density"]

_LEAST_EVENTS = 5


@dataclass(frozen=True, eq=False, slots=True)
class SignedDensity(JsonResult):
    """Sums of weights in cells of two features.

    Attributes:
        names: of the two features.
        x_edges: (B + 1,) of the first.
        y_edges: (C + 1,) of the second.
        net: (B, C) Σw.
        square: (B, C) Σw².
        count: (B, C) events.
    """

    names: tuple[str, str]
    x_edges: FloatArray
    y_edges: FloatArray
    net: FloatArray
    square: FloatArray
    count: NDArray[np.int64]

    def __repr__(self) -> str:
        return f"SignedDensity({self.names[0]} × {self.names[1]}, {self.net.shape[0]} × {self.net.shape[1]} cells)"

    def significance(self) -> FloatArray:
        """Return Σw/√Σw² of each cell, NaN where there are fewer than 5 events."""
        missing = np.full_like(self.net, np.nan)
        return np.divide(self.net, np.sqrt(self.square), out=missing, where=self.count >= _LEAST_EVENTS)


def signed_density(events: EventTable, x: str, y: str, *, bins: int = 40) -> SignedDensity:
    """Sum the weights of one sample in cells of equal width that hold the central 99 % of both features.

    Args:
        events: of one sample.
        x: name of the first feature.
        y: name of the second feature.
        bins: in either direction.

    Raises:
        DataError: there is no such feature.
    """
    columns = [events.feature(name).astype(np.float64) for name in (x, y)]
    edges = [_edges(column, bins) for column in columns]
    inside = np.logical_and(
        *((column >= edge[0]) & (column <= edge[-1]) for column, edge in zip(columns, edges, strict=True))
    )
    place = [np.searchsorted(edge[1:-1], column[inside], "right") for column, edge in zip(columns, edges, strict=True)]
    weight = events.weight[inside]
    cell = place[0] * bins + place[1]
    net, square, count = (
        np.bincount(cell, part, bins * bins).astype(np.float64, copy=False).reshape(bins, bins)
        for part in (weight, weight * weight, np.ones_like(weight))
    )
    return SignedDensity((x, y), edges[0], edges[1], net, square, count.astype(np.int64))


def _edges(column: FloatArray, bins: int) -> FloatArray:
    low, high = np.quantile(column, [0.005, 0.995]) if len(column) else (0.0, 1.0)
    return np.linspace(low, high if high > low else low + 1.0, bins + 1)

"""Fine bins of one variable, of which the bins of templates are runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from hepneg._core.arrays import FloatArray, IndexArray

_RESPONSE_STEPS = 100
_TAIL_STEPS = np.arange(1, 13) / 2.0
"""Beyond the last steps of the response its log-odds take over, by half a unit each."""
_PARTS = 100


@dataclass(frozen=True, eq=False, slots=True)
class FineGrid:
    """Fine bins, half open but for the last, which takes its upper edge too.

    Attributes:
        edges: (F + 1,) increasing.
    """

    edges: FloatArray

    def __len__(self) -> int:
        return len(self.edges) - 1

    @classmethod
    def of_response(cls) -> FineGrid:
        """Cover 0 to 1 in steps of 0.01, finer towards both ends, where strong classifiers have their events."""
        inner = np.arange(1, _RESPONSE_STEPS) / _RESPONSE_STEPS
        odds = inner[0] / (1.0 - inner[0]) * np.exp(-_TAIL_STEPS[::-1])
        low = odds / (1.0 + odds)
        return cls(np.concatenate([[0.0], low, inner, 1.0 - low[::-1], [1.0]]))

    @classmethod
    def between(cls, edges: Sequence[float]) -> FineGrid:
        """Split each of some bins into equal parts, about a hundred in all."""
        parts = -(-_PARTS // (len(edges) - 1))
        fine = [np.linspace(low, high, parts, endpoint=False) for low, high in pairwise(edges)]
        return cls(np.concatenate([*fine, edges[-1:]]))

    def place(self, values: FloatArray) -> IndexArray:
        """Return the fine bin of each value, (n,), −1 below all and F above."""
        found = np.searchsorted(self.edges, values, side="right") - 1
        return np.asarray(np.where(values == self.edges[-1], len(self) - 1, found), np.intp)

    def starts(self, edges: FloatArray) -> IndexArray:
        """Return the first fine bin of each bin between edges of the grid, (C,)."""
        return np.asarray(np.searchsorted(self.edges, edges[:-1]), np.intp)

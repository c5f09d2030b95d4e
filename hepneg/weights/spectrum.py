"""The distribution of |w| by sign, in logarithmic bins that need not know the range beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from hepneg._core.json_values import json_object

__all__ = ["WeightSpectrum", "scale_cells", "spectrum_cells"]

# The sign, the exponent and the first three bits of the mantissa of a float64: eight bins an octave.
_SHIFT = 49
_CELLS = 1 << 14


def spectrum_cells(weight: NDArray[np.float64]) -> NDArray[np.int64]:
    """Count the weights by sign and logarithmic cell of |w|, (2, cells); zeros count as positive."""
    bits = np.abs(weight).view(np.int64) >> _SHIFT
    bits += np.where(weight < 0, _CELLS, 0)
    return np.bincount(bits, minlength=2 * _CELLS).reshape(2, _CELLS)


def scale_cells(cells: NDArray[np.int64], scale: float) -> NDArray[np.int64]:
    """Move counts to the cells of the scaled weights: right to half a cell."""
    if scale == 1.0:
        return cells.copy()
    moved = np.zeros_like(cells)
    filled = np.flatnonzero(cells.sum(axis=0))
    middle = ((2 * filled.astype(np.int64) + 1) << (_SHIFT - 1)).view(np.float64)
    targets = (np.where(filled > 0, middle * scale, 0.0)).view(np.int64) >> _SHIFT
    for row in range(len(cells)):
        np.add.at(moved[row], targets, cells[row, filled])
    return moved


@dataclass(frozen=True, eq=False, slots=True)
class WeightSpectrum:
    """The distribution of |w| of positive and of negative weights.

    Attributes:
        edges: (B + 1,) of |w|, eight bins for each factor of two.
        count: (2, B) positive and negative events.
    """

    edges: NDArray[np.float64]
    count: NDArray[np.int64]

    @classmethod
    def from_cells(cls, cells: NDArray[np.int64]) -> Self:
        """Cut the cells to the range that is filled."""
        filled = np.flatnonzero(cells.sum(axis=0))
        if not len(filled):
            return cls(np.array([0.0, 1.0]), np.zeros((2, 1), np.int64))
        first, stop = int(filled[0]), int(filled[-1]) + 1
        edges = (np.arange(first, stop + 1, dtype=np.int64) << _SHIFT).view(np.float64)
        return cls(edges, cells[:, first:stop])

    def to_dict(self) -> dict[str, Any]:
        """Return edges and counts as plain lists."""
        return json_object({"edges": self.edges, "positive": self.count[0], "negative": self.count[1]})

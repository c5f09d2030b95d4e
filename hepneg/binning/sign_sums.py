"""Sums of one process over fine bins in order, by sign: what edges are chosen on, and what is smoothed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from hepneg._core.arrays import FloatArray

_POSITIVE, _NEGATIVE = 0, 1


@dataclass(frozen=True, eq=False, slots=True)
class SignSums:
    """Sums of one process over F bins in order.

    Attributes:
        magnitude: (2, F) Σ\\|w\\| of the positive and of the negative events.
        square: (2, F) Σw² of them.
    """

    magnitude: FloatArray
    square: FloatArray

    @classmethod
    def of(cls, place: NDArray[np.integer], weight: FloatArray, bins: int) -> Self:
        """Sum events.

        Args:
            place: (n,) bin of each event, from 0; others than 0 to ``bins`` − 1 are left out.
            weight: (n,) signed.
            bins: F.
        """
        inside = (place >= 0) & (place < bins)
        cell = place[inside] + bins * (weight[inside] < 0)
        magnitude, square = (
            np.asarray(np.bincount(cell, part[inside], 2 * bins), np.float64).reshape(2, bins)
            for part in (np.abs(weight), weight**2)
        )
        return cls(magnitude, square)

    def __add__(self, other: Self) -> Self:
        return type(self)(self.magnitude + other.magnitude, self.square + other.square)

    def __len__(self) -> int:
        return int(self.magnitude.shape[1])

    def scaled(self, factor: float) -> Self:
        """Return the sums after every weight is multiplied by a positive factor."""
        return type(self)(self.magnitude * factor, self.square * factor**2)

    @property
    def content(self) -> FloatArray:
        """Σw of each bin, (F,)."""
        return np.asarray(self.magnitude[_POSITIVE] - self.magnitude[_NEGATIVE])

    @property
    def variance(self) -> FloatArray:
        """Σw² of each bin, (F,)."""
        return np.asarray(self.square.sum(axis=0))

    @property
    def total_magnitude(self) -> FloatArray:
        """Σ\\|w\\| of each bin, (F,)."""
        return np.asarray(self.magnitude.sum(axis=0))

    @property
    def negative_fraction(self) -> float:
        """Σ\\|w\\|(w<0) / Σ\\|w\\|; 0 without events."""
        total = float(self.magnitude.sum())
        return float(self.magnitude[_NEGATIVE].sum()) / total if total > 0 else 0.0

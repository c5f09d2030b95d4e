"""Scores in order, ties together: what all sums over pairs of a signal and a background event start from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from hepneg._core.arrays import BoolArray, FloatArray, IndexArray

__all__ = ["RankedScores"]


@dataclass(frozen=True, eq=False, slots=True)
class RankedScores:
    """Scores by their rank.

    Attributes:
        values: (m,) distinct scores, increasing.
        rank: (n,) of each event's score among them, from 0.
        signal: (n,) true for signal.
    """

    values: FloatArray
    rank: IndexArray
    signal: BoolArray

    @classmethod
    def of(cls, score: FloatArray, signal: BoolArray) -> Self:
        """Rank the scores (n,)."""
        return cls(*np.unique(score, return_inverse=True), signal)

    def select(self, mask: BoolArray) -> RankedScores:
        """Return some of the events, ranked among themselves without sorting again; mask is (n,)."""
        rank = self.rank[mask]
        present = np.bincount(rank, minlength=len(self.values)) > 0
        return RankedScores(self.values[present], (np.cumsum(present) - 1)[rank], self.signal[mask])

    def by_label(self, share: FloatArray) -> FloatArray:
        """Sum the shares (n,) of background (row 0) and of signal (row 1) at each distinct score, (2, m)."""
        length = len(self.values)
        sums = np.bincount(self.rank + length * self.signal, share, 2 * length)
        return np.asarray(sums, np.float64).reshape(2, length)

    def placement(self, share: FloatArray) -> FloatArray:
        """Return the share of the other label on the wrong side of a background, the right side of a signal event."""
        background, signal = self.by_label(share)
        background_below = np.cumsum(background) - 0.5 * background
        signal_above = signal.sum() - (np.cumsum(signal) - 0.5 * signal)
        return np.asarray(np.where(self.signal, background_below[self.rank], signal_above[self.rank]))

    def tied(self, share: FloatArray) -> float:
        """Sum the product of the shares over the pairs with equal scores."""
        background, signal = self.by_label(share)
        return float(signal @ background)

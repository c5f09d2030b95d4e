"""The sums behind the weight summary."""

from __future__ import annotations

import math
from typing import Self

import numpy as np
from numpy.typing import NDArray

from hepneg.binning.bin_plan import BinPlan
from hepneg.binning.binned_sums import SignedSums
from hepneg.weights.spectrum import scale_cells, spectrum_cells

__all__ = ["LARGEST", "WeightAccumulator"]

LARGEST = 10


class WeightAccumulator:
    """Sums over weights, filled by chunks and merged from parts with ``+``.

    Args:
        plan: fine bins of the features, for the regions with negative sums; left out, features are not looked at.

    Attributes:
        entries: events before the selection.
        positive, negative, zero: selected events by sign.
        power_sums: (2, 3) Σ|w|, Σw², Σ|w|³ of the positive and of the negative ones.
        range: smallest and largest |w|.
        largest: up to ten signed weights, largest |w| first.
        spectrum: (2, cells) counts of |w| by sign.
        sums: by feature and bin, or None.
    """

    def __init__(self, plan: BinPlan | None = None) -> None:
        self.entries = 0
        self.positive = self.negative = self.zero = 0
        self.power_sums = np.zeros((2, 3))
        self.range = (math.inf, 0.0)
        self.largest = np.empty(0)
        self.spectrum: NDArray[np.int64] = spectrum_cells(np.empty(0))
        self.sums = None if plan is None else SignedSums(plan)

    def fill(
        self, weight: NDArray[np.float64], features: NDArray[np.float32] | None = None, entries: int | None = None
    ) -> None:
        """Add events.

        Args:
            weight: (n,) signed weights of the selected events.
            features: (n, F), needed if there is a plan.
            entries: how many events there were before the selection; left out, n.

        Raises:
            ValueError: there is a plan, but no features.
        """
        self.entries += len(weight) if entries is None else entries
        if not len(weight):
            return
        self._fill_weights(weight)
        if self.sums is not None:
            if features is None:
                raise ValueError("the accumulator has a plan of bins: fill needs the features")
            self.sums.fill(features, weight)

    def _fill_weights(self, weight: NDArray[np.float64]) -> None:
        positive, negative = weight > 0, weight < 0
        self.positive += int(np.count_nonzero(positive))
        self.negative += int(np.count_nonzero(negative))
        self.zero = self.zero + len(weight) - int(np.count_nonzero(positive | negative))
        magnitude = np.abs(weight)
        for row, mask in enumerate((positive, negative)):
            chosen = magnitude[mask]
            square = chosen * chosen
            self.power_sums[row] += chosen.sum(), square.sum(), (square * chosen).sum()
        self.range = (min(self.range[0], float(magnitude.min())), max(self.range[1], float(magnitude.max())))
        self.largest = _largest(np.append(self.largest, _largest(weight)))
        self.spectrum += spectrum_cells(weight)

    def merge(self, other: Self) -> Self:
        """Return the accumulator of both sets of events.

        Raises:
            ValueError: one looks at features and the other does not, or their bins differ.
        """
        if (self.sums is None) != (other.sums is None):
            raise ValueError("only accumulators with the same bins can be merged")
        total = type(self)()
        total.entries = self.entries + other.entries
        total.positive = self.positive + other.positive
        total.negative = self.negative + other.negative
        total.zero = self.zero + other.zero
        total.power_sums = self.power_sums + other.power_sums
        total.range = (min(self.range[0], other.range[0]), max(self.range[1], other.range[1]))
        total.largest = _largest(np.append(self.largest, other.largest))
        total.spectrum = self.spectrum + other.spectrum
        if self.sums is not None and other.sums is not None:
            total.sums = self.sums.merge(other.sums)
        return total

    __add__ = merge

    def scaled(self, scale: float) -> Self:
        """Return the sums after every weight is multiplied by ``scale`` > 0, from raw to physical weights.

        The spectrum moves by whole cells, so it is right to half the width of one (4 %).
        """
        total = type(self)()
        total.entries = self.entries
        total.positive, total.negative, total.zero = self.positive, self.negative, self.zero
        total.power_sums = self.power_sums * scale ** np.arange(1, 4)
        total.range = (self.range[0] * scale, self.range[1] * scale)
        total.largest = self.largest * scale
        total.spectrum = scale_cells(self.spectrum, scale)
        total.sums = None if self.sums is None else self.sums.scaled(scale)
        return total

    @property
    def selected(self) -> int:
        """How many events were filled."""
        return self.positive + self.negative + self.zero


def _largest(weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weights of largest magnitude, largest first; of equal ones the positive come first."""
    if len(weight) > 4 * LARGEST:
        # All ties of the last one are kept here, so that the choice among them is the order's below.
        limit = np.partition(np.abs(weight), -LARGEST)[-LARGEST]
        weight = weight[np.abs(weight) >= limit]
    return weight[np.lexsort((-weight, -np.abs(weight)))][:LARGEST]

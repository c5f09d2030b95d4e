"""The accumulator of :class:`SignedBins` for all features: filled by chunks, merged from parts."""

from __future__ import annotations

from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from hepneg.binning.bin_plan import BinPlan, FeatureBins
from hepneg.binning.signed_bins import SignedBins

__all__ = ["SignedSums"]

# Events handled at a time: their weights, codes and cells stay in the processor's cache for all features.
_BLOCK = 1 << 15
_Number = TypeVar("_Number", bound=np.generic)


class SignedSums:
    """Counts, Σ|w| and Σw² by feature, fine bin and sign.

    Counts are exact whatever the chunking; sums agree to rounding. Memory depends on the plan only.

    Args:
        plan: the fine bins; parts to merge must share it.

    Attributes:
        count, magnitude, square: for each feature (2 B,) sums, bin by bin, positive before negative.
    """

    def __init__(self, plan: BinPlan) -> None:
        self.plan = plan
        self.count = [np.zeros(2 * len(bins), np.int64) for bins in plan.features]
        self.magnitude = [np.zeros(2 * len(bins)) for bins in plan.features]
        self.square = [np.zeros(2 * len(bins)) for bins in plan.features]

    def fill(self, features: NDArray[np.float32], weight: NDArray[np.float64]) -> None:
        """Add events.

        Args:
            features: (n, F) finite numbers, in the order of the plan; columns should be contiguous.
            weight: (n,) signed weights; 0 counts as positive.

        Raises:
            ValueError: the shapes do not fit the plan.
        """
        if features.shape != (len(weight), len(self.plan.features)):
            raise ValueError(
                f"features of shape {features.shape} for {len(weight)} weights, {len(self.plan.features)} planned"
            )
        for start in range(0, len(weight), _BLOCK):
            stop = start + _BLOCK
            self._fill_block(features[start:stop], weight[start:stop])

    def _fill_block(self, features: NDArray[np.float32], weight: NDArray[np.float64]) -> None:
        magnitude = np.abs(weight)
        square = magnitude * magnitude
        negative = (weight < 0).astype(np.intp)
        # Generators with one |w| need no weighted sums: the counts hold them.
        common = float(magnitude[0]) if magnitude.min() == magnitude.max() else None
        for i, bins in enumerate(self.plan.features):
            code = _signed_codes(bins, features[:, i], negative)
            length = 2 * len(bins)
            count = np.bincount(code, minlength=length)
            self.count[i] += count
            if common is None:
                self.magnitude[i] += np.bincount(code, magnitude, length)
                self.square[i] += np.bincount(code, square, length)
            else:
                self.magnitude[i] += count * common
                self.square[i] += count * (common * common)

    def merge(self, other: Self) -> Self:
        """Return the sums of both sets of events.

        Raises:
            ValueError: the two were filled with different bins.
        """
        if not self.plan.same_as(other.plan):
            raise ValueError("only sums with the same bins can be merged")
        total = type(self)(self.plan)
        for target, mine, others in (
            (total.count, self.count, other.count),
            (total.magnitude, self.magnitude, other.magnitude),
            (total.square, self.square, other.square),
        ):
            for i in range(len(target)):
                target[i][...] = mine[i] + others[i]
        return total

    __add__ = merge

    def scaled(self, scale: float) -> Self:
        """Return the sums after every weight is multiplied by ``scale`` > 0."""
        total = type(self)(self.plan)
        total.count = [count.copy() for count in self.count]
        total.magnitude = [magnitude * scale for magnitude in self.magnitude]
        total.square = [square * (scale * scale) for square in self.square]
        return total

    def result(self) -> tuple[SignedBins, ...]:
        """Return the bins of every feature, in the order of the plan."""
        return tuple(
            SignedBins(bins.name, bins.edges, bins.view, _by_sign(count), _by_sign(magnitude), _by_sign(square))
            for bins, count, magnitude, square in zip(
                self.plan.features, self.count, self.magnitude, self.square, strict=True
            )
        )


def _signed_codes(bins: FeatureBins, column: NDArray[np.float32], negative: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return 2 · bin + (w < 0) for each event."""
    code = bins.codes(column).astype(np.intp)
    code <<= 1
    code += negative
    return code


def _by_sign(flat: NDArray[_Number]) -> NDArray[_Number]:
    return np.ascontiguousarray(flat.reshape(-1, 2).T)

"""Sums of systematic weight variations by feature and bin: filled by chunks, merged from parts."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from hepneg._core.arrays import FloatArray
from hepneg.binning.bin_plan import BinPlan
from hepneg.binning.rebin import equal_starts
from hepneg.errors import HepnegWarning
from hepneg.shapes.systematics import (
    SystematicComparison,
    WeightMoments,
    systematic_comparison,
    weight_columns,
    weight_moments,
)

__all__ = ["SYSTEMATIC_BINS", "SystematicBins", "SystematicSums", "plan_systematic_bins"]

SYSTEMATIC_BINS = 10


@dataclass(frozen=True, eq=False, slots=True)
class SystematicBins:
    """A few bins for each feature, each a run of fine ones.

    Attributes:
        plan: the fine bins.
        coarse: for each feature the bin that each fine one belongs to.
    """

    plan: BinPlan
    coarse: tuple[NDArray[np.int16], ...]

    def __repr__(self) -> str:
        sizes = (f"{name}: {self.length(i)}" for i, name in enumerate(self.plan.names))
        return f"SystematicBins({', '.join(sizes)})"

    def length(self, number: int) -> int:
        """Return how many bins the feature of that number has."""
        return int(self.coarse[number][-1]) + 1

    def codes(self, number: int, column: NDArray[np.float32]) -> NDArray[np.int16]:
        """Return the bin of each value of the feature of that number, (n,)."""
        return self.coarse[number][self.plan.features[number].codes(column)]

    def same_as(self, other: SystematicBins) -> bool:
        """Whether both put every value into the same bin."""
        return self.plan.same_as(other.plan) and all(map(np.array_equal, self.coarse, other.coarse))


def plan_systematic_bins(plan: BinPlan, features: NDArray[np.float32], bins: int = SYSTEMATIC_BINS) -> SystematicBins:
    """Join fine bins into some of about equal population.

    Args:
        plan: the fine bins.
        features: (m, F) of a subsample of the sample, in the order of the plan; at least one event.
        bins: about how many; a value that fills more than its share has a bin of its own.
    """
    coarse = []
    for fine, column in zip(plan.features, features.T, strict=True):
        starts = equal_starts(np.bincount(fine.codes(column), minlength=len(fine)).astype(np.float64), bins)
        coarse.append((np.searchsorted(starts, np.arange(len(fine)), side="right") - 1).astype(np.int16))
    return SystematicBins(plan, tuple(coarse))


class SystematicSums:
    """Sums of nominal, absolute and varied weights, and of their products, by feature and bin.

    Memory depends on bins and variations only: with V variations (V + 2)² numbers a bin.

    Args:
        bins: parts to merge must share them.
        variations: V names.
    """

    def __init__(self, bins: SystematicBins, variations: Sequence[str]) -> None:
        self.bins = bins
        self.variations = tuple(variations)
        weights = 2 + len(self.variations)
        sizes = [bins.length(number) for number in range(len(bins.coarse))]
        self.moments = [WeightMoments(np.zeros((n, weights)), np.zeros((n, weights, weights))) for n in sizes]

    def fill(self, features: NDArray[np.float32], weight: FloatArray, variations: FloatArray) -> None:
        """Add events.

        Args:
            features: (n, F) finite numbers, in the order of the plan.
            weight: (n,) nominal signed weights.
            variations: (n, V) signed weights.

        Raises:
            ValueError: the shapes do not fit.
        """
        expected = (len(weight), len(self.moments)), (len(weight), len(self.variations))
        if (features.shape, variations.shape) != expected:
            raise ValueError(
                f"features and variations have shapes {features.shape}, {variations.shape}, not {expected}"
            )
        columns = weight_columns(weight, dict(zip(self.variations, variations.T, strict=True)))
        for number, before in enumerate(self.moments):
            place = self.bins.codes(number, features[:, number])
            self.moments[number] = before + weight_moments(place, columns, self.bins.length(number))

    def merge(self, other: Self) -> Self:
        """Return the sums of both sets of events.

        Raises:
            ValueError: the two were filled with other bins or variations.
        """
        if self.variations != other.variations or not self.bins.same_as(other.bins):
            raise ValueError("only sums with the same bins and variations can be merged")
        total = type(self)(self.bins, self.variations)
        total.moments = [mine + others for mine, others in zip(self.moments, other.moments, strict=True)]
        return total

    __add__ = merge

    def result(self, sample: str) -> dict[str, SystematicComparison]:
        """Compare each feature with its systematic variations; empty where there is no shape to compare.

        Args:
            sample: its name, for warnings.

        Warns:
            HepnegWarning: the nominal weights, or those of a variation, do not sum to a positive number: such a
                variation is left out.
        """
        totals = self.moments[0].content.sum(axis=0)
        if totals[0] <= 0:
            _warn(
                f"sample {sample!r}: the weights sum to {totals[0]:.6g}, so there is no shape to "
                "vary: systematic variations are left out"
            )
            return {}
        for name, total in zip(self.variations, totals[2:], strict=True):
            if total <= 0:
                _warn(
                    f"sample {sample!r}: the weights of the systematic variation {name!r} sum to {total:.6g}, so they "
                    "have no shape: it is left out here; check its expression under `systematics:`"
                )
        kept = [0, 1, *(2 + number for number, total in enumerate(totals[2:]) if total > 0)]
        names = [self.variations[number - 2] for number in kept[2:]]
        if not names:
            return {}
        return {
            feature: systematic_comparison(_only(moments, kept), names, feature)
            for feature, moments in zip(self.bins.plan.names, self.moments, strict=True)
        }


def _only(moments: WeightMoments, kept: Sequence[int]) -> WeightMoments:
    return WeightMoments(moments.content[:, kept], moments.cross[:, kept][:, :, kept])


def _warn(message: str) -> None:
    warnings.warn(message, HepnegWarning, stacklevel=3)

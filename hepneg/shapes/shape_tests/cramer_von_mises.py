"""Cramér and von Mises' distance: Σ D² h, with D and h as in :mod:`hepneg.shapes.shape_tests.anderson_darling`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hepneg.shapes.shape_tests.differences import CommonBins, Differences, weighted_sum
from hepneg.shapes.shape_tests.quadratic_form import cumulative_tails

__all__ = ["CramerVonMises"]


@dataclass(frozen=True)
class CramerVonMises:
    """The quadratic distance of the cumulative shapes; shown, without a share of the level."""

    name: ClassVar[str] = "cramer_von_mises"
    share: ClassVar[float] = 0.0

    def statistic(self, differences: Differences) -> NDArray[np.float64]:
        """Return the distances, (P,)."""
        return weighted_sum(differences.cumulative**2, differences.bins.content[..., :-1])

    def tail(self, values: NDArray[np.float64], bins: CommonBins, variance: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability of a larger Σ λ z²."""
        return cumulative_tails(values, bins.total, variance, bins.content[:-1])

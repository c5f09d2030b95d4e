"""Kolmogorov and Smirnov's distance: the largest |D|, D as in :mod:`~hepneg.shapes.shape_tests.anderson_darling`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hepneg.shapes.shape_tests.differences import CommonBins, Differences

__all__ = ["KolmogorovSmirnov"]


@dataclass(frozen=True)
class KolmogorovSmirnov:
    """The largest distance of the cumulative shapes; shown, without a share of the level."""

    name: ClassVar[str] = "kolmogorov_smirnov"
    share: ClassVar[float] = 0.0

    def statistic(self, differences: Differences) -> NDArray[np.float64]:
        """Return the distances, (P,)."""
        return np.asarray(np.abs(differences.cumulative).max(axis=1))

    def tail(self, _values: NDArray[np.float64], _bins: CommonBins, _variance: NDArray[np.float64]) -> None:
        """Its asymptotic distribution with weights and ties is drawn."""

"""Neyman's smooth test: the four lowest moments of the normal scores together.

Location, width, asymmetry and tails (Neyman, Skand. Aktuarietidskr. 20 (1937) 149), for two weighted samples. It is
strong for tails, which distances of the cumulative shapes hardly see.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hepneg.shapes.tests.differences import CommonBins, Differences
from hepneg.shapes.tests.normal_moments import chi2_tail

__all__ = ["Smooth"]


@dataclass(frozen=True)
class Smooth:
    """The sum of the squares of the first four moments; fewer for a feature with fewer than five values."""

    name: ClassVar[str] = "smooth"
    share: ClassVar[float] = 0.2

    def statistic(self, differences: Differences) -> NDArray[np.float64]:
        """Return the sums of squares, (P,)."""
        return np.asarray((differences.moments**2).sum(axis=0))

    def tail(
        self, values: NDArray[np.float64], bins: CommonBins, _variance: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the tail of χ² with a degree of freedom for each moment."""
        return chi2_tail(values, len(bins.moments))

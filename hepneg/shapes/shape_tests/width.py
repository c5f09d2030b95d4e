"""The second moment of the normal scores: do the two signs have the same width?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hepneg.shapes.shape_tests.differences import CommonBins, Differences
from hepneg.shapes.shape_tests.normal_moments import chi2_tail, squared_moment

__all__ = ["Width"]


@dataclass(frozen=True)
class Width:
    """The difference of the spreads of the normal scores; strong for widths."""

    name: ClassVar[str] = "width"
    share: ClassVar[float] = 0.2

    def statistic(self, differences: Differences) -> NDArray[np.float64]:
        """Return the squared standardised differences, (P,); NaN for a feature with two values."""
        return squared_moment(differences.moments, 1)

    def tail(
        self, values: NDArray[np.float64], bins: CommonBins, _variance: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the tail of χ² with one degree of freedom."""
        return chi2_tail(values, int(len(bins.moments) > 1))

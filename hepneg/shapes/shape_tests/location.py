"""The first moment of the normal scores: do the two signs have the same location?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hepneg.shapes.shape_tests.differences import CommonBins, Differences
from hepneg.shapes.shape_tests.normal_moments import chi2_tail, squared_moment

__all__ = ["Location"]


@dataclass(frozen=True)
class Location:
    """The difference of the means of the normal scores; shown, without a share of the level."""

    name: ClassVar[str] = "location"
    share: ClassVar[float] = 0.0

    def statistic(self, differences: Differences) -> NDArray[np.float64]:
        """Return the squared standardised differences, (P,)."""
        return squared_moment(differences.moments, 0)

    def tail(
        self, values: NDArray[np.float64], bins: CommonBins, _variance: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the tail of χ² with one degree of freedom."""
        return chi2_tail(values, min(len(bins.moments), 1))

"""The χ² of the difference of two normalised, weighted histograms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hepneg.shapes.shape_tests.differences import CommonBins, Differences, weighted_sum
from hepneg.shapes.shape_tests.normal_moments import chi2_tail

__all__ = ["Chi2", "chi2_statistic"]


@dataclass(frozen=True)
class Chi2:
    """The distance of the shapes in coarse bins; strong for narrow structures that no other test sees."""

    name: ClassVar[str] = "chi2"
    share: ClassVar[float] = 0.1

    def statistic(self, differences: Differences) -> NDArray[np.float64]:
        """Return the χ², (P,); NaN with a single coarse bin."""
        bins = differences.bins
        if len(bins.first) < 2:
            return np.full(len(differences.gap), np.nan)
        # Coarse before normalised: the results stay the same to the last digit whatever the fine bins are.
        content, course = (_shares(sums, bins) for sums in (bins.total, bins.square))
        return chi2_statistic(np.add.reduceat(differences.gap, bins.first, axis=1), course, content)

    def tail(
        self, values: NDArray[np.float64], bins: CommonBins, _variance: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the tail of χ² with one degree of freedom less than there are bins."""
        return chi2_tail(values, len(bins.first) - 1)


def _shares(sums: NDArray[np.float64], bins: CommonBins) -> NDArray[np.float64]:
    return np.asarray(np.add.reduceat(sums, bins.first, axis=-1) / sums.sum(axis=-1, keepdims=True))


def chi2_statistic(
    gap: NDArray[np.float64], variance: NDArray[np.float64], content: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the distance of differences from zero in units of their covariance, (P,).

    Args:
        gap: differences of two normalised contents, (P, B).
        variance: of the gap in each bin but for the normalisations, (B,) or (P, B).
        content: expected share of each bin, (B,) or (P, B).

    The gap is ε − content · Σε with independent ε, so its covariance is singular: the unseen Σε is minimised over.
    """
    inverse = 1.0 / variance
    along = weighted_sum(gap, content * inverse)
    return np.asarray(weighted_sum(gap**2, inverse) - along**2 / np.sum(content**2 * inverse, axis=-1))

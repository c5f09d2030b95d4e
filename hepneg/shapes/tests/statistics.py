"""Every test statistic of one feature, as functions of the difference between the shapes of the two signs.

Permutations of the signs, the normal law for many events and the events themselves all go through here, so one set of
differences gives the joint law of all tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from hepneg.binning.rebin import comparison_starts, statistic_starts
from hepneg.binning.signed_bins import NEGATIVE, SignedBins
from hepneg.shapes.tests.chi2 import chi2_statistic
from hepneg.shapes.tests.distance import DISTANCES, distances
from hepneg.shapes.tests.smooth import SmoothScores

__all__ = ["TESTS", "ShapeStatistics", "observed_gap", "standardised_gap"]

TESTS = (*DISTANCES, "location", "width", "smooth", "chi2")

Floats = NDArray[np.float64]


def standardised_gap(total: Floats, one: Floats, square_total: float, square_one: Floats) -> Floats:
    """Return the difference of the two normalised shapes in units of its scale under no difference.

    Args:
        total: Σ|w| of both signs in each bin, (B,).
        one: Σ|w| of one sign in each bin, (P, B).
        square_total: Σw² of all events.
        square_one: Σw² of that sign, (P,).

    Returns:
        (one − other)/√(1/n_eff(one) + 1/n_eff(other)), each normalised to 1, (P, B).

    So studentised, a permutation test holds for large samples also where |w| itself depends on the sign (Janssen, Stat.
    Probab. Lett. 36 (1997) 9).
    """
    of_one = one.sum(axis=1)
    of_other = total.sum() - of_one
    scale = np.sqrt(square_one / of_one**2 + (square_total - square_one) / of_other**2)
    gap = one * ((1.0 / of_one + 1.0 / of_other) / scale)[:, None]
    gap -= total * (1.0 / (of_other * scale))[:, None]
    return np.asarray(gap)


def observed_gap(bins: SignedBins) -> Floats:
    """Return the standardised difference, negative less positive, of events in bins, (1, B)."""
    square = bins.square.sum(axis=1)
    return standardised_gap(bins.total, bins.magnitude[NEGATIVE:], float(square.sum()), square[NEGATIVE:])


@dataclass(frozen=True, eq=False, slots=True)
class ShapeStatistics:
    """What the statistics of one feature take from both signs together.

    Attributes:
        starts: the first fine bin of each bin of the statistics, (B,).
        total: Σ|w| in each of them; none is empty.
        first: the first of them in each bin of the χ², (C,).
        content: share of Σ|w| in each bin of the χ².
        course: share of Σw² in the same.
        scores: of the smooth test.
    """

    starts: NDArray[np.intp]
    total: Floats
    first: NDArray[np.intp]
    content: Floats
    course: Floats
    scores: SmoothScores

    @classmethod
    def of(cls, bins: SignedBins) -> Self:
        """Choose the bins, blind to where each sign sits, from fine bins with events of both signs."""
        comparison = comparison_starts(bins)
        starts = statistic_starts(bins.total, comparison)
        total, square = (np.add.reduceat(part, starts) for part in (bins.total, bins.square.sum(axis=0)))
        first = np.searchsorted(starts, comparison)
        content, course = (np.add.reduceat(part, first) / part.sum() for part in (total, square))
        return cls(starts, total, first, content, course, SmoothScores.of(total, square))

    @property
    def degrees(self) -> dict[str, int]:
        """Degrees of freedom of the tests that follow a χ² law for many events; 0 where one cannot be made."""
        moments = len(self.scores.of_bin)
        return {
            "location": min(moments, 1),
            "width": int(moments > 1),
            "smooth": moments,
            "chi2": len(self.first) - 1,
        }

    def values(self, gap: Floats) -> Floats:
        """Return all statistics of each standardised difference (P, B), (7, P) in the order of ``TESTS``.

        NaN where one cannot be made: all in a single bin, the width of a feature with two values, a χ² of one bin.
        """
        found = np.full((len(TESTS), len(gap)), np.nan)
        if len(self.total) < 2:
            return found
        found[:3] = distances(gap, self.total)
        components = self.scores.components(gap) ** 2
        found[3:5][: len(components)] = components[:2]
        found[5] = components.sum(axis=0)
        if len(self.first) > 1:
            found[6] = chi2_statistic(np.add.reduceat(gap, self.first, axis=1), self.course, self.content)
        return found

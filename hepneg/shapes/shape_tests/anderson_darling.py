"""Anderson and Darling's distance: Σ D² h / (H (1 − H)).

D is the cumulative difference of the normalised Σ|w| of the two signs up to the end of a bin, h the share of both signs
together in the bin, and H its sum up to there. It is strong for shifts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hepneg.shapes.shape_tests.differences import CommonBins, Differences, weighted_sum
from hepneg.shapes.shape_tests.quadratic_form import cumulative_tails

__all__ = ["AndersonDarling"]


@dataclass(frozen=True)
class AndersonDarling:
    """The distance of the cumulative shapes in units of its variance (J. Amer. Statist. Assoc. 49 (1954) 765)."""

    name: ClassVar[str] = "anderson_darling"
    share: ClassVar[float] = 0.5

    def statistic(self, differences: Differences) -> NDArray[np.float64]:
        """Return the distances, (P,)."""
        return weighted_sum(differences.cumulative**2, _weights(differences.bins))

    def tail(self, values: NDArray[np.float64], bins: CommonBins, variance: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability of a larger Σ λ z²."""
        return cumulative_tails(values, bins.total, variance, _weights(bins))


def _weights(bins: CommonBins) -> NDArray[np.float64]:
    cumulative = np.cumsum(bins.content, axis=-1)[..., :-1]
    return np.asarray(bins.content[..., :-1] / (cumulative * (1.0 - cumulative)))

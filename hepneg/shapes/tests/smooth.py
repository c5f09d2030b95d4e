"""A smooth test of the signs: do location, width, asymmetry and tails of a feature agree?

The distances of the cumulative shapes are strongest for shifts. These tests look at the four lowest moments of the
normal scores: the first alone (location), the second alone (width), and all four.

Neyman's smooth test (Skand. Aktuarietidskr. 20 (1937) 149) for two weighted samples: each bin's score is the normal
quantile of its middle rank in Σ|w| of both signs (clipped at ±3.5), the components are the orthonormal polynomials
of it, and their covariance is the one expected if the sign is independent of x, with Σw²/Σ|w| of each bin as measured
over both signs. For many events the squares of the components follow χ² laws of one degree of freedom: from some 300
effective events of the rarer sign on (at 30 all four together reject 7 % at a nominal 5 %). A feature with fewer than
five values has fewer components.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["SmoothScores"]

_COMPONENTS = 4
_FARTHEST = 3.5


@dataclass(frozen=True, eq=False, slots=True)
class SmoothScores:
    """The moments of a feature that are compared, made independent of each other under no difference.

    Attributes:
        of_bin: orthonormal polynomials of the normal scores of each bin, (k, B), k ≤ 4; no row with a single bin.
        root: lower Cholesky factor of their covariance for one event, (k, k).
    """

    of_bin: NDArray[np.float64]
    root: NDArray[np.float64]

    @classmethod
    def of(cls, total: NDArray[np.float64], square: NDArray[np.float64]) -> Self:
        """Take the scores from Σ|w| and Σw² of both signs in each bin, (B,), none empty."""
        scores = _components(total)
        # The scores' means are taken off with Σ|w|, but the events fluctuate with w².
        covariance = (scores * (square / square.sum())) @ scores.T
        return cls(scores, np.linalg.cholesky(covariance))

    def components(self, gap: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the standardised components of differences, (k, P); each is that part which those before it leave.

        Args:
            gap: standardised differences of the two shapes, (P, B).
        """
        return np.asarray(np.linalg.solve(self.root, self.of_bin @ gap.T))


def _components(total: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return orthonormal polynomials of the normal scores, (k, B), k ≤ 4 and less than the number of bins."""
    from scipy.special import ndtri

    share = total / total.sum()
    z = np.clip(ndtri(np.cumsum(share) - 0.5 * share), -_FARTHEST, _FARTHEST)
    found = [np.ones_like(z)]
    for _ in range(min(_COMPONENTS, len(np.unique(z)) - 1)):
        raw = found[-1] * z
        for _ in range(2):  # once more against rounding
            raw = raw - sum((float(np.sum(share * raw * one)) * one for one in found), np.zeros_like(z))
        found.append(raw / math.sqrt(float(np.sum(share * raw**2))))
    return np.array(found[1:]).reshape(len(found) - 1, len(z))

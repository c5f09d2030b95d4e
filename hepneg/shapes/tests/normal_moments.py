"""The moments of a feature's normal scores, and how they fluctuate if the signs do not depend on the feature.

Each bin's score is the normal quantile of its middle rank in Σ|w| of both signs (clipped at ±3.5); the components are
the orthonormal polynomials of it. Their covariance is the one expected if the sign is independent of x, with Σw²/Σ|w|
of each bin as measured over both signs. For many events their squares follow χ² distributions of one degree of freedom:
from some 300 effective events of the rarer sign on (at 30 all four together reject 7 % at a nominal 5 %).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["NormalMoments", "chi2_tail", "squared_moment"]

_COMPONENTS = 4
_FARTHEST = 3.5

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class NormalMoments:
    """The moments of a feature that are compared, made independent of each other under no difference.

    Attributes:
        of_bin: orthonormal polynomials of the normal scores of each bin, (k, B), k ≤ 4; no row with a single bin.
        root: lower Cholesky factor of their covariance for one event, (k, k).

    Where the sums in the bins differ between permutations, both have P as first axis.
    """

    of_bin: Floats
    root: Floats

    @classmethod
    def of(cls, total: Floats, square: Floats) -> Self:
        """Take the scores from Σ|w| and Σw² of both signs in each bin, (B,) or (P, B), none empty."""
        scores = _components(total)
        # The scores' means are taken off with Σ|w|, but the events fluctuate with w².
        course = (square / square.sum(axis=-1, keepdims=True))[..., None, :]
        covariance = (scores * course) @ np.swapaxes(scores, -1, -2)
        missing = np.all(
            scores == 0.0, axis=-1, keepdims=True
        )  # a permutation with fewer distinct scores has fewer moments
        covariance = covariance + missing * np.eye(scores.shape[-2])
        return cls(scores, np.linalg.cholesky(covariance))

    def __len__(self) -> int:
        return int(self.of_bin.shape[-2])

    def components(self, gap: Floats) -> Floats:
        """Return the standardised components of differences, (k, P); each is that part which those before it leave.

        Args:
            gap: standardised differences of the two shapes, (P, B).
        """
        if self.of_bin.ndim == 2:
            return np.asarray(np.linalg.solve(self.root, self.of_bin @ gap.T))
        return np.asarray(np.linalg.solve(self.root, self.of_bin @ gap[..., None])[..., 0].T)


def squared_moment(moments: Floats, number: int) -> Floats:
    """Return the square of one of the moments (k, P), (P,); NaN where there are too few."""
    return np.asarray(moments[number] ** 2 if number < len(moments) else np.full(moments.shape[1], np.nan))


def chi2_tail(values: Floats, degrees: int) -> Floats:
    """Return the tail probabilities of χ²; NaN without a degree of freedom."""
    from scipy.special import chdtrc

    return np.asarray(chdtrc(degrees, values) if degrees > 0 else np.full_like(values, np.nan))


def _components(total: Floats) -> Floats:
    """Return orthonormal polynomials of the normal scores, (…, k, B), k ≤ 4 and below the number of distinct scores."""
    from scipy.special import ndtri

    share = total / total.sum(axis=-1, keepdims=True)
    z = np.clip(ndtri(np.cumsum(share, axis=-1) - 0.5 * share), -_FARTHEST, _FARTHEST)
    distinct = 1 + np.count_nonzero(np.diff(z, axis=-1) > 0, axis=-1, keepdims=True)
    polynomials = [np.ones_like(z)]
    for degree in range(1, 1 + min(_COMPONENTS, int(distinct.max()) - 1)):
        raw = polynomials[-1] * z
        for _ in range(2 if z.ndim == 1 else 1):  # once more against rounding; permutations are many
            raw = raw - sum((_mean(share * raw, lower) * lower for lower in polynomials), np.zeros_like(z))
        norm = np.sqrt(_mean(share, raw**2))
        polynomials.append(np.divide(raw, norm, out=np.zeros_like(z), where=distinct > degree))
    return np.stack(polynomials, axis=-2)[..., 1:, :].copy()


def _mean(share: Floats, values: Floats) -> Floats:
    return np.asarray(np.sum(share * values, axis=-1, keepdims=True))

"""Distances between the cumulative shapes of positive and negative events, and their law for many events.

With a and b the normalised Σ|w| of the two signs in bins ordered by x, h that of both together, D = Σ(a − b) and
H = Σh up to the end of a bin:

- Kolmogorov–Smirnov: max |D|;
- Cramér–von Mises: Σ D² h;
- Anderson–Darling: Σ D² h / (H (1 − H)).

Each is divided by its scale under no difference, 1/n_eff(+) + 1/n_eff(−) (its root for KS), so that a permutation test
holds for large samples also where |w| itself depends on the sign (Janssen, Stat. Probab. Lett. 36 (1997) 9).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hepneg.shapes.bins import SignedBins
from hepneg.shapes.quadratic import quadratic_tail

__all__ = ["DISTANCES", "TEST_BINS", "asymptotic_p_values", "distances"]

DISTANCES = ("anderson_darling", "cramer_von_mises", "kolmogorov_smirnov")
# More bins than any smooth difference needs: on 256 of equal content the three lose nothing measurable.
TEST_BINS = 256
_DRAWS = 1999


@dataclass(frozen=True, slots=True)
class _Pooled:
    """Both signs together: content of the bins, cumulative content and the two quadratic weights, without the last."""

    content: NDArray[np.float64]
    cumulative: NDArray[np.float64]
    cramer: NDArray[np.float64]
    anderson: NDArray[np.float64]


def _pooled(total: NDArray[np.float64]) -> _Pooled:
    content = total / total.sum()
    cumulative = np.cumsum(content)[:-1]
    cramer = content[:-1]
    return _Pooled(content, cumulative, cramer, cramer / (cumulative * (1.0 - cumulative)))


def distances(
    total: NDArray[np.float64], one: NDArray[np.float64], square_total: float, square_one: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the three distances for one or many assignments of the signs.

    Args:
        total: Σ|w| in each bin, (B,), none empty, B ≥ 2.
        one: Σ|w| of one sign in each bin, (P, B).
        square_total: Σw² of all events.
        square_one: Σw² of that sign, (P,).

    Returns:
        Shape (3, P), in the order of ``DISTANCES``.
    """
    pooled = _pooled(total)
    all_events, of_one = total.sum(), one.sum(axis=1)
    of_other = all_events - of_one
    gap = np.cumsum(one, axis=1)[:, :-1] / of_one[:, None] - pooled.cumulative
    gap *= (all_events / of_other)[:, None]
    scale = square_one / of_one**2 + (square_total - square_one) / of_other**2
    greatest = np.abs(gap).max(axis=1) / np.sqrt(scale)
    np.square(gap, out=gap)
    return np.stack([gap @ pooled.anderson / scale, gap @ pooled.cramer / scale, greatest])


def asymptotic_p_values(bins: SignedBins, rng: np.random.Generator) -> dict[str, float]:
    """Return p-values from the normal law of the binned sums, with √Σw² of each bin and sign as measured.

    Args:
        bins: one feature, at least two bins, none empty.
        rng: draws the law of the Kolmogorov–Smirnov distance (its p-value is at least 1/2000).

    Valid when each sign has some 500 effective events, whatever the spread of |w| in either sign. The two quadratic
    distances follow Σ λ z² with the eigenvalues λ of their covariance; their tails are good at any depth.
    """
    magnitude, square = bins.magnitude.sum(axis=1), bins.square.sum(axis=1)
    scale = float(np.sum(square / magnitude**2))
    observed = distances(bins.total, bins.magnitude[1:], square.sum(), square[1:])[:, 0]
    variance = np.sum(bins.square / magnitude[:, None] ** 2, axis=0) / scale
    pooled = _pooled(bins.total)
    # Normal fluctuations ε of the bins move D by Σε up to the bin, less H times their whole sum.
    spread = (np.tri(len(bins) - 1, len(bins)) - pooled.cumulative[:, None]) * np.sqrt(variance)
    quadratic = [
        quadratic_tail(float(value), _eigenvalues(spread * np.sqrt(weight)[:, None]))
        for value, weight in zip(observed[:2], (pooled.anderson, pooled.cramer), strict=True)
    ]
    draws = np.abs(rng.standard_normal((_DRAWS, len(bins))) @ spread.T).max(axis=1)
    kolmogorov = (1 + np.count_nonzero(draws >= observed[2])) / (_DRAWS + 1)
    return dict(zip(DISTANCES, (*quadratic, float(kolmogorov)), strict=True))


def _eigenvalues(root: NDArray[np.float64]) -> NDArray[np.float64]:
    values = np.linalg.eigvalsh(root @ root.T)
    return np.asarray(values[values > 1e-9 * values[-1]])

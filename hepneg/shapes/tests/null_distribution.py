"""The law of all test statistics of a feature for many events: normal fluctuations of the binned sums."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hepneg.binning.signed_bins import SignedBins
from hepneg.shapes.tests.distance import quadratic_weights
from hepneg.shapes.tests.minimum_p import calibrated, smallest
from hepneg.shapes.tests.quadratic_form import quadratic_tails
from hepneg.shapes.tests.statistics import TESTS, ShapeStatistics, observed_gap

__all__ = ["asymptotic_p_values"]

_DRAWS = 1999

Floats = NDArray[np.float64]


def asymptotic_p_values(bins: SignedBins, rng: np.random.Generator) -> tuple[dict[str, float], float]:
    """Return the p-value of every test and the combined one, from the normal law of the binned sums.

    Args:
        bins: fine bins of one feature, with events of both signs.
        rng: draws the joint law of the statistics.

    Returns:
        The p-values by test, NaN where one cannot be made, and the combined one
        (:func:`hepneg.shapes.feature_check.check_feature`).

    The two quadratic distances follow Σ λ z² with the eigenvalues λ of their covariance, the components and the χ²
    follow χ² laws; these are good at any depth. The law of the Kolmogorov–Smirnov distance is drawn (its p-value is at
    least 1/2000), and so is the joint law of all. The draws have √Σw² of each bin and sign as measured, so they hold
    whatever the spread of |w| in either sign. Valid when each sign has some 500 effective events.
    """
    statistics = ShapeStatistics.of(bins)
    if len(statistics.total) < 2:
        return dict.fromkeys(TESTS, np.nan), 1.0
    coarse = bins.merged(statistics.starts)
    variance = _variance(coarse)
    values = np.hstack([statistics.values(observed_gap(coarse)), statistics.values(_draws(coarse, variance, rng))])
    p_values = _p_values(dict(zip(TESTS, values, strict=True)), statistics, variance)
    bounds = smallest(p_values)
    return {name: float(p[0]) for name, p in p_values.items()}, calibrated(float(bounds[0]), bounds[1:])


def _variance(bins: SignedBins) -> Floats:
    """Variance of the standardised difference in each bin but for the normalisations."""
    relative = bins.square / bins.magnitude.sum(axis=1)[:, None] ** 2
    return np.asarray(relative.sum(axis=0) / relative.sum())


def _draws(bins: SignedBins, variance: Floats, rng: np.random.Generator) -> Floats:
    """Draw differences as normal fluctuations leave them if the shapes are the same, (P, B)."""
    gap = rng.standard_normal((_DRAWS, len(bins)))
    gap *= np.sqrt(variance)
    # Both shapes are normalised, which takes off the fluctuation of the whole.
    gap -= gap.sum(axis=1, keepdims=True) * (bins.total / bins.total.sum())
    return gap


def _p_values(values: dict[str, Floats], statistics: ShapeStatistics, variance: Floats) -> dict[str, Floats]:
    """Return the p-value of each value: (P,) with the events themselves first, then the draws."""
    from scipy.special import chdtrc

    weights = dict(zip(("anderson_darling", "cramer_von_mises"), quadratic_weights(statistics.total), strict=True))
    p_values = {
        name: quadratic_tails(values[name], _eigenvalues(statistics.total, variance, w)) for name, w in weights.items()
    }
    greatest = values["kolmogorov_smirnov"]
    p_values["kolmogorov_smirnov"] = np.array([np.count_nonzero(greatest >= greatest[0]) / len(greatest)])
    missing = np.full_like(greatest, np.nan)
    for name, degrees in statistics.degrees.items():
        p_values[name] = chdtrc(degrees, values[name]) if degrees else missing
    return p_values


def _eigenvalues(total: Floats, variance: Floats, weight: Floats) -> Floats:
    """Return the λ of Σ D² weight = Σ λ z², D the cumulative difference."""
    cumulative = np.cumsum(total)[:-1] / total.sum()
    # Normal fluctuations ε of the bins move D by Σε up to the bin, less H times their whole sum.
    spread = (np.tri(len(total) - 1, len(total)) - cumulative[:, None]) * np.sqrt(variance)
    root = spread * np.sqrt(weight)[:, None]
    values = np.linalg.eigvalsh(root @ root.T)
    return np.asarray(values[values > 1e-9 * values[-1]])

"""The asymptotic null distribution of all test statistics of a feature: normal fluctuations of the binned sums."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hepneg.binning.signed_bins import SignedBins
from hepneg.shapes.shape_tests.combination import calibrated, ranked, weighted_minimum
from hepneg.shapes.shape_tests.differences import CommonBins, Differences, observed_gap
from hepneg.shapes.shape_tests.shape_test import ShapeTest, shape_tests

__all__ = ["asymptotic_p_values"]

_DRAWS = 1999

Floats = NDArray[np.float64]


def asymptotic_p_values(bins: SignedBins, rng: np.random.Generator) -> tuple[dict[str, float], float]:
    """Return the p-value of every test and the combined one, from normal fluctuations of the binned sums.

    Args:
        bins: fine bins of one feature, with events of both signs.
        rng: draws the joint null distribution of the statistics.

    Returns:
        The p-values by test, NaN where one cannot be made, and the combined one
        (:func:`hepneg.shapes.feature_check.check_feature`).

    The two quadratic distances follow Σ λ z² with the eigenvalues λ of their covariance, the moments and the χ² follow
    χ² distributions; these are good at any depth. The Kolmogorov–Smirnov distance is drawn (its p-value is at least
    1/2000), and so is the joint distribution of all. The draws have √Σw² of each bin and sign as measured, so they hold
    whatever the spread of |w| in either sign. Valid when each sign has some 500 effective events.
    """
    tests, common = shape_tests(), CommonBins.of(bins)
    if len(common) < 2:
        return {test.name: np.nan for test in tests}, 1.0
    coarse = bins.merged(common.starts)
    variance = _variance(coarse)
    observed, drawn = (Differences(gap, common) for gap in (observed_gap(coarse), _draws(coarse, variance, rng)))
    p_values = [_p_values(test, observed, drawn, variance) for test in tests]
    bounds = weighted_minimum(tests, p_values)
    by_name = {test.name: float(p[0]) for test, p in zip(tests, p_values, strict=True)}
    return by_name, calibrated(float(bounds[0]), bounds[1:])


def _p_values(test: ShapeTest, observed: Differences, drawn: Differences, variance: Floats) -> Floats:
    """Return the p-value of the events themselves, then those of the draws, (1 + P,)."""
    values = np.append(test.statistic(observed), test.statistic(drawn))
    tail = test.tail(values, observed.bins, variance)
    if tail is not None:
        return tail
    return np.full_like(values, np.nan) if np.isnan(values).any() else ranked(values)


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

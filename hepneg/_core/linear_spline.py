"""Straight lines between knots, and their fit to counts of two kinds: a logistic regression with a normal prior."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hepneg._core.arrays import FloatArray

_STEPS = 50


@dataclass(frozen=True, slots=True)
class LinearSpline:
    """Straight lines between knots; beyond the outer ones the first and the last line go on.

    Attributes:
        knots: increasing, two at least.
        values: what they become.
    """

    knots: tuple[float, ...]
    values: tuple[float, ...]

    def __call__(self, z: FloatArray) -> FloatArray:
        """Return the values at z, of any shape."""
        return _lines(z, np.array(self.knots), np.array(self.values))

    def inverse(self, value: FloatArray) -> FloatArray:
        """Return where the spline, if it rises everywhere, has these values."""
        return _lines(value, np.array(self.values), np.array(self.knots))


IDENTITY = LinearSpline((0.0, 1.0), (0.0, 1.0))


def _lines(z: FloatArray, x: FloatArray, y: FloatArray) -> FloatArray:
    first, last = (y[1] - y[0]) / (x[1] - x[0]), (y[-1] - y[-2]) / (x[-1] - x[-2])
    ends = first * np.minimum(z - x[0], 0.0) + last * np.maximum(z - x[-1], 0.0)
    return np.asarray(np.interp(z, x, y) + ends)


def fit_logistic_spline(
    z: FloatArray,
    positive: FloatArray,
    both: FloatArray,
    knots: FloatArray,
    *,
    centre: float = 0.0,
    prior: float = 1.0,
    prior_of_kinks: float = 0.25,
    least_slope: float = 0.0,
) -> LinearSpline:
    """Fit better log-odds to log-odds, tied to the identity where events tell little.

    Args:
        z: log-odds of cells, (n,).
        positive: effective events of the first kind, (n,), from 0 to ``both``.
        both: of both kinds, (n,).
        knots: increasing, two at least.
        centre: log-odds at which a slope turns.
        prior: standard deviation of offset and slope about the identity.
        prior_of_kinks: that of the change of slope at each inner knot about 0.
        least_slope: the spline rises at least by so much.
    """
    from scipy.optimize import isotonic_regression

    parameters = _logistic(spline_basis(z, knots, centre), centre, positive, both, prior, prior_of_kinks)
    # The knots have as many events each, so where the fit falls with z they share their mean.
    tilt = least_slope * knots
    values = isotonic_regression(centre + spline_basis(knots, knots, centre) @ parameters - tilt).x + tilt
    return LinearSpline(tuple(knots.tolist()), tuple(values.tolist()))


def spline_basis(z: FloatArray, knots: FloatArray, centre: float = 0.0) -> FloatArray:
    """Return the functions of a linear spline, (n, knots): 1, z − centre, and a kink at each inner knot."""
    return np.stack([np.ones_like(z), z - centre, *(np.maximum(z - knot, 0.0) for knot in knots[1:-1])], axis=1)


def _logistic(
    design: FloatArray, centre: float, positive: FloatArray, both: FloatArray, prior: float, prior_of_kinks: float
) -> FloatArray:
    """Maximise the likelihood of a logistic regression with a normal prior about (0, 1, 0, …), by Newton's method."""
    identity = np.zeros(design.shape[1])
    identity[1] = 1.0
    precision = np.full(len(identity), prior_of_kinks**-2)
    precision[:2] = prior**-2
    found = identity.copy()

    def loss(parameters: FloatArray) -> float:
        z = centre + design @ parameters
        return float(both @ np.logaddexp(0.0, z) - positive @ z + 0.5 * (precision @ (parameters - identity) ** 2))

    for _ in range(_STEPS):
        probability = 0.5 * (1 + np.tanh(0.5 * (centre + design @ found)))
        gradient = design.T @ (both * probability - positive) + precision * (found - identity)
        curvature = (design.T * (both * probability * (1 - probability))) @ design + np.diag(precision)
        step = np.linalg.solve(curvature, gradient)
        while loss(found - step) > loss(found) and np.abs(step).max() > 1e-9:
            step = 0.5 * step
        found = found - step
        if np.abs(step).max() < 1e-7:
            break
    return found

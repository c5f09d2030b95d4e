"""The mean sign as a smooth function of one variable, and contents Σ|w|ĝ of its bins with their full covariance.

A bin of Σw knows nothing of its neighbours, so its sign noise is that of its own few events. Where the mean sign varies
slowly, all events near a bin tell its sign: Σ|w|ĝ keeps the resolution of the unsigned events and takes the sign from a
curve with few parameters. The curve is a logistic regression of the sign on linear splines, weighted with |w|; it has
as many knots as keep the mean sign of each significant, which follows from the overall mean sign and the number of
effective events alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hepneg._core.arrays import FloatArray, IndexArray
from hepneg._core.log_odds import sigmoid
from hepneg.binning.sign_sums import SignSums

_DENSITY = 0.8
"""Knots for the cube root of the effective events: the bias of the curve falls faster than its statistical error."""
_SIGNIFICANCE = 3.0
"""Standard deviations by which the mean sign at each knot is to be above 0."""
_PRIOR_EVENTS = 0.5
"""Effective events with the overall mean sign at each knot: the curve stays finite where all signs are equal."""
_STEPS = 50


@dataclass(frozen=True, eq=False, slots=True)
class SmoothContents:
    """Contents of C bins, each a run of fine ones, by a smooth mean sign.

    Attributes:
        content: (C,) Σ\\|w\\|ĝ, scaled so that their sum is Σw.
        covariance: (C, C) from the fluctuations of all events, which reach every bin through ĝ.
        own: (C,) the part of the variances that the events of a bin alone would give, Σw²ĝ²; independent of the rest.
        sign: (F,) ĝ of the fine bins.
        knots: of the curve.
    """

    content: FloatArray
    covariance: FloatArray
    own: FloatArray
    sign: FloatArray
    knots: int

    @property
    def error(self) -> FloatArray:
        """Standard errors, (C,)."""
        return np.sqrt(np.diag(self.covariance))

    def shared(self, least: float = 0.01) -> FloatArray:
        """Return independent one-sigma shifts of all bins together, (S, C): what is not of the bins' own events.

        Args:
            least: shifts that add less than this share to every variance are left out.
        """
        size, direction = np.linalg.eigh(self.covariance - np.diag(self.own))
        shifts = (direction * np.sqrt(np.maximum(size, 0.0))).T[::-1]
        kept = (shifts**2 > least * np.diag(self.covariance)).any(axis=1)
        return np.asarray(shifts[kept])


def knots_for(sums: SignSums) -> int:
    """Return how many knots keep the mean sign at each 3 standard deviations above 0, at most 0.8 n_eff(\\|w\\|)^⅓."""
    mean = 1.0 - 2.0 * sums.negative_fraction
    squares = float(sums.square.sum())
    effective = float(sums.magnitude.sum()) ** 2 / squares if squares > 0 else 0.0
    if mean <= 0:
        return 1
    most = round(_DENSITY * effective ** (1 / 3))
    needed = _SIGNIFICANCE**2 * (1.0 - mean**2) / mean**2
    return max(1, most if effective >= most * needed else int(effective / needed))


def smooth_contents(
    sums: SignSums, starts: IndexArray | None = None, *, shape: SignSums | None = None
) -> SmoothContents:
    """Smooth the mean sign and sum Σ\\|w\\|ĝ over bins.

    Args:
        sums: of one process over fine bins in order, with Σw > 0.
        starts: first fine bin of each bin, (C,), beginning with 0; left out, each fine bin.
        shape: sums that set number and places of the knots, those of the nominal weights for a variation; left out,
            ``sums``.

    Raises:
        ValueError: Σw is not positive.

    Without negative events ĝ is 1: contents and variances are Σw and Σw². Valid where the mean sign is smooth on the
    scale of the knots, each of which has an equal share of Σ\\|w\\|; the total is that of the signed
    events.
    """
    total = float(sums.content.sum())
    if total <= 0:
        raise ValueError(f"the weights sum to {total:.6g}, which no smooth mean sign can describe")
    first = np.arange(len(sums)) if starts is None else starts
    member = (np.searchsorted(first, np.arange(len(sums)), side="right") - 1)[None] == np.arange(len(first))[:, None]
    if not sums.magnitude[1].any():
        variance = member @ sums.variance
        return SmoothContents(member @ sums.content, np.diag(variance), variance, np.ones(len(sums)), 1)
    basis = _hats(sums if shape is None else shape)
    chance, response = _fit(basis, sums)
    sign = 2.0 * chance - 1.0
    magnitude = sums.total_magnitude
    content = member @ (magnitude * sign)
    slope = member @ ((2.0 * magnitude * chance * (1.0 - chance))[:, None] * basis)
    by_sign = [member * sign + slope @ part for part in response]
    factor = total / float(content.sum())
    share = content / content.sum()
    change = [
        factor * part + np.outer(share, np.full(len(sums), direction) - factor * part.sum(axis=0))
        for part, direction in zip(by_sign, (1.0, -1.0), strict=True)
    ]
    covariance = sum((part * square) @ part.T for part, square in zip(change, sums.square, strict=True))
    own = factor**2 * (member @ (sums.variance * sign**2))
    return SmoothContents(factor * content, np.asarray(covariance), own, factor * sign, basis.shape[1])


def _hats(sums: SignSums) -> FloatArray:
    """Return linear B-splines at equal shares of Σ\\|w\\|, (F, knots): rows sum to 1."""
    knots, magnitude = knots_for(sums), sums.total_magnitude
    if knots == 1:
        return np.ones((len(sums), 1))
    share = (np.cumsum(magnitude) - 0.5 * magnitude) / magnitude.sum() * (knots - 1)
    return np.asarray(np.maximum(1.0 - np.abs(share[:, None] - np.arange(knots)), 0.0))


def _fit(basis: FloatArray, sums: SignSums) -> tuple[FloatArray, tuple[FloatArray, FloatArray]]:
    """Fit P(w > 0) by Newton's method.

    Returns:
        The probability in each fine bin, (F,), and how the parameters change with the positive and with the negative
        Σ\\|w\\| of each fine bin, (knots, F) both.
    """
    positive = 1.0 - sums.negative_fraction
    prior = _PRIOR_EVENTS * float(sums.square.sum()) / float(sums.magnitude.sum())
    theta = np.full(basis.shape[1], math.log(positive / (1.0 - positive)) if 0 < positive < 1 else 0.0)
    magnitude = sums.total_magnitude
    for _ in range(_STEPS):
        chance, at_knot = sigmoid(basis @ theta), sigmoid(theta)
        gradient = basis.T @ (sums.magnitude[0] - magnitude * chance) + prior * (positive - at_knot)
        curvature = (basis.T * (magnitude * chance * (1.0 - chance))) @ basis
        curvature += np.diag(prior * at_knot * (1.0 - at_knot))
        step = np.linalg.solve(curvature, gradient)
        theta = theta + np.clip(step, -1.0, 1.0)
        if np.abs(step).max() < 1e-10:
            break
    response = np.linalg.solve(curvature, basis.T)
    return sigmoid(basis @ theta), (response * (1.0 - chance), -response * chance)

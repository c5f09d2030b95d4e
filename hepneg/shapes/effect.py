"""How far apart the shapes of positive and negative events are: effect sizes with uncertainties, and the χ²."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hepneg._core.estimate import Estimate
from hepneg.binning.signed_bins import NEGATIVE, POSITIVE, SignedBins
from hepneg.shapes.shape_tests.chi2 import chi2_statistic

__all__ = ["Comparison", "Pull", "compare"]


@dataclass(frozen=True, slots=True)
class Pull:
    """The bin in which the two shapes differ most, in standard deviations (positive: more negative events)."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, eq=False, slots=True)
class Comparison:
    """Normalised positive-only and |negative-only| shapes of one feature in the same bins.

    Attributes:
        bins: the sums behind it.
        positive: share of the positive Σw in each bin, (B,).
        positive_error: √Σw² of the same.
        negative: share of the negative Σ|w|.
        negative_error: √Σw² of the same.
        ratio: negative over positive.
        ratio_error: its uncertainty; NaN where the ratio is not significantly above 0 (below two deviations).
        pulls: (negative − positive) in standard deviations, normalisation accounted for.
        total_variation: ½ Σ |positive − negative| with its expectation under no difference taken off in quadrature.
        raw_total_variation: the same with nothing taken off.
        null_total_variation: what it is expected to be if the shapes are the same.
        chi2: the distance of the two shapes in units of their covariance.
        degrees: B − 1.
        p_value: asymptotic, of the χ²; NaN with fewer than two bins.
    """

    bins: SignedBins
    positive: NDArray[np.float64]
    positive_error: NDArray[np.float64]
    negative: NDArray[np.float64]
    negative_error: NDArray[np.float64]
    ratio: NDArray[np.float64]
    ratio_error: NDArray[np.float64]
    pulls: NDArray[np.float64]
    total_variation: Estimate
    raw_total_variation: float
    null_total_variation: float
    chi2: float
    degrees: int
    p_value: float

    @property
    def largest_pull(self) -> Pull:
        """The bin with the largest |pull|."""
        where = int(np.argmax(np.abs(self.pulls)))
        return Pull(float(self.pulls[where]), float(self.bins.edges[where]), float(self.bins.edges[where + 1]))

    @property
    def outside_view(self) -> tuple[float, float]:
        """Shares of the positive and of the negative events in bins wholly outside the range worth drawing."""
        low, high = self.bins.view
        outside = (self.bins.edges[1:] <= low) | (self.bins.edges[:-1] >= high)
        return float(self.positive[outside].sum()), float(self.negative[outside].sum())


def compare(bins: SignedBins) -> Comparison:
    """Compare the shapes of the two signs.

    Args:
        bins: one feature; each sign should be expected to have some ten effective events in each bin.

    The χ² of two weighted histograms (Gagunashvili, NIM A 614 (2010) 287), with the variances expected under no
    difference: the shape is Σ|w| of both signs, and Σw²/Σ|w| follows the same course over the bins for both signs, each
    at its own level. The covariance that the two normalisations leave gives it B − 1 degrees of freedom; for constant
    |w| it is Pearson's. The pulls and the expected total variation use the same covariance, the errors √Σw².
    """
    sums = bins.magnitude.sum(axis=1)[:, None]
    share, error = bins.magnitude / sums, np.sqrt(bins.square) / sums
    measured = np.sum(error**2, axis=0)
    gap = share[NEGATIVE] - share[POSITIVE]
    content = bins.total / bins.total.sum()
    variance = _expected_variance(bins)
    deviation = np.sqrt(variance * (1.0 - content) ** 2 + content**2 * (variance.sum() - variance))
    ratio, ratio_error = _ratio(share, error)
    raw = 0.5 * float(np.abs(gap).sum())
    null = 0.5 * math.sqrt(2.0 / math.pi) * float(deviation.sum())
    chi2 = float(chi2_statistic(gap[None, :], variance, content)[0])
    return Comparison(
        bins=bins,
        positive=share[POSITIVE],
        positive_error=error[POSITIVE],
        negative=share[NEGATIVE],
        negative_error=error[NEGATIVE],
        ratio=ratio,
        ratio_error=ratio_error,
        pulls=np.divide(gap, deviation, out=np.zeros_like(gap), where=deviation > 0),
        total_variation=_corrected(raw, null, _raw_error(gap, measured, content)),
        raw_total_variation=raw,
        null_total_variation=null,
        chi2=chi2,
        degrees=len(bins) - 1,
        p_value=_chi2_tail(chi2, len(bins) - 1),
    )


def _ratio(share: NDArray[np.float64], error: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    missing = np.full(share.shape[1], np.nan)
    relative = np.divide(error, share, out=np.full_like(share, np.inf), where=share > 0)
    seen = np.all(relative < 0.5, axis=0)
    ratio = np.divide(share[NEGATIVE], share[POSITIVE], out=missing.copy(), where=seen)
    return ratio, np.multiply(ratio, np.hypot(*np.where(seen, relative, 0.0)), out=missing, where=seen)


def _expected_variance(bins: SignedBins) -> NDArray[np.float64]:
    """Variance of the difference of the two normalised contents under no difference, but for the normalisations."""
    course = bins.square.sum(axis=0) / bins.square.sum()
    relative = bins.square.sum(axis=1) / bins.magnitude.sum(axis=1) ** 2
    return np.asarray(course * relative.sum())


def _chi2_tail(chi2: float, degrees: int) -> float:
    from scipy.special import chdtrc

    return float(chdtrc(degrees, max(chi2, 0.0))) if degrees > 0 else math.nan


def _raw_error(gap: NDArray[np.float64], variance: NDArray[np.float64], content: NDArray[np.float64]) -> float:
    """Propagate the fluctuations of the bins to ½ Σ|gap|."""
    sign = np.sign(gap)
    return 0.5 * math.sqrt(float(np.sum(variance * (sign - np.sum(sign * content)) ** 2)))


def _corrected(raw: float, null: float, error: float) -> Estimate:
    """Take the expectation under no difference off in quadrature; the error stays finite where nothing is left."""
    value = math.sqrt(max(raw**2 - null**2, 0.0))
    largest = max(value, math.sqrt(raw * error))
    return Estimate(value, raw * error / largest if largest > 0 else 0.0)

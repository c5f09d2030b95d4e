"""How likely a random batch has a sum of weights that no loss can be normalised to."""

from __future__ import annotations

import math

import numpy as np

__all__ = ["batch_risk"]

_SAME = 1e-6


def batch_risk(
    size: int, share: float, positive: float, mean_powers: tuple[float, float, float], magnitudes: tuple[float, float]
) -> float:
    """Return the probability that the Σw of a label in a random batch is 0 or below.

    The model: ``size`` events are drawn independently from all training events, those of the label turning up in
    their counted share. (Batches without replacement fluctuate a little less.)

    Args:
        size: events in a batch, of both labels.
        share: counted share of the label among all events.
        positive: counted share of positive weights within the label.
        mean_powers: mean of w, w², w³ over the events of the label.
        magnitudes: smallest and largest |w| of the label.

    Returns:
        The exact binomial probability where |w| is constant; else that of a normal distribution with the Edgeworth
        correction for skewness, good to some 10 % of itself for sums of hundreds of events and to less in far tails.
    """
    low, high = magnitudes
    if high - low <= _SAME * high:
        return _binomial_risk(size, share, positive)
    return _edgeworth_risk(size, *(share * mean for mean in mean_powers))


def _binomial_risk(size: int, share: float, positive: float) -> float:
    """Sum over the number m of events of the label: P(m) · P(at most m/2 of them are positive)."""
    from scipy.special import bdtr, gammaln, xlog1py, xlogy

    m = np.arange(size + 1)
    ways = gammaln(size + 1) - gammaln(m + 1) - gammaln(size - m + 1)
    chance = np.exp(ways + xlogy(m, share) + xlog1py(size - m, -share))
    at_most = np.where(m > 0, bdtr(m // 2, np.maximum(m, 1), positive), 1.0)
    return min(1.0, float(np.sum(chance * at_most)))


def _edgeworth_risk(size: int, first: float, second: float, third: float) -> float:
    variance = second - first**2
    if variance <= 0:
        return 0.0 if first > 0 else 1.0
    skewness = (third - 3.0 * first * second + 2.0 * first**3) / (variance * math.sqrt(variance * size))
    z = -first * math.sqrt(size / variance)
    normal = 0.5 * math.erfc(-z / math.sqrt(2.0))
    density = math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
    corrected = normal - density * skewness / 6.0 * (z * z - 1.0)
    return min(1.0, max(0.0, corrected))

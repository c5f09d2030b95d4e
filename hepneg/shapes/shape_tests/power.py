"""How small a difference of shapes the check can see."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from hepneg.shapes.shape_tests.quadratic_form import quadratic_quantile, quadratic_tail

__all__ = ["POWER", "detectable_total_variation"]

POWER = 0.9
_BINS = 64


def detectable_total_variation(n_eff_positive: float, n_eff_negative: float, alpha: float) -> float:
    """Return the smallest total variation that the Anderson–Darling test finds with 90 % power.

    Args:
        n_eff_positive: effective events (Σw)²/Σw² of positive weight.
        n_eff_negative: the same of negative weight.
        alpha: significance level at which a single feature is called different.

    Returns:
        A total variation for a difference that moves events from one half of the feature's range to the other (either
        side of the median); it may exceed 1: then nothing can be found. Narrow structures need more.
    """
    return _unit_total_variation(alpha) * math.sqrt(1.0 / n_eff_positive + 1.0 / n_eff_negative)


@cache
def _unit_total_variation(alpha: float) -> float:
    """The same for 1/n_eff(+) + 1/n_eff(−) = 1; it scales with the root of that."""
    content = np.full(_BINS, 1.0 / _BINS)
    cumulative = np.cumsum(content)[:-1]
    weight = content[:-1] / (cumulative * (1.0 - cumulative))
    sums = np.tri(_BINS - 1, _BINS) * np.sqrt(weight)[:, None]
    spread = (sums - (cumulative * np.sqrt(weight))[:, None]) * np.sqrt(content)
    eigenvalues, vectors = np.linalg.eigh(spread @ spread.T)
    kept = eigenvalues > 1e-9 * eigenvalues[-1]
    shift = sums @ (np.where(np.arange(_BINS) < _BINS // 2, 2.0, -2.0) * content)
    unit_mean_squared = (vectors.T @ shift)[kept] ** 2 / eigenvalues[kept]
    critical = quadratic_quantile(alpha, eigenvalues[kept])
    low, high = 0.0, 50.0
    for _ in range(50):
        middle = 0.5 * (low + high)
        found = quadratic_tail(critical, eigenvalues[kept], middle**2 * unit_mean_squared)
        low, high = (middle, high) if found < POWER else (low, middle)
    return 0.5 * (low + high)

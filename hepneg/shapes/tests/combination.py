"""One p-value from several correlated tests: combination by the minimum p-value (Westfall–Young).

Source: Westfall and Young, Resampling-Based Multiple Testing, Wiley 1993. Each test's p-value is divided by its share
of the significance level, and the smallest of these is compared with its own null distribution.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hepneg.shapes.tests.shape_test import ShapeTest

__all__ = ["calibrated", "ranked", "weighted_minimum"]

_RESOLVED = 0.01
_TIE = 1.0 - 1e-9

Floats = NDArray[np.float64]


def weighted_minimum(tests: Sequence[ShapeTest], p_values: Sequence[Floats]) -> Floats:
    """Return the minimum p-value over its share: Bonferroni's weighted bound on the combined p-value, where below 1.

    Args:
        tests: those with a share count.
        p_values: of each test, (P,) for P sets of them; NaN where one cannot be made. Its share goes to the others in
            proportion; without any the result is infinite.
    """
    made = [
        (test.share, p) for test, p in zip(tests, p_values, strict=True) if test.share > 0 and not np.isnan(p).any()
    ]
    whole = sum(share for share, _ in made)
    lowest = np.full_like(p_values[0], np.inf)
    for share, p in made:
        np.minimum(lowest, p * whole / share, out=lowest)
    return lowest


def ranked(values: Floats) -> Floats:
    """Return for each value ≥ 0 the share of all that are at least as large, (P,): a p-value among its equals."""
    order = np.sort(values)
    return np.asarray((len(values) - np.searchsorted(order, values * _TIE)) / len(values))


def calibrated(bound: float, drawn: Floats) -> float:
    """Return how often the minimum p-value over its share is at most a given one, if there is no difference.

    Args:
        bound: of the events, from :func:`weighted_minimum`.
        drawn: the same in draws of the null distribution, (P,).

    Returns:
        The rank of the bound among the draws down to 0.01. Below, where draws are rare, the bound itself, which is
        valid whatever the correlation of the tests (but not more than the rank at 0.01).
    """
    rank = (1 + int(np.count_nonzero(drawn <= max(bound, _RESOLVED)))) / (1 + len(drawn))
    return rank if bound >= _RESOLVED else min(rank, bound)

"""One p-value from several correlated tests: the law of the smallest one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

__all__ = ["SHARES", "calibrated", "ranked", "smallest"]

SHARES = {"anderson_darling": 0.5, "width": 0.2, "smooth": 0.2, "chi2": 0.1}
"""How the significance level of a feature is shared out.

Anderson–Darling is strong for shifts, the second moment of the normal scores for widths, all four for asymmetries and
tails, and the χ² for narrow structures that none of these sees.
"""

_RESOLVED = 0.01
_TIE = 1.0 - 1e-9

Floats = NDArray[np.float64]


def smallest(p_values: Mapping[str, Floats]) -> Floats:
    """Return the smallest p-value over its share: Bonferroni's weighted bound on the combined p-value, where below 1.

    Args:
        p_values: of each test, (P,) for P sets of them; NaN where one cannot be made. Its share goes to the others in
            proportion; without any the result is infinite.
    """
    made = {name: share for name, share in SHARES.items() if not np.isnan(p_values[name]).any()}
    whole = sum(made.values())
    found = np.full_like(p_values["anderson_darling"], np.inf)
    for name, share in made.items():
        np.minimum(found, p_values[name] * whole / share, out=found)
    return found


def ranked(values: Floats) -> Floats:
    """Return for each value ≥ 0 the share of all that are at least as large, (P,): a p-value among its equals."""
    order = np.sort(values)
    return np.asarray((len(values) - np.searchsorted(order, values * _TIE)) / len(values))


def calibrated(bound: float, drawn: Floats) -> float:
    """Return how often the smallest p-value over its share is at most what was found, if there is no difference.

    Args:
        bound: found, from :func:`smallest`.
        drawn: the same in draws of the law without a difference, (P,).

    Returns:
        The rank of the bound among the draws down to 0.01. Below, where draws are rare, the bound itself, which is
        valid whatever the correlation of the tests (but not more than the rank at 0.01).
    """
    rank = (1 + int(np.count_nonzero(drawn <= max(bound, _RESOLVED)))) / (1 + len(drawn))
    return rank if bound >= _RESOLVED else min(rank, bound)

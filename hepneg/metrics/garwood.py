"""Central confidence intervals of Poisson means, for counts of data."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hepneg._core.arrays import FloatArray

__all__ = ["garwood_interval"]


def garwood_interval(counts: ArrayLike, *, level: float = 0.6827) -> tuple[FloatArray, FloatArray]:
    """Return the central interval of the mean of a Poisson distribution (Garwood, Biometrika 28 (1936) 437).

    Args:
        counts: (n,) observed numbers, 0 or more.
        level: coverage, at least, between 0 and 1.

    Returns:
        Lower and upper ends, (n,) each. For a count of 0 the lower end is 0.

    Raises:
        ValueError: the level is not between 0 and 1, or a count is negative.
    """
    from scipy.special import gammainccinv, gammaincinv

    seen = np.asarray(counts, np.float64)
    if not 0.0 < level < 1.0 or (seen < 0).any():
        raise ValueError("counts must not be negative, and the level must lie between 0 and 1")
    tail = 0.5 * (1.0 - level)
    low = np.where(seen > 0, gammaincinv(np.maximum(seen, 1.0), tail), 0.0)
    return low, np.asarray(gammainccinv(seen + 1.0, tail))

"""What held-out events say about a learnt local mean sign: how far to trust it, and how low."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["best_floor", "best_slope"]

LARGEST_SLOPE = 1.2
FLOORS = 30

Float = NDArray[np.float64]


def best_slope(deviation: Float, centre: float, sign: Float, weight: Float) -> float:
    """Return the slope a that minimises the cross-entropy of the sign for ĝ = centre + a·deviation.

    Below 1, it takes back what was overfitted. The cross-entropy is convex in a, so the zero of its derivative is found
    by bisection, between 0 and LARGEST_SLOPE.

    Args:
        deviation: of each member's local mean sign from ``centre``, (n, M).
        centre: the mean sign.
        sign: ±1, (n, 1).
        weight: \\|w\\| of the events that each member has not seen, 0 for the others, (n, M).
    """
    low, high = 0.0, LARGEST_SLOPE
    for _ in range(30):
        middle = 0.5 * (low + high)
        probability = np.maximum(1 + sign * (centre + middle * deviation), 1e-6)
        falls = (weight * sign * deviation / probability).sum() > 0
        low, high = (middle, high) if falls else (low, middle)
    return 0.5 * (low + high)


def best_floor(calibrated: Float, sign: Float, weight: Float, least: float, centre: float) -> float:
    """Return the floor of ĝ, between ``least`` and the mean sign, that held-out events ask for.

    Where signs nearly cancel, a learnt ĝ scatters about a small number, below zero too, and its logarithm is mostly
    noise. The floor minimises Σ|w|(ĝ − sign·log ĝ), whose excess is the relative error of the density |w|ĝ squared, and
    so becomes the mean sign of the held-out events below it.

    Args:
        calibrated: ĝ of each event, (n,), or by each member, (n, M).
        sign: ±1, (n,) or (n, 1).
        weight: \\|w\\| of the events that the network, or each member, has not seen, 0 for the others.
        least: smallest floor, above 0.
        centre: the mean sign.
    """
    floors = np.geomspace(least, max(centre, least), FLOORS)

    def loss(floor: float) -> float:
        value = np.maximum(calibrated, floor)
        return float((weight * (value - sign * np.log(value))).sum())

    return float(min(floors, key=loss))

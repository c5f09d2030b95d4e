"""Exact sums of weights, so that a normalisation does not depend on how the events were cut into chunks."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

__all__ = ["exact_sum"]

_HALF = 26


def exact_sum(values: NDArray[np.float64]) -> Fraction:
    """Return Σ values without any rounding.

    Args:
        values: finite numbers, (n,), n < 2**26.

    Returns:
        The sum as a fraction: adding the fractions of parts in any order gives the same number.
    """
    largest = float(np.max(np.abs(values), initial=0.0))
    if largest == 0.0:
        return Fraction(0)
    # As multiples of a quantum that keeps every partial sum below 2**53, most weights (rounded to float32, or all of
    # one magnitude) are whole numbers, whose sum in float64 is exact.
    exponent = 52 - math.frexp(largest)[1] - len(values).bit_length()
    if abs(exponent) < 1000:
        scaled = np.ldexp(values, exponent)
        # A number so much smaller than the largest that it scales to 0 would pass for a whole one.
        if np.array_equal(scaled, np.rint(scaled)) and np.count_nonzero(scaled) == np.count_nonzero(values):
            return Fraction(int(scaled.sum())) * Fraction(2) ** -exponent
    return _sum_by_exponent(values)


def _sum_by_exponent(values: NDArray[np.float64]) -> Fraction:
    """Sum the mantissas of each binary exponent as whole numbers, in two halves that float64 holds exactly."""
    mantissa, exponent = np.frexp(values)
    whole = np.ldexp(mantissa, 53).astype(np.int64)
    lowest = int(exponent.min())
    code = exponent - lowest
    high = np.bincount(code, weights=(whole >> _HALF).astype(np.float64))
    low = np.bincount(code, weights=(whole & (2**_HALF - 1)).astype(np.float64))
    total = sum((int(h) * 2**_HALF + int(v)) << k for k, (h, v) in enumerate(zip(high, low, strict=True)))
    return Fraction(total) * Fraction(2) ** (lowest - 53)

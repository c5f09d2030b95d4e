"""Squares of weights of any size: scaled by a power of two first, which changes no digit."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["effective_events", "scaled_weight", "weight_exponent"]


def weight_exponent(weight: ArrayLike) -> int:
    """Return e such that the largest \\|w\\| lies in [½, 1)·2^e; 0 where all are 0 or there are none.

    Args:
        weight: finite numbers of any shape.
    """
    largest = float(np.max(np.abs(np.asarray(weight, dtype=np.float64)), initial=0.0))
    return math.frexp(largest)[1]


def scaled_weight(weight: ArrayLike) -> tuple[NDArray[np.float64], int]:
    """Return weights whose squares neither over- nor underflow, and the exponent that was taken out.

    Below \\|w\\| = 1e-165 w² is 0, above 1e155 it is infinite. Ratios such as (Σw)²/Σw² are the same of the scaled
    weights; Σw² itself is theirs times 4^e.

    Args:
        weight: finite numbers, (n,).

    Returns:
        w·2^-e, (n,), and e. Only weights smaller than the largest by a factor of 2^1022 lose digits.
    """
    exponent = weight_exponent(weight)
    return np.ldexp(np.asarray(weight, dtype=np.float64), -exponent), exponent


def effective_events(weight: ArrayLike) -> float:
    """Return n_eff = (Σw)²/Σw², 0 without events or where all weights are 0.

    Args:
        weight: finite numbers, (n,).
    """
    scaled, _ = scaled_weight(weight)
    squares = float(np.square(scaled).sum())
    return float(scaled.sum()) ** 2 / squares if squares > 0 else 0.0

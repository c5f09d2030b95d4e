"""From log-odds to the response and back."""

from __future__ import annotations

import math

import numpy as np

from hepneg._core.arrays import FloatArray

__all__ = ["log_odds", "sigmoid"]


def sigmoid(logit: FloatArray) -> FloatArray:
    """Return 1/(1 + e^−logit), without overflow."""
    half: FloatArray = np.tanh(0.5 * logit)
    return 0.5 * (1.0 + half)


def log_odds(response: float) -> float:
    """Return log(y/(1 − y)) of one response, infinite at 0 and 1."""
    if response in {0, 1}:
        return math.copysign(math.inf, response - 0.5)
    return math.log(response / (1 - response))

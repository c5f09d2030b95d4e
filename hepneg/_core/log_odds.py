"""From log-odds to a probability, and back."""

from __future__ import annotations

import math

import numpy as np

from hepneg._core.arrays import FloatArray

__all__ = ["log_odds", "sigmoid"]


def sigmoid(logit: FloatArray) -> FloatArray:
    """Return 1/(1 + e^−logit), without overflow."""
    half: FloatArray = np.tanh(0.5 * logit)
    return 0.5 * (1.0 + half)


def log_odds(probability: float) -> float:
    """Return log(p/(1 − p)); infinite for p of exactly 0 and 1."""
    if probability in {0.0, 1.0}:
        return math.inf if probability else -math.inf
    return math.log(probability / (1 - probability))

"""From log-odds to the response."""

from __future__ import annotations

import numpy as np

from hepneg._core.arrays import FloatArray

__all__ = ["sigmoid"]


def sigmoid(logit: FloatArray) -> FloatArray:
    """Return 1/(1 + e^−logit), without overflow."""
    half: FloatArray = np.tanh(0.5 * logit)
    return 0.5 * (1.0 + half)

"""From log-odds to the response."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["sigmoid"]


def sigmoid(logit: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 1/(1 + e^−logit), without overflow."""
    half: NDArray[np.float64] = np.tanh(0.5 * logit)
    return 0.5 * (1.0 + half)

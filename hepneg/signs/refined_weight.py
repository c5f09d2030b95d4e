"""From a local mean sign to non-negative weights that keep each sample's Σw."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hepneg.events import EventTable

__all__ = ["LEAST_SIGN", "clipped", "refined_weight", "sum_factors"]

LEAST_SIGN = 1e-3
"""Smallest local mean sign: refined weights are never quite zero."""


def refined_weight(events: EventTable, sign: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return \\|w\\|·max(ĝ, 0), scaled to the Σw of each sample, (n,).

    Args:
        events: n signed events.
        sign: ĝ of each event, (n,).
    """
    return np.asarray(clipped(events, sign) * sum_factors(events, sign)[events.sample])


def clipped(events: EventTable, sign: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return \\|w\\|·max(ĝ, 0), (n,)."""
    return np.asarray(np.abs(events.weight) * np.maximum(sign, 0.0))


def sum_factors(events: EventTable, sign: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Σw / Σ\\|w\\|max(ĝ, 0) of each sample, (samples,); 0 where one of the two sums is not positive."""
    count = len(events.sample_names)
    wanted = np.bincount(events.sample, weights=events.weight, minlength=count)
    found = np.bincount(events.sample, weights=clipped(events, sign), minlength=count)
    usable = (wanted > 0) & (found > 0)
    return np.where(usable, wanted / np.where(usable, found, 1.0), 0.0)

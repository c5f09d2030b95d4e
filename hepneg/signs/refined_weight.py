"""From a local mean sign to non-negative weights that keep each sample's Σw."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hepneg.events import EventTable, cluster_squares

__all__ = ["LEAST_SIGN", "clipped", "refined_sums", "refined_weight", "sum_factors"]

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


def refined_sums(
    weight: NDArray[np.float64],
    weight_error: NDArray[np.float64],
    bin_of: NDArray[np.integer],
    bins: int,
    *,
    cluster: NDArray[np.intp] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the sums of refined weights in bins and their errors, (bins,) each.

    Args:
        weight: refined weights v, (n,), as ``hepneg_weight``.
        weight_error: spread of each over the folds' ensembles δ, (n,), as ``hepneg_weight_error``.
        bin_of: (n,) bin of each event, from 0.
        bins: how many.
        cluster: (n,) the event of each row; None where each row is an event of its own.

    The error is √(Σv² + (Σδ)²): events fluctuate one by one, but ĝ is wrong in the same direction for all events of a
    region, so that their errors add up. √Σv² alone covers a quarter of what it should where few signs survive. The rule
    is measured in analysis/closure/refined_sums.py; where ĝ → 0 the sums are biased upwards besides, which neither it
    nor a comparison with signed sums shows.
    """
    sums, common = (np.bincount(bin_of, column, bins).astype(np.float64) for column in (weight, weight_error))
    return sums, np.sqrt(cluster_squares(weight, bin_of, bins, cluster) + common**2)

"""Bins of about equal numbers of events."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepneg._core.arrays import IndexArray

__all__ = ["quantile_bins"]


def quantile_bins(values: NDArray[np.floating[Any]], bins: int) -> IndexArray:
    """Return the bin of each value, (n,), from 0: about ``bins`` of equal population; equal values share one."""
    edges = np.unique(np.quantile(values, np.arange(1, bins) / bins, method="inverted_cdf")) if len(values) else values
    return np.asarray(np.unique(np.searchsorted(edges, values, side="right"), return_inverse=True)[1])

"""Bins of a quantity for figures: round edges over the range worth drawing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hepneg._core.arrays import FloatArray
from hepneg.binning.bin_plan import plan_bins

__all__ = ["figure_edges", "round_edges"]

_BINS = 40
_MOST_WHOLE = 60
"""Whole numbers, as counts of jets are, get a bin each up to so many."""
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


def figure_edges(
    columns: Sequence[NDArray[np.float32]],
    *,
    bins: int | Sequence[float] | None = None,
    view: tuple[float, float] | None = None,
) -> FloatArray:
    """Choose the bins of one quantity.

    Args:
        columns: its values in each sample, each (n,) and at least one not empty; all samples have the same say.
        bins: edges, or how many of equal width; left out, some 40 whose edges are round numbers, or one for each whole
            number where there are only such.
        view: lowest and highest edge; left out, the central 99 %, without far-off padding values.

    Returns:
        Increasing edges, (bins + 1,). What lies outside belongs to no bin.
    """
    if bins is not None and not isinstance(bins, int):
        return np.asarray(bins, np.float64)
    whole = bins is None and all(np.array_equal(column, np.rint(column)) for column in columns)
    if whole:
        low, high = view or np.quantile(np.concatenate(columns), [0.005, 0.995])
        if high - low <= _MOST_WHOLE:
            return np.arange(np.floor(low + 0.5), np.ceil(high - 0.5) + 1.5) - 0.5
    low, high = view or plan_bins([column[:, None] for column in columns], ["quantity"]).features[0].view
    if bins is not None:
        return np.linspace(low, high, bins + 1)
    return round_edges(low, high) if view is None else np.linspace(low, high, _BINS + 1)


def round_edges(low: float, high: float, bins: int = _BINS) -> FloatArray:
    """Return about so many bins of equal width that span a range, with round numbers for edges."""
    raw = (high - low) / bins
    unit = 10.0 ** np.floor(np.log10(raw))
    step = next(unit * part for part in _STEPS if raw <= unit * part * 1.0001)
    return np.asarray(step * np.arange(np.floor(low / step + 1e-6), np.ceil(high / step - 1e-6) + 0.5), np.float64)

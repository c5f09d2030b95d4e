"""Coarser bins from fine ones, chosen by Σ|w| alone so that no test of the signs is biased by the choice."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hepneg.binning.signed_bins import SignedBins

__all__ = ["LEAST_EFFECTIVE", "comparison_starts", "equal_starts", "merge_sparse", "statistic_starts"]

# More bins than any smooth difference needs: on 256 of equal content the distances lose nothing measurable.
_STATISTIC_BINS = 256
_COMPARISON_BINS = 40
LEAST_EFFECTIVE = 10.0
"""Effective events that each sign is expected to have in each bin of a comparison."""

_NARROW = 0.002


def equal_starts(total: NDArray[np.float64], bins: int) -> NDArray[np.intp]:
    """Group bins into about ``bins`` runs of equal content; what is fuller than that stays alone.

    Args:
        total: Σ|w| in each bin, (B,), with a positive sum.
        bins: how many runs are wanted.

    Returns:
        The first bin of each run.
    """
    share = total / total.sum() * bins
    before = np.cumsum(share) - share
    full = share >= 1.0
    new = (np.diff(np.floor(before + 1e-9), prepend=-1.0) > 0) | full | np.append(False, full[:-1])
    return _without_empty(np.flatnonzero(new), total)


def statistic_starts(total: NDArray[np.float64], comparison: NDArray[np.intp]) -> NDArray[np.intp]:
    """Group fine bins into those that all test statistics are made of.

    Args:
        total: Σ|w| in each fine bin, (B,), with a positive sum.
        comparison: the first fine bin of each bin of the χ², which become runs of those found here.

    Returns:
        The first bin of each run: some 256 of equal content, the outermost of them as fine as they come, because
        there are the tails. None is empty.
    """
    middle = equal_starts(total, _STATISTIC_BINS)
    tails = (np.arange(middle[min(1, len(middle) - 1)]), np.arange(middle[-1], len(total)))
    starts = np.unique(np.concatenate([middle, comparison, *tails])).astype(np.intp)
    return _without_empty(starts, total)


def comparison_starts(
    bins: SignedBins, most: int = _COMPARISON_BINS, least: float = LEAST_EFFECTIVE
) -> NDArray[np.intp]:
    """Group fine bins into those of a histogram to look at, and of the χ².

    Half of the resolution goes to equal width inside the view and half to equal content, so that the bulk and the
    tails are both seen. Runs are joined until each sign is expected to have ``least`` effective events in each if the
    shapes are the same; what it really has is not used, for that would favour some outcomes of the tests.

    Args:
        bins: fine bins with events of both signs.
        most: about how many bins are wanted.
        least: effective events (Σ|w|)²/Σw² expected of each sign in each bin.
    """
    low, high = bins.view
    place = np.clip((bins.edges - low) / (high - low), 0.0, 1.0)
    content = np.append(0.0, np.cumsum(bins.total)) / bins.total.sum()
    step = np.floor(most * 0.5 * (place + content) + 1e-9)[:-1]
    wide = np.diff(bins.edges) > _NARROW * (high - low)
    full = (bins.total * most >= bins.total.sum()) & wide
    new = (np.diff(step, prepend=-1.0) > 0) | full | np.append(False, full[:-1])
    starts = np.flatnonzero(new)
    # The rarer sign's part of the effective events, in every bin if the shapes are the same; by counts, which are the
    # same for every permutation of the signs.
    count = bins.count.sum(axis=1)
    return starts[merge_sparse(bins.merged(starts), least * float(count.sum() / count.min()))]


def merge_sparse(bins: SignedBins, least: float) -> NDArray[np.intp]:
    """Join bins from the left until each run has ``least`` effective events of any sign; return the runs' starts."""
    starts = [0]
    magnitude = square = 0.0
    for i, (total, squares) in enumerate(zip(bins.total, bins.square.sum(axis=0), strict=True)):
        magnitude += float(total)
        square += float(squares)
        if square > 0 and magnitude**2 >= least * square:
            starts.append(i + 1)
            magnitude = square = 0.0
    # What is left over at the right end is too sparse: it joins the last whole run.
    return np.array(starts[:-1] if len(starts) > 1 else starts, dtype=np.intp)


def _without_empty(starts: NDArray[np.intp], total: NDArray[np.float64]) -> NDArray[np.intp]:
    filled = np.add.reduceat(total, starts) > 0
    kept = starts[filled]
    return np.append(0, kept[1:]).astype(np.intp)

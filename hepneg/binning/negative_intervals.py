"""Where a feature's signed density is below zero."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepneg._core.estimate import Estimate
from hepneg._core.json_values import json_object
from hepneg.binning.rebin import equal_starts, merge_sparse
from hepneg.binning.signed_bins import SignedBins

__all__ = ["SIGNIFICANCE", "NegativeRegion", "interval_text", "negative_runs", "significant_regions"]

SIGNIFICANCE = 3.0
_LEVELS = tuple(2**level for level in range(3, 11))
_RUN_BINS = 50
_LEAST_EVENTS = 10.0


def interval_text(feature: str, low: float, high: float) -> str:
    """Return ``low ≤ feature < high``, without what is infinite."""
    lower = "" if math.isinf(low) else f"{low:.4g} ≤ "
    upper = "" if math.isinf(high) else f" < {high:.4g}"
    return f"{lower}{feature}{upper}"


@dataclass(frozen=True, slots=True)
class NegativeRegion:
    """An interval of one feature in which Σw is negative.

    Attributes:
        feature: its name.
        low: lower edge, in the unit of the feature; −inf where nothing bounds it.
        high: upper edge; inf where nothing bounds it.
        entries: events inside.
        sum_weights: Σw ± √Σw².
        significance: Σw/√Σw², negative; before any correction.
        p_value: probability of so low a value in any of the cells examined, were the density zero; NaN where the
            interval was not searched for but is one of a fixed set.
    """

    feature: str
    low: float
    high: float
    entries: int
    sum_weights: Estimate
    significance: float
    p_value: float

    @property
    def where(self) -> str:
        """The interval, readable."""
        return interval_text(self.feature, self.low, self.high)

    def __str__(self) -> str:
        return f"{self.where}: Σw = {self.sum_weights} ({self.significance:.1f} σ)"

    def to_dict(self) -> dict[str, Any]:
        """Return the region as plain numbers; open ends are null."""
        return json_object(
            {
                "where": self.where,
                "feature": self.feature,
                "low": self.low,
                "high": self.high,
                "entries": self.entries,
                "sum_weights": self.sum_weights,
                "significance": self.significance,
                "p_value": self.p_value,
            }
        )


def negative_runs(bins: SignedBins) -> tuple[NegativeRegion, ...]:
    """Return the runs of neighbouring bins with Σw < 0, among some 50 of equal Σ|w|, most significant first.

    The bins hold at least ten effective events, but no significance is asked for: with thin statistics some runs are
    chance. :func:`significant_regions` finds the others.
    """
    if bins.total.sum() <= 0:
        return ()
    coarse = bins.merged(equal_starts(bins.total, _RUN_BINS))
    coarse = coarse.merged(merge_sparse(coarse, _LEAST_EVENTS))
    negative = coarse.net < 0
    change = np.diff(negative.astype(np.int8), prepend=0, append=0)
    runs = zip(np.flatnonzero(change > 0), np.flatnonzero(change < 0), strict=True)
    regions = [_region(coarse, int(first), int(stop), math.nan) for first, stop in runs]
    return tuple(sorted(regions, key=lambda region: region.significance))


def significant_regions(features: Sequence[SignedBins]) -> tuple[NegativeRegion, ...]:
    """Return the intervals with significantly negative Σw, most significant first.

    Each feature is cut into 8, 16, … 1024 cells of equal Σ|w|. A cell is significant if its Σw/√Σw² is so low that the
    probability to find that in *any* of the cells of all features is below the one of −3 standard deviations
    (Bonferroni). The most significant cells are taken first, cells that overlap them dropped, and neighbours joined.

    Valid with few events too: where both signs are equally likely, P(Σw/√Σw² ≤ −t) ≤ exp(−t²/2), and cells with fewer
    than ten effective events are not looked at.

    Args:
        features: the fine bins of every feature of one sample.
    """
    from scipy.special import ndtr

    levels = [(bins, _levels(bins)) for bins in features if bins.total.sum() > 0]
    trials = sum(len(starts) for _, cells in levels for starts in cells)
    limit = float(ndtr(-SIGNIFICANCE))
    regions = [
        region
        for bins, cells in levels
        for region in _joined(bins, _candidates(bins, cells), trials)
        if region.p_value <= limit
    ]
    return tuple(sorted(regions, key=lambda region: region.significance))


def _levels(bins: SignedBins) -> list[NDArray[np.intp]]:
    starts = [equal_starts(bins.total, cells) for cells in _LEVELS]
    # Discrete features have the same cells at several levels: count them once.
    return [s for i, s in enumerate(starts) if i == 0 or not np.array_equal(s, starts[i - 1])]


def _candidates(bins: SignedBins, levels: list[NDArray[np.intp]]) -> list[tuple[float, int, int]]:
    """Return (significance, first bin, stop bin) of all cells with negative Σw, most significant first."""
    found = []
    for starts in levels:
        cells = bins.merged(starts)
        stops = np.append(starts[1:], len(bins))
        square = cells.square.sum(axis=0)
        enough = cells.total**2 >= _LEAST_EVENTS * square
        score = np.divide(cells.net, np.sqrt(square), out=np.zeros(len(cells)), where=enough & (square > 0))
        found += [(float(score[i]), int(starts[i]), int(stops[i])) for i in np.flatnonzero(score < -SIGNIFICANCE)]
    return sorted(found)


def _joined(bins: SignedBins, candidates: list[tuple[float, int, int]], trials: int) -> list[NegativeRegion]:
    from scipy.special import ndtr

    taken: list[tuple[int, int, float]] = []
    for score, first, stop in candidates:
        p_value = min(1.0, float(ndtr(score)) * trials)
        if p_value <= float(ndtr(-SIGNIFICANCE)) and all(stop <= a or first >= b for a, b, _ in taken):
            taken.append((first, stop, p_value))
    joined: list[tuple[int, int, float]] = []
    for first, stop, p_value in sorted(taken):
        if joined and joined[-1][1] == first:
            joined[-1] = (joined[-1][0], stop, min(p_value, joined[-1][2]))
        else:
            joined.append((first, stop, p_value))
    return [_region(bins, *interval) for interval in joined]


def _region(bins: SignedBins, first: int, stop: int, p_value: float) -> NegativeRegion:
    sum_weights = float(bins.net[first:stop].sum())
    error = math.sqrt(float(bins.square[:, first:stop].sum()))
    return NegativeRegion(
        feature=bins.name,
        low=float(bins.edges[first]) if first > 0 else -math.inf,
        high=float(bins.edges[stop]) if stop < len(bins) else math.inf,
        entries=int(bins.count[:, first:stop].sum()),
        sum_weights=Estimate(sum_weights, error),
        significance=sum_weights / error,
        p_value=p_value,
    )

"""Permutation of the signs with (x, |w|) kept: exact p-values for few events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from hepneg.shapes.distance import DISTANCES, distances
from hepneg.shapes.smooth import SmoothScores

__all__ = ["PERMUTATIONS", "permutation_p_values"]

PERMUTATIONS = 1999
_BLOCK_VALUES = 1 << 20
_TIE = 1.0 - 1e-9
_TESTS = (*DISTANCES, "smooth")


def permutation_p_values(
    codes: Sequence[NDArray[np.integer]],
    weight: NDArray[np.float64],
    rng: np.random.Generator,
    permutations: int = PERMUTATIONS,
    fine: Sequence[NDArray[np.integer]] | None = None,
) -> list[dict[str, float]]:
    """Return the p-values of the three distances and of the smooth test for every feature.

    The signs are dealt out anew ``permutations`` times among the events; p = (1 + how often the statistic is at least
    the observed one) / (1 + permutations). The same deals serve all features.

    Args:
        codes: for each feature the bin of each event, (n,), with no bin below the largest code empty.
        weight: (n,) signed weights, both signs present.
        rng: deals the signs.
        permutations: how many deals.
        fine: for each feature finer bins, (n,), for the smooth test; left out, ``codes``.

    Returns:
        For each feature the p-values by name; NaN where all events share one bin.

    Exact at any size where the sign is independent of (x, |w|); where |w| depends on the sign but x does not,
    asymptotically valid because the statistics are studentised.
    """
    magnitude = np.abs(weight)
    negative = weight < 0
    rare = negative if 2 * negative.sum() <= len(weight) else ~negative
    deals = _Deals(magnitude, np.flatnonzero(rare))
    features = [_Feature(code, deals, finer) for code, finer in zip(codes, fine or codes, strict=True)]
    observed = [feature.statistics(np.flatnonzero(rare)[None, :]) for feature in features]
    exceed = [np.zeros(len(_TESTS), np.int64) for _ in codes]
    for chosen in deals.draw(rng, permutations):
        for i, feature in enumerate(features):
            dealt = feature.statistics(chosen)
            exceed[i] += np.count_nonzero(dealt >= observed[i] * _TIE, axis=1)
    return [
        dict(zip(_TESTS, _p_values(count, seen, permutations), strict=True))
        for count, seen in zip(exceed, observed, strict=True)
    ]


def _p_values(count: NDArray[np.int64], observed: NDArray[np.float64], permutations: int) -> list[float]:
    p_values = (1 + count) / (1 + permutations)
    return [float(p) for p in np.where(np.isnan(observed[:, 0]), np.nan, p_values)]


class _Deals:
    """Assignments of the rarer sign to events: only its members are drawn and summed, the rest follows."""

    def __init__(self, magnitude: NDArray[np.float64], rare: NDArray[np.intp]) -> None:
        self.magnitude = magnitude
        self.square = magnitude * magnitude
        self.size = len(rare)

    def draw(self, rng: np.random.Generator, permutations: int) -> Iterator[NDArray[np.intp]]:
        """Yield blocks of shape (p, size) of the events that get the rarer sign."""
        events = len(self.magnitude)
        block = max(1, _BLOCK_VALUES // self.size)
        for start in range(0, permutations, block):
            rows = min(block, permutations - start)
            yield np.stack([rng.choice(events, self.size, replace=False, shuffle=False) for _ in range(rows)])

    def distances(self, code: NDArray[np.integer], chosen: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the distances of each deal, (3, p)."""
        total = np.bincount(code, self.magnitude).astype(np.float64, copy=False)
        bins, rows = len(total), len(chosen)
        if bins < 2:
            return np.full((len(DISTANCES), rows), np.nan)
        flat = (code[chosen] + bins * np.arange(rows)[:, None]).ravel()
        one = np.bincount(flat, self.magnitude[chosen].ravel(), bins * rows).astype(np.float64, copy=False)
        return distances(total, one.reshape(rows, bins), float(self.square.sum()), self.square[chosen].sum(axis=1))


class _Feature:
    """The statistics of one feature under any deal of the signs."""

    def __init__(self, code: NDArray[np.integer], deals: _Deals, fine: NDArray[np.integer]) -> None:
        self.code = code
        self.deals = deals
        values, place = np.unique(fine, return_inverse=True)
        total, square = (
            np.bincount(place, part, len(values)).astype(np.float64, copy=False)
            for part in (deals.magnitude, deals.square)
        )
        self.scores = SmoothScores.of(total, square)
        self.moments = self.scores.of_bin[:, place] * deals.magnitude

    def statistics(self, chosen: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the distances and the smooth statistic of each deal, (4, p); NaN where all events share one bin."""
        distance = self.deals.distances(self.code, chosen)
        if not len(self.moments):
            return np.full((len(_TESTS), len(chosen)), np.nan)
        sums = np.stack([moment[chosen].sum(axis=1) for moment in self.moments], axis=1)
        of_one, square_one = (part[chosen].sum(axis=1) for part in (self.deals.magnitude, self.deals.square))
        return np.vstack([distance, self.scores.statistic(sums, of_one, square_one)])

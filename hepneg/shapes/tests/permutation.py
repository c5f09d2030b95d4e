"""Permutation of the signs with (x, |w|) kept: exact p-values for few events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from hepneg.binning.signed_bins import SignedBins
from hepneg.shapes.tests.combination import ranked, weighted_minimum
from hepneg.shapes.tests.differences import CommonBins, Differences, standardised_gap
from hepneg.shapes.tests.shape_test import ShapeTest, shape_tests

__all__ = ["PERMUTATIONS", "permutation_p_values"]

PERMUTATIONS = 1999
_BLOCK_VALUES = 1 << 20

Floats = NDArray[np.float64]


def permutation_p_values(
    bins: Sequence[SignedBins],
    codes: Sequence[NDArray[np.integer]],
    weight: Floats,
    rng: np.random.Generator,
    permutations: int = PERMUTATIONS,
) -> list[tuple[dict[str, float], float]]:
    """Return the p-value of every test and the combined one, for every feature.

    The signs are dealt out anew ``permutations`` times among the events; a p-value is the share of all deals, the true one
    among them, with a statistic at least as large as the true one. The combined one ranks the smallest p-value over
    its share in the same way. The same deals serve all features and tests.

    Args:
        bins: for each feature the fine bins, filled with these events.
        codes: for each feature the fine bin of each event, (n,).
        weight: (n,) signed weights, both signs present.
        rng: deals the signs.
        permutations: how many deals.

    Returns:
        For each feature the p-values by name, NaN where one cannot be made, and the combined one
        (:func:`hepneg.shapes.feature_check.check_feature`).

    Exact at any size where the sign is independent of (x, |w|); where |w| depends on the sign but x does not,
    asymptotically valid because the statistics are studentised.
    """
    negative = weight < 0
    rare = negative if 2 * negative.sum() <= len(weight) else ~negative
    deals = _Deals(np.abs(weight), np.flatnonzero(rare))
    tests = shape_tests()
    features = [_Feature(tests, one, code, deals) for one, code in zip(bins, codes, strict=True)]
    values: list[list[Floats]] = [[] for _ in features]
    for chosen in deals.draw(rng, permutations):
        square = deals.square[chosen].sum(axis=1)
        for feature, found in zip(features, values, strict=True):
            found.append(feature.values(chosen, square))
    return [_p_values(tests, np.hstack(found)) for found in values]


def _p_values(tests: Sequence[ShapeTest], values: Floats) -> tuple[dict[str, float], float]:
    """Rank the first permutation, which is the true one, among all; values (T, P)."""
    p_values = [np.full_like(row, np.nan) if np.isnan(row).any() else ranked(row) for row in values]
    combined = ranked(1.0 / weighted_minimum(tests, p_values))
    return {test.name: float(p[0]) for test, p in zip(tests, p_values, strict=True)}, float(combined[0])


class _Deals:
    """Assignments of the rarer sign to events: only its members are drawn and summed, the rest follows."""

    def __init__(self, magnitude: Floats, rare: NDArray[np.intp]) -> None:
        self.magnitude = magnitude
        self.square = magnitude * magnitude
        self.rare = rare

    def draw(self, rng: np.random.Generator, permutations: int) -> Iterator[NDArray[np.intp]]:
        """Yield blocks of shape (p, size) of the events that get the rarer sign, the true deal first."""
        events, size = len(self.magnitude), len(self.rare)
        yield self.rare[None, :]
        block = max(1, _BLOCK_VALUES // size)
        for start in range(0, permutations, block):
            rows = min(block, permutations - start)
            yield np.stack([rng.choice(events, size, replace=False, shuffle=False) for _ in range(rows)])


class _Feature:
    """The statistics of one feature under any deal of the signs."""

    def __init__(self, tests: Sequence[ShapeTest], bins: SignedBins, code: NDArray[np.integer], deals: _Deals) -> None:
        self.tests = tests
        self.bins = CommonBins.of(bins)
        self.code = np.searchsorted(self.bins.starts, code, side="right") - 1
        self.deals = deals

    def values(self, chosen: NDArray[np.intp], square: Floats) -> Floats:
        """Return the statistics of each deal, (7, p), given the events of one sign (p, size) and their Σw² (p,)."""
        total = self.bins.total
        rows = np.arange(len(chosen))[:, None]
        flat = (self.code[chosen] + len(total) * rows).ravel()
        sums = np.bincount(flat, self.deals.magnitude[chosen].ravel(), len(total) * len(chosen))
        one = sums.astype(np.float64, copy=False).reshape(len(chosen), -1)
        if len(total) < 2:
            return np.full((len(self.tests), len(chosen)), np.nan)
        gap = standardised_gap(total, one, float(self.deals.square.sum()), square)
        differences = Differences(gap, self.bins)
        return np.stack([test.statistic(differences) for test in self.tests])

"""P-values by permutation: exact for few events, where |w| depends on the sign too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from hepneg.binning.signed_bins import SignedBins
from hepneg.shapes.shape_tests.combination import ranked, weighted_minimum
from hepneg.shapes.shape_tests.differences import CommonBins, Differences, standardised_gap
from hepneg.shapes.shape_tests.rearrangements import BLOCK_VALUES, Observations
from hepneg.shapes.shape_tests.shape_test import ShapeTest, shape_tests

__all__ = ["PERMUTATIONS", "permutation_p_values"]

PERMUTATIONS = 1999

Floats = NDArray[np.float64]
_PValues = tuple[dict[str, float], float]
_Block = tuple[NDArray[Any], Floats]


def permutation_p_values(
    bins: Sequence[SignedBins],
    codes: Sequence[NDArray[np.integer]],
    weight: Floats,
    rng: np.random.Generator,
    permutations: int = PERMUTATIONS,
    *,
    cluster: NDArray[np.intp] | None = None,
) -> list[_PValues]:
    """Return the p-value of every test and the combined one, for every feature.

    A p-value is the share of all permutations, the events themselves among them, with a statistic at least as large as
    theirs. The combined one ranks the minimum p-value over its share in the same way. Signs are permuted, and, where
    |w| or the number of rows varies, so are whole signed weights (:mod:`hepneg.shapes.shape_tests.rearrangements`); the
    larger p-value counts. The same permutations serve all features and tests.

    Args:
        bins: for each feature the fine bins, filled with these events.
        codes: for each feature the fine bin of each event, (n,).
        weight: (n,) signed weights, none 0, both signs present.
        rng: permutes.
        permutations: how many.
        cluster: of each row, (n,); left out, rows are independent.

    Returns:
        For each feature the p-values by name, NaN where one cannot be made, and the combined one
        (:func:`hepneg.shapes.feature_check.check_feature`).

    Exact at any size, up to the steps of the p-values, under either of two nulls: the sign is independent of (x, |w|),
    or x is independent of (sign, |w|); with clusters, the same of their rows together. Where both |w| and the counts
    depend on x and the sign in such a way that only the weighted shapes are equal, it holds for many events, as far as
    studentised statistics do.
    """
    observations, tests = Observations.of(weight, cluster), shape_tests()
    features = [_Feature.of(tests, *pair, observations) for pair in zip(bins, codes, strict=True)]
    if observations.clustered:
        signs = _ranked(features, observations.negative_units(rng, permutations), _Feature.of_negative_units)
    else:
        signs = _ranked(features, _rarer_sign(observations, rng, permutations), _Feature.of_rarer_sign)
    if observations.alike:
        return signs
    statistics = _Feature.of_rows if observations.clustered else _Feature.of_exchangeable_rows
    weights = _ranked(features, observations.permuted_weights(rng, permutations), statistics)
    return [_larger(*pair) for pair in zip(signs, weights, strict=True)]


def _ranked(
    features: Sequence[_Feature], blocks: Iterable[_Block], statistics: Callable[[_Feature, _Block], Floats]
) -> list[_PValues]:
    values = [[feature.observed(statistics)] for feature in features]
    for block in blocks:
        for feature, parts in zip(features, values, strict=True):
            parts.append(statistics(feature, block))
    return [feature.p_values(np.hstack(parts)) for feature, parts in zip(features, values, strict=True)]


def _larger(first: _PValues, second: _PValues) -> _PValues:
    return {name: max(p, second[0][name]) for name, p in first[0].items()}, max(first[1], second[1])


def _rarer_sign(observations: Observations, rng: np.random.Generator, permutations: int) -> Iterator[_Block]:
    """Yield the events that get the rarer sign, (p, size), and their Σw²: only these need be drawn and summed."""
    events, size = len(observations.weight), len(observations.rarer)
    block = max(1, BLOCK_VALUES // size)
    for start in range(0, permutations, block):
        rows = min(block, permutations - start)
        rare = np.stack([rng.choice(events, size, replace=False, shuffle=False) for _ in range(rows)])
        yield rare, observations.square[rare].sum(axis=1)


@dataclass(frozen=True, eq=False, slots=True)
class _Feature:
    """The statistics of one feature under any permutation.

    Attributes:
        tests: that are made.
        bins: chosen by numbers of events, which no permutation changes.
        code: bin of each row, (n,).
        order: rows in order of their bins, (n,).
        first: the first row of each bin in that order, (B,).
        observations: the weights.
    """

    tests: Sequence[ShapeTest]
    bins: CommonBins
    code: NDArray[np.intp]
    order: NDArray[np.intp]
    first: NDArray[np.intp]
    observations: Observations

    @classmethod
    def of(
        cls, tests: Sequence[ShapeTest], bins: SignedBins, code: NDArray[np.integer], observations: Observations
    ) -> Self:
        """Sort the rows into bins."""
        common = CommonBins.by_counts(bins)
        coarse = np.searchsorted(common.starts, code, side="right") - 1
        order = np.argsort(coarse, kind="stable")
        return cls(tests, common, coarse, order, np.searchsorted(coarse[order], np.arange(len(common))), observations)

    def observed(self, statistics: Callable[[_Feature, _Block], Floats]) -> Floats:
        """Return the statistics of the events themselves, (T, 1)."""
        weights = self.observations
        square = np.array([weights.square_negative])
        if statistics == _Feature.of_rarer_sign:
            return self.of_rarer_sign((weights.rarer[None], weights.square[weights.rarer].sum(keepdims=True)))
        if statistics == _Feature.of_negative_units:
            return self.of_negative_units((weights.negative[None], square))
        return self.of_rows((weights.weight[None], square))

    def of_rarer_sign(self, block: _Block) -> Floats:
        """Return the statistics, (T, p), given the events of the rarer sign (p, size) and their Σw² (p,)."""
        rare, square = block
        magnitude = np.abs(self.observations.weight)
        flat = (self.code[rare] + len(self.bins) * np.arange(len(rare))[:, None]).ravel()
        sums = np.bincount(flat, magnitude[rare].ravel(), len(self.bins) * len(rare))
        part = sums.astype(np.float64, copy=False).reshape(len(rare), -1)
        return self._statistics(self.bins, part, square)

    def of_negative_units(self, block: _Block) -> Floats:
        """Return the statistics, (T, p), given which units are negative (p, U) and Σ(Σ|w|)² of those (p,)."""
        negative, square = block
        magnitude = np.abs(self.observations.weight)[self.order]
        part = np.add.reduceat(negative[:, self.observations.unit[self.order]] * magnitude, self.first, axis=1)
        return self._statistics(self.bins, part, square)

    def of_rows(self, block: _Block) -> Floats:
        """Return the statistics, (T, p), of signed weights of rows (p, n) and Σ(Σ|w|)² of the negative ones (p,)."""
        signed, square = block
        return self.of_exchangeable_rows((signed[:, self.order], square))

    def of_exchangeable_rows(self, block: _Block) -> Floats:
        """Return the same for weights in order of the bins: exchangeable rows need not be sorted."""
        signed, square_negative = block
        magnitude = np.abs(signed)
        total, square, part = (
            np.add.reduceat(values, self.first, axis=1)
            for values in (magnitude, magnitude**2, np.where(signed < 0, magnitude, 0.0))
        )
        return self._statistics(replace(self.bins, total=total, square=square), part, square_negative)

    def _statistics(self, bins: CommonBins, part: Floats, square: Floats) -> Floats:
        if len(bins) < 2:
            return np.full((len(self.tests), len(part)), np.nan)
        gap = standardised_gap(bins.total, part, float(self.observations.square.sum()), square)
        differences = Differences(gap, bins)
        return np.stack([test.statistic(differences) for test in self.tests])

    def p_values(self, values: Floats) -> _PValues:
        """Rank the events themselves, which come first, among all; values (T, 1 + P)."""
        p_values = [np.full_like(row, np.nan) if np.isnan(row).any() else ranked(row) for row in values]
        combined = ranked(1.0 / weighted_minimum(self.tests, p_values))
        return {test.name: float(p[0]) for test, p in zip(self.tests, p_values, strict=True)}, float(combined[0])

"""The difference between positive and negative events, measured in units of systematic weight variations."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hepneg._core.estimate import Estimate
from hepneg._core.output import json_ready
from hepneg.errors import DataError
from hepneg.metrics.scored import Floats, finite_column

__all__ = [
    "SystematicComparison",
    "WeightMoments",
    "compare_with_systematics",
    "in_systematic_spreads",
    "systematic_comparison",
    "weight_columns",
    "weight_moments",
]

SIGNIFICANCE = 2.0
"""The systematic spread must be so many standard deviations above 0 for a ratio to be given."""
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False, slots=True)
class SystematicComparison:
    """What ignoring the signs does to the shape of one feature, against what the systematic variations do.

    Attributes:
        name: of the feature.
        sign_difference: total variation between the signed shape and that of \\|w\\|, the expected noise taken off.
        systematic: total variation between the nominal signed shape and that of each variation, likewise.
        spread: ½ Σ over the bins of the quadratic sum of all variations.
        ratio: sign difference over spread; NaN where the spread is not significant.
    """

    name: str
    sign_difference: Estimate
    systematic: dict[str, Estimate]
    spread: Estimate
    ratio: Estimate

    def __str__(self) -> str:
        return f"{self.name}: the signs matter {self.ratio} times as much as the systematic variations"

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain numbers."""
        ready: dict[str, Any] = json_ready(
            {
                "sign_difference": self.sign_difference.to_dict(),
                "systematic": {name: part.to_dict() for name, part in self.systematic.items()},
                "spread": self.spread.to_dict(),
                "ratio": self.ratio.to_dict(),
            }
        )
        return ready


def compare_with_systematics(
    values: ArrayLike, weight: ArrayLike, variations: Mapping[str, ArrayLike], *, name: str = "x", bins: int = 10
) -> SystematicComparison:
    """Express the effect of the signs on a feature's shape in units of its systematic uncertainty.

    Args:
        values: (n,) of the feature.
        weight: (n,) nominal signed weights.
        variations: alternative signed weights (n,) of the same events, by name: scales, parton densities, …
        name: of the feature.
        bins: of equal population.

    Returns:
        The total variations with their errors, linear in the fluctuations of the events, which all shapes share. All
        are normalised to 1, so rates do not count. A ratio well below 1 says that a bias of the size of the whole sign
        effect would be lost in the systematic uncertainty; it says nothing about the statistical one.

    Raises:
        DataError: no variations, unusable columns, or weights that do not sum to a positive number.

    What the total variations are expected to be by chance alone is taken off in quadrature. Source of the idea:
    Giammanco, PoS(TOP2015) 044.
    """
    x, nominal = finite_column(values, "values"), finite_column(weight, "weight")
    if not variations:
        raise DataError("no systematic variations are given; there is nothing to compare with")
    columns = weight_columns(nominal, {key: finite_column(column, key) for key, column in variations.items()})
    place = _quantile_bins(x, bins)
    if len(place) != len(columns):
        raise DataError(f"there are {len(place)} values, but {len(columns)} weights; give one of each per event")
    return systematic_comparison(weight_moments(place, columns, int(place.max()) + 1), list(variations), name)


def in_systematic_spreads(systematics: Iterable[SystematicComparison]) -> str:
    """Return the clause on the largest ratio of some features, empty where no ratio is known."""
    known = [part for part in systematics if math.isfinite(part.ratio.value)]
    if not known:
        return ""
    largest = max(known, key=lambda part: part.ratio.value)
    return f"; the largest such bias is {largest.ratio} times the systematic spread ({largest.name})"


def weight_columns(weight: Floats, variations: Mapping[str, Floats]) -> Floats:
    """Put the nominal weight, its magnitude and the variations side by side, (n, 2 + V).

    Raises:
        DataError: a variation has another number of events.
    """
    for key, column in variations.items():
        if column.shape != weight.shape:
            raise DataError(f"the variation {key!r} has shape {column.shape}, but there are {len(weight)} events")
    return np.column_stack([weight, np.abs(weight), *variations.values()])


@dataclass(frozen=True, eq=False, slots=True)
class WeightMoments:
    """Sums over the events of each bin for K weights: the nominal, its magnitude, and the variations.

    Attributes:
        content: (B, K) Σ w_k.
        cross: (B, K, K) Σ w_k w_l, from which the errors follow with all correlations.
    """

    content: Floats
    cross: Floats

    def __add__(self, other: WeightMoments) -> WeightMoments:
        return WeightMoments(self.content + other.content, self.cross + other.cross)


def weight_moments(place: NDArray[np.integer], columns: Floats, bins: int) -> WeightMoments:
    """Sum weights and their products bin by bin.

    Args:
        place: (n,) bin of each event, 0 to ``bins`` − 1.
        columns: (n, K) weights, as :func:`weight_columns` orders them.
        bins: how many there are.
    """
    order = np.argsort(place, kind="stable")
    bounds = np.searchsorted(place[order], np.arange(bins + 1))
    parts = [columns[order[low:high]] for low, high in pairwise(bounds)]
    return WeightMoments(np.stack([part.sum(axis=0) for part in parts]), np.stack([part.T @ part for part in parts]))


def systematic_comparison(moments: WeightMoments, variations: Sequence[str], name: str) -> SystematicComparison:
    """Compare one feature with its systematic variations, from its sums.

    Args:
        moments: of the nominal weight, its magnitude, and the variations.
        variations: their names.
        name: of the feature.

    Raises:
        DataError: weights that do not sum to a positive number.
    """
    shapes = _Shapes.of(moments, ["the nominal weights", "|w|", *(f"the variation {key!r}" for key in variations)])
    signs, spread = _total_variation(shapes, 1), _quadratic_spread(shapes)
    systematic = {key: _total_variation(shapes, 2 + number).estimate() for number, key in enumerate(variations)}
    return SystematicComparison(name, signs.estimate(), systematic, spread.estimate(), _ratio(signs, spread))


@dataclass(frozen=True, eq=False, slots=True)
class _Shapes:
    """Normalised histograms of K weights of the same events, the nominal first, and the covariance of their bins."""

    content: Floats
    covariance: Floats

    @classmethod
    def of(cls, moments: WeightMoments, what: Sequence[str]) -> _Shapes:
        """Normalise the sums, or say which weights have no shape."""
        total = moments.content.sum(axis=0)
        for weights, value in zip(what, total, strict=True):
            if value <= 0:
                raise DataError(
                    f"{weights} sum to {value:.6g}: there is no shape; use more events or a looser selection"
                )
        return cls(moments.content / total, moments.cross / np.outer(total, total))

    def measure(self, value: float, slope: Floats) -> _Measure:
        """Return a value that changes by Σ slope·content, (B, K), with the normalisation of each weight."""
        return _Measure(value, slope - np.sum(slope * self.content, axis=0), self)

    def noise(self, number: int) -> float:
        """Return the total variation between the nominal and another shape that chance alone is expected to give."""
        pair = self.covariance[:, [number, 0]][:, :, [number, 0]]
        direction = np.array([1.0, -1.0])
        share = self.content[:, [number, 0]] * direction
        own = np.einsum("k,bkl,l->b", direction, pair, direction)
        mixed = np.einsum("k,bkl,bl->b", direction, pair, share)
        whole = np.einsum("bk,kl,bl->b", share, pair.sum(axis=0), share)
        deviation = np.sqrt(np.maximum(own - 2.0 * mixed + whole, 0.0))
        return 0.5 * math.sqrt(2.0 / math.pi) * float(deviation.sum())


@dataclass(frozen=True, eq=False, slots=True)
class _Measure:
    """A value, and by how much a weight in each bin changes it, (B, K), in units of the weights' sums."""

    value: float
    slope: Floats
    shapes: _Shapes

    @property
    def error(self) -> float:
        """From the sums of products of weights in each bin."""
        variance = float(np.einsum("bk,bkl,bl->", self.slope, self.shapes.covariance, self.slope))
        return math.sqrt(max(variance, 0.0))

    def estimate(self) -> Estimate:
        """Return the value with its error."""
        return Estimate(self.value, self.error)

    def without(self, noise: float) -> _Measure:
        """Take noise off in quadrature; the error stays finite where nothing is left."""
        value = math.sqrt(max(self.value**2 - noise**2, 0.0))
        largest = max(value, math.sqrt(self.value * self.error))
        return _Measure(value, self.slope * (self.value / largest if largest > 0 else 0.0), self.shapes)


def _total_variation(shapes: _Shapes, number: int) -> _Measure:
    gap = shapes.content[:, number] - shapes.content[:, 0]
    slope = np.zeros_like(shapes.content)
    slope[:, number] = 0.5 * np.sign(gap)
    slope[:, 0] -= slope[:, number]
    return shapes.measure(0.5 * float(np.abs(gap).sum()), slope).without(shapes.noise(number))


def _quadratic_spread(shapes: _Shapes) -> _Measure:
    gaps = shapes.content[:, 2:] - shapes.content[:, :1]
    size = np.sqrt(np.sum(gaps**2, axis=1, keepdims=True))
    slope = np.zeros_like(shapes.content)
    slope[:, 2:] = 0.5 * np.divide(gaps, size, out=np.zeros_like(gaps), where=size > 0)
    slope[:, 0] = -slope[:, 2:].sum(axis=1)
    return shapes.measure(0.5 * float(size.sum()), slope)


def _ratio(signs: _Measure, spread: _Measure) -> Estimate:
    if spread.value <= max(SIGNIFICANCE * spread.error, _ROUNDING):
        return Estimate(float("nan"), float("nan"))
    value = signs.value / spread.value
    return _Measure(value, (signs.slope - value * spread.slope) / spread.value, signs.shapes).estimate()


def _quantile_bins(x: Floats, bins: int) -> NDArray[np.intp]:
    edges = np.unique(np.quantile(x, np.arange(1, bins) / bins, method="inverted_cdf")) if len(x) else x
    return np.asarray(np.unique(np.searchsorted(edges, x, side="right"), return_inverse=True)[1])

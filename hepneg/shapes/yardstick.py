"""The difference between positive and negative events, measured in units of systematic weight variations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hepneg.errors import DataError
from hepneg.estimate import Estimate
from hepneg.metrics.scored import Floats, finite_column
from hepneg.output import json_ready

__all__ = ["Yardstick", "systematic_yardstick"]

SIGNIFICANCE = 2.0
"""The systematic spread must be so many standard deviations above 0 for a ratio to be given."""


@dataclass(frozen=True, eq=False, slots=True)
class Yardstick:
    """What ignoring the signs does to the shape of one feature, against what the systematic variations do.

    Attributes:
        name: of the feature.
        sign_difference: total variation between the signed shape and that of \\|w\\|.
        systematic: total variation between the nominal signed shape and that of each variation.
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


def systematic_yardstick(
    values: ArrayLike, weight: ArrayLike, variations: Mapping[str, ArrayLike], *, name: str = "x", bins: int = 10
) -> Yardstick:
    """Express the effect of the signs on a feature's shape in units of its systematic uncertainty.

    Args:
        values: (n,) of the feature.
        weight: (n,) nominal signed weights.
        variations: alternative signed weights (n,) of the same events, by name: scales, parton densities, …
        name: of the feature.
        bins: of equal population.

    Returns:
        The total variations with their errors, linear in the fluctuations of the events, which all shapes share. All are
        normalised to 1, so rates do not count. A ratio well below 1 says that a bias of the size of the whole sign
        effect would be lost in the systematic uncertainty; it says nothing about the statistical one.

    Raises:
        DataError: no variations, unusable columns, or weights that do not sum to a positive number.

    The total variations are sums of magnitudes: statistical noise biases them upwards by about their error, so use bins
    with many events. Source of the idea: Giammanco, PoS(TOP2015) 044.
    """
    x, nominal = finite_column(values, "values"), finite_column(weight, "weight")
    if not variations:
        raise DataError("no systematic variations are given; there is nothing to measure with")
    place = _quantile_bins(x, bins)
    signed = _Shape.of(nominal, place, "the nominal weights")
    signs = _total_variation(signed, _Shape.of(np.abs(nominal), place, "|w|"))
    shapes = {key: _Shape.of(finite_column(w, key), place, f"the variation {key!r}") for key, w in variations.items()}
    systematic = {key: _total_variation(signed, shape).estimate() for key, shape in shapes.items()}
    spread = _quadratic_spread(signed, list(shapes.values()))
    return Yardstick(name, signs.estimate(), systematic, spread.estimate(), _ratio(signs, spread))


@dataclass(frozen=True, eq=False, slots=True)
class _Measure:
    """A value and each event's contribution to its fluctuation."""

    value: float
    contribution: Floats

    def estimate(self) -> Estimate:
        """Return the value with its error."""
        return Estimate(self.value, float(np.sqrt(self.contribution @ self.contribution)))


@dataclass(frozen=True, eq=False, slots=True)
class _Shape:
    """A normalised histogram, and the events' shares in it."""

    content: Floats
    share: Floats
    place: NDArray[np.intp]

    @classmethod
    def of(cls, weight: Floats, place: NDArray[np.intp], what: str) -> _Shape:
        """Normalise a weight's histogram, or say which weights have none."""
        if weight.shape != place.shape:
            raise DataError(f"{what} have shape {weight.shape}, but there are {len(place)} events")
        total = float(weight.sum())
        if total <= 0:
            raise DataError(f"{what} sum to {total:.6g}: there is no shape; use more events or a looser selection")
        share = weight / total
        return cls(np.asarray(np.bincount(place, share, int(place.max()) + 1), np.float64), share, place)

    def contribution(self, slope: Floats) -> Floats:
        """Return what each event adds to Σ slope·content, with the normalisation, (n,)."""
        return np.asarray(self.share * (slope[self.place] - slope @ self.content))


def _total_variation(one: _Shape, other: _Shape) -> _Measure:
    gap = other.content - one.content
    slope = 0.5 * np.sign(gap)
    return _Measure(0.5 * float(np.abs(gap).sum()), other.contribution(slope) - one.contribution(slope))


def _quadratic_spread(nominal: _Shape, variations: list[_Shape]) -> _Measure:
    gaps = np.array([shape.content - nominal.content for shape in variations])
    size = np.sqrt(np.sum(gaps**2, axis=0))
    slopes = 0.5 * np.divide(gaps, size, out=np.zeros_like(gaps), where=size > 0)
    parts = [shape.contribution(slope) for shape, slope in zip(variations, slopes, strict=True)]
    contribution = np.sum(parts, axis=0) - nominal.contribution(slopes.sum(axis=0))
    return _Measure(0.5 * float(size.sum()), contribution)


def _ratio(signs: _Measure, spread: _Measure) -> Estimate:
    if spread.value <= SIGNIFICANCE * spread.estimate().error:
        return Estimate(float("nan"), float("nan"))
    value = signs.value / spread.value
    return _Measure(value, (signs.contribution - value * spread.contribution) / spread.value).estimate()


def _quantile_bins(x: Floats, bins: int) -> NDArray[np.intp]:
    edges = np.unique(np.quantile(x, np.arange(1, bins) / bins, method="inverted_cdf")) if len(x) else x
    return np.asarray(np.unique(np.searchsorted(edges, x, side="right"), return_inverse=True)[1])

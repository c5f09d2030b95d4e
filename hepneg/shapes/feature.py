"""The check of one feature of one sample."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from hepneg.estimate import Estimate
from hepneg.output import json_ready
from hepneg.shapes.bins import SignedBins
from hepneg.shapes.distance import TEST_BINS, asymptotic_p_values
from hepneg.shapes.effect import Comparison, Pull, compare
from hepneg.shapes.rebin import comparison_starts, equal_starts

__all__ = ["FeatureShape", "check_feature", "holm", "primary_p_value"]

_COMPARISON_BINS = 40
_LEAST_EFFECTIVE = 10.0
# How the significance level is shared out: the smooth differences that physics makes are Anderson–Darling's, narrow
# ones the χ²'s.
_SHARES = {"anderson_darling": 0.8, "chi2": 0.2}


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class FeatureShape:
    """Positive-only against |negative-only| of one feature in one sample.

    Attributes:
        name: of the feature.
        p_value: probability of so large a difference by chance; see :func:`primary_p_value`.
        p_adjusted: the same after Holm's correction for the number of features.
        total_variation: between the normalised positive-only and |negative-only| shapes, 0 to 1, with the expected
            noise taken off in quadrature.
        signed_total_variation: between the signed shape and that of |w|: the bias of training with |w|. It is the
            former times 2f(1 − f)/(1 − 2f), f the weighted negative fraction; NaN where Σw ≤ 0.
        tests: p-value of each test: ``anderson_darling``, ``cramer_von_mises``, ``kolmogorov_smirnov``, ``chi2``; NaN
            where one cannot be made.
        method: how the first three were found, ``permutation`` or ``asymptotic``.
        comparison: the two shapes in bins, with ratio and pulls, for drawing.
    """

    name: str
    p_value: float
    p_adjusted: float
    total_variation: Estimate
    signed_total_variation: Estimate
    tests: dict[str, float]
    method: Literal["permutation", "asymptotic"]
    comparison: Comparison

    @property
    def largest_pull(self) -> Pull:
        """The bin in which the two shapes differ most."""
        return self.comparison.largest_pull

    def __repr__(self) -> str:
        return (
            f"FeatureShape({self.name!r}, total variation {self.total_variation}, p {self.p_value:.3g}, "
            f"adjusted {self.p_adjusted:.3g})"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the figures, and the sums by bin, as plain numbers and lists."""
        pull = self.largest_pull
        ready: dict[str, Any] = json_ready(
            {
                "p_value": self.p_value,
                "p_adjusted": self.p_adjusted,
                "total_variation": self.total_variation.value,
                "total_variation_error": self.total_variation.error,
                "total_variation_raw": self.comparison.raw_total_variation,
                "total_variation_null": self.comparison.null_total_variation,
                "signed_total_variation": self.signed_total_variation.value,
                "signed_total_variation_error": self.signed_total_variation.error,
                "largest_pull": {"value": pull.value, "low": pull.low, "high": pull.high},
                "tests": self.tests,
                "method": self.method,
                "chi2": self.comparison.chi2,
                "degrees": self.comparison.degrees,
                "histogram": self.comparison.bins.to_dict(),
            }
        )
        return ready


def primary_p_value(tests: dict[str, float]) -> float:
    """Combine the Anderson–Darling and the χ² test into one valid p-value.

    The significance level is shared 0.8 to 0.2 between them (weighted Bonferroni): p = min(p_AD/0.8, p_χ²/0.2), which is
    valid whatever their correlation. Where the χ² cannot be made (fewer than two bins) it is p_AD alone.
    """
    if math.isnan(tests["anderson_darling"]):
        return 1.0
    if math.isnan(tests["chi2"]):
        return tests["anderson_darling"]
    return min(1.0, *(tests[name] / share for name, share in _SHARES.items()))


def check_feature(
    bins: SignedBins, permuted: dict[str, float] | None, negative_fraction: float, rng: np.random.Generator
) -> FeatureShape:
    """Check one feature; the p-value is adjusted later, when those of the other features are known.

    Args:
        bins: fine bins with events of both signs.
        permuted: p-values of the distance tests by permutation, or None for the asymptotic ones.
        negative_fraction: weighted, of the sample.
        rng: draws the law of the Kolmogorov–Smirnov distance.
    """
    comparison = compare(bins.merged(comparison_starts(bins, _COMPARISON_BINS, _LEAST_EFFECTIVE)))
    coarse = bins.merged(equal_starts(bins.total, TEST_BINS))
    distances = permuted or (asymptotic_p_values(coarse, rng) if len(coarse) > 1 else _UNDEFINED)
    tests = {**distances, "chi2": comparison.p_value}
    p_value = primary_p_value(tests)
    total, f = comparison.total_variation, negative_fraction
    shrink = 2.0 * f * (1.0 - f) / (1.0 - 2.0 * f) if f < 0.5 else math.nan
    return FeatureShape(
        name=bins.name,
        p_value=p_value,
        p_adjusted=p_value,
        total_variation=total,
        signed_total_variation=Estimate(total.value * shrink, total.error * shrink),
        tests=tests,
        method="permutation" if permuted else "asymptotic",
        comparison=comparison,
    )


_UNDEFINED = {"anderson_darling": math.nan, "cramer_von_mises": math.nan, "kolmogorov_smirnov": math.nan}


def holm(features: dict[str, FeatureShape]) -> dict[str, FeatureShape]:
    """Return the features with p-values adjusted by Holm's method (Scand. J. Stat. 6 (1979) 65)."""
    adjusted: dict[str, float] = {}
    reached = 0.0
    for rank, (name, shape) in enumerate(sorted(features.items(), key=lambda item: item[1].p_value)):
        reached = max(reached, min(1.0, (len(features) - rank) * shape.p_value))
        adjusted[name] = reached
    return {name: replace(shape, p_adjusted=adjusted[name]) for name, shape in features.items()}

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
from hepneg.shapes.multiple import weighted_holm
from hepneg.shapes.rebin import comparison_starts, equal_starts
from hepneg.shapes.smooth import smooth_p_value

__all__ = ["SHARES", "FeatureShape", "check_feature", "holm", "primary_p_value"]

_COMPARISON_BINS = 40
_LEAST_EFFECTIVE = 10.0
SHARES = {"anderson_darling": 0.5, "smooth": 0.4, "chi2": 0.1}
"""How the significance level of a feature is shared out; see :func:`primary_p_value`."""
_LEAST_FOR_CHI2 = 20.0


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class FeatureShape:
    """Positive-only against |negative-only| of one feature in one sample.

    Attributes:
        name: of the feature.
        p_value: probability of so large a difference by chance; see :func:`primary_p_value`.
        p_adjusted: the same after Holm's correction for the other features, and the multivariate test if there is one.
        total_variation: between the normalised positive-only and |negative-only| shapes, 0 to 1, with the expected
            noise taken off in quadrature.
        signed_total_variation: between the signed shape and that of |w|: the bias of training with |w|. It is the
            former times 2f(1 − f)/(1 − 2f), f the weighted negative fraction; NaN where Σw ≤ 0.
        tests: p-value of each test: ``anderson_darling``, ``cramer_von_mises``, ``kolmogorov_smirnov``,
            ``smooth``, ``chi2``; NaN where one cannot be made.
        method: how all but the χ² were found, ``permutation`` or ``asymptotic``.
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


def primary_p_value(tests: dict[str, float], *, with_chi2: bool = True) -> float:
    """Combine the Anderson–Darling, the smooth and the χ² test into one valid p-value.

    The significance level is shared 0.5, 0.4 and 0.1 between them (weighted Bonferroni): p is the smallest p-value over
    its share, which is valid whatever their correlation. Anderson–Darling is the strongest for shifts, the smooth test by
    far for widths and tails, and the χ² is for narrow structures that neither of them sees. The share of a test that is
    not made goes to the others in proportion.

    Args:
        tests: p-value of each test, NaN where it cannot be made.
        with_chi2: whether there are events enough for the law of the χ².
    """
    made = [name for name in SHARES if not math.isnan(tests[name]) and (with_chi2 or name != "chi2")]
    if "anderson_darling" not in made:
        return 1.0
    whole = sum(SHARES[name] for name in made)
    return min(1.0, *(tests[name] * whole / SHARES[name] for name in made))


def _enough_for_chi2(bins: SignedBins) -> bool:
    """Whether the rarer sign has some 20 effective events.

    The effective events of both signs are shared out by counts: that is the same for every deal of the signs, so the
    choice of tests cannot favour an outcome.
    """
    count, square = bins.count.sum(axis=1), float(bins.square.sum())
    return bool(float(bins.total.sum()) ** 2 * count.min() >= _LEAST_FOR_CHI2 * square * count.sum())


def check_feature(
    bins: SignedBins, permuted: dict[str, float] | None, negative_fraction: float, rng: np.random.Generator
) -> FeatureShape:
    """Check one feature; the p-value is adjusted later, when those of the other features are known.

    Args:
        bins: fine bins with events of both signs.
        permuted: p-values of the distances and the smooth test by permutation, or None for the asymptotic ones.
        negative_fraction: weighted, of the sample.
        rng: draws the law of the Kolmogorov–Smirnov distance.
    """
    comparison = compare(bins.merged(comparison_starts(bins, _COMPARISON_BINS, _LEAST_EFFECTIVE)))
    coarse = bins.merged(equal_starts(bins.total, TEST_BINS))
    tests = {**(permuted or _asymptotic(bins, coarse, rng)), "chi2": comparison.p_value}
    p_value = primary_p_value(tests, with_chi2=_enough_for_chi2(bins))
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


def _asymptotic(bins: SignedBins, coarse: SignedBins, rng: np.random.Generator) -> dict[str, float]:
    distances = asymptotic_p_values(coarse, rng) if len(coarse) > 1 else _UNDEFINED
    return {**distances, "smooth": smooth_p_value(bins)}


def holm(features: dict[str, FeatureShape]) -> dict[str, FeatureShape]:
    """Return the features with p-values adjusted by Holm's method (Scand. J. Stat. 6 (1979) 65)."""
    adjusted = weighted_holm([shape.p_value for shape in features.values()], [1.0] * len(features))
    return {name: replace(shape, p_adjusted=p) for (name, shape), p in zip(features.items(), adjusted, strict=True)}

"""The check of one feature of one sample."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hepneg._core.estimate import Estimate
from hepneg._core.output import json_ready
from hepneg.binning.rebin import comparison_starts
from hepneg.binning.signed_bins import SignedBins
from hepneg.shapes.effect import Comparison, Pull, compare
from hepneg.shapes.shape_tests.null_distribution import asymptotic_p_values

__all__ = ["FeatureShape", "check_feature"]


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class FeatureShape:
    """Positive-only against |negative-only| of one feature in one sample.

    Attributes:
        name: of the feature.
        p_value: probability of so large a difference by chance, all tests combined; see :func:`check_feature`.
        p_adjusted: the same after Holm's correction for the other features, and the multivariate test if there is one.
        total_variation: between the normalised positive-only and |negative-only| shapes, 0 to 1, with the expected
            noise taken off in quadrature.
        signed_total_variation: between the signed shape and that of |w|: the bias of training with |w|. It is the
            former times 2f(1 − f)/(1 − 2f), f the weighted negative fraction; NaN where Σw ≤ 0.
        tests: p-value of each test: ``anderson_darling``, ``cramer_von_mises``, ``kolmogorov_smirnov``, ``location``
            and ``width`` (the first two moments of the normal scores), ``smooth`` (the first four), ``chi2``, and those
            that were registered; NaN where one cannot be made.
        method: how they were found, ``permutation`` or ``asymptotic``.
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


def check_feature(
    bins: SignedBins,
    permuted: tuple[dict[str, float], float] | None,
    negative_fraction: float,
    rng: np.random.Generator,
    widened: Callable[[SignedBins, NDArray[np.intp]], SignedBins] = lambda coarse, _starts: coarse,
) -> FeatureShape:
    """Check one feature; the p-value is adjusted later, when those of the other features are known.

    The combined p-value is the probability of so small a p-value in any of the Anderson–Darling, width, smooth and χ²
    tests, each p-value over its share of the significance level
    (:class:`hepneg.shapes.shape_tests.shape_test.ShapeTest`). That probability comes from the joint null distribution
    of the tests (Westfall and Young, Resampling-Based Multiple Testing, Wiley 1993): from the permutations themselves,
    or from draws of normal fluctuations for many events.

    Args:
        bins: fine bins with events of both signs.
        permuted: p-values by permutation, of each test and combined, or None for asymptotic ones.
        negative_fraction: weighted, of the sample.
        rng: draws the asymptotic null distribution.
        widened: gives coarse bins, whose first fine bins are given too, the errors of rows that are not independent.
    """
    starts = comparison_starts(bins)
    comparison = compare(widened(bins.merged(starts), starts))
    tests, p_value = permuted or asymptotic_p_values(bins, rng)
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

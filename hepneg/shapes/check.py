"""The shape check: do positive and negative events sit in the same kinematic places?

Events in memory are checked by :func:`check_shapes`. Events that do not fit are checked in two passes over chunks: a
:class:`SubsampleAccumulator` for each sample, :func:`plan_bins` on their results, a :class:`SignedSums` for each sample,
and :func:`check_sums` on both. All accumulators merge with ``+``; the outcome is the same.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from hepneg.events import EventTable
from hepneg.shapes.bins import NEGATIVE, SignedBins
from hepneg.shapes.distance import TEST_BINS
from hepneg.shapes.feature import FeatureShape, check_feature, holm
from hepneg.shapes.permutation import permutation_p_values
from hepneg.shapes.plan import BinPlan, plan_bins
from hepneg.shapes.power import detectable_total_variation
from hepneg.shapes.rebin import equal_starts
from hepneg.shapes.regions import significant_regions
from hepneg.shapes.report import SampleShapes, ShapeReport
from hepneg.shapes.subsample import SUBSAMPLE_SIZE, Subsample, SubsampleAccumulator
from hepneg.shapes.sums import SignedSums
from hepneg.shapes.verdict import overall_verdict, recommend, sample_verdict, too_few

__all__ = ["check_shapes", "check_sums", "draw_subsample", "fill_sums"]

_LEAST_EFFECTIVE = 10.0
# Effective events of the rarer sign from which on the law for many events is used: with all events at hand, and where
# only a subsample could be permuted.
_ASYMPTOTIC_FROM = 500.0
_ASYMPTOTIC_FROM_SUBSAMPLE = 100.0


def check_shapes(events: EventTable, *, alpha: float = 0.05, seed: int = 1) -> ShapeReport:
    """Compare the shapes of positive and negative events, sample by sample and feature by feature.

    Args:
        events: the events of all samples.
        alpha: probability that a sample without any difference is called different (Holm's correction over its
            features).
        seed: of the permutations and of the subsample.

    Returns:
        Effect sizes, p-values, a verdict for each sample and overall, and the schemes it recommends.

    The distance tests permute the signs where the rarer one has fewer than 500 effective events, and use the law for
    many events, with all of them, beyond. :func:`hepneg.shapes.feature.primary_p_value` says how tests are combined.
    """
    tables = {name: events.of_sample(name) for name in events.sample_names}
    subsamples = {name: draw_subsample(table, seed) for name, table in tables.items()}
    plan = plan_bins([subsample.features for subsample in subsamples.values()], events.feature_names)
    return check_sums({n: fill_sums(plan, table) for n, table in tables.items()}, subsamples, alpha=alpha, seed=seed)


def draw_subsample(events: EventTable, seed: int, size: int = SUBSAMPLE_SIZE) -> Subsample:
    """Draw the subsample of a table in memory."""
    accumulator = SubsampleAccumulator(size, seed)
    accumulator.fill(events.features, events.weight, events.event_id)
    return accumulator.result()


def fill_sums(plan: BinPlan, events: EventTable) -> SignedSums:
    """Fill the sums of a table in memory."""
    sums = SignedSums(plan)
    sums.fill(events.features, events.weight)
    return sums


def check_sums(
    sums: Mapping[str, SignedSums], subsamples: Mapping[str, Subsample], *, alpha: float = 0.05, seed: int = 1
) -> ShapeReport:
    """Check accumulated samples; see :func:`check_shapes`.

    Args:
        sums: for each sample its sums by bin and sign; all have the same plan.
        subsamples: for each sample a subsample, for permutations where there are few events.
        alpha: as in :func:`check_shapes`.
        seed: of the permutations.
    """
    samples = {name: _check_sample(name, sums[name], subsamples[name], alpha, seed) for name in sums}
    verdict = overall_verdict(sample.verdict for sample in samples.values())
    return ShapeReport(samples, verdict, recommend(verdict), alpha)


def _check_sample(name: str, sums: SignedSums, subsample: Subsample, alpha: float, seed: int) -> SampleShapes:
    bins = sums.result()
    positive, negative = (float(n) for n in bins[0].n_eff)
    magnitude = bins[0].magnitude.sum(axis=1)
    fraction = float(magnitude[NEGATIVE] / magnitude.sum()) if magnitude.sum() > 0 else math.nan
    features: dict[str, FeatureShape] = {}
    detectable = math.nan
    if min(positive, negative) > 0:
        rng = np.random.default_rng([seed & 0xFFFFFFFF, zlib.crc32(name.encode())])
        features = _check_features(sums.plan, bins, subsample, fraction, rng)
        detectable = detectable_total_variation(positive, negative, alpha / len(bins))
    verdict, reason = too_few(positive, negative, _LEAST_EFFECTIVE) or sample_verdict(
        features, alpha, detectable, int(bins[0].count.sum())
    )
    regions = significant_regions(bins)
    return SampleShapes(name, verdict, reason, features, regions, fraction, (positive, negative), detectable)


def _check_features(
    plan: BinPlan, bins: Sequence[SignedBins], subsample: Subsample, fraction: float, rng: np.random.Generator
) -> dict[str, FeatureShape]:
    limit = _ASYMPTOTIC_FROM if subsample.complete else _ASYMPTOTIC_FROM_SUBSAMPLE
    permuted: Sequence[dict[str, float] | None] = [None] * len(bins)
    if bins[0].n_eff.min() < limit and _has_both_signs(subsample.weight):
        permuted = permutation_p_values(_test_codes(plan, subsample), subsample.weight, rng)
    shapes = [check_feature(one, p, fraction, rng) for one, p in zip(bins, permuted, strict=True)]
    return holm({shape.name: shape for shape in shapes})


def _has_both_signs(weight: NDArray[np.float64]) -> bool:
    return bool((weight < 0).any() and (weight > 0).any())


def _test_codes(plan: BinPlan, subsample: Subsample) -> list[NDArray[np.intp]]:
    """Return for each feature the bin of the distance tests of each event; no bin is empty."""
    magnitude = np.abs(subsample.weight)
    codes = []
    for i, bins in enumerate(plan.features):
        fine = bins.codes(subsample.features[:, i]).astype(np.intp)
        total = np.bincount(fine, magnitude, len(bins)).astype(np.float64, copy=False)
        starts = equal_starts(total, TEST_BINS)
        codes.append(np.searchsorted(starts, fine, side="right") - 1)
    return codes

"""The shape check: do positive and negative events have the same distributions?

Events in memory are checked by :func:`check_shapes`. Events that do not fit are checked in two passes over chunks: a
:class:`SubsampleAccumulator` for each sample, :func:`plan_bins` on their results, a :class:`SignedSums` for each
sample, and :func:`check_sums` on both. All accumulators merge with ``+``; the outcome is the same.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hepneg._core.progress import SILENT, Progress
from hepneg.binning.bin_plan import BinPlan, plan_bins
from hepneg.binning.binned_sums import SignedSums
from hepneg.binning.clustering import with_clustered_errors, with_observations
from hepneg.binning.copies import copied_share, warn_about_copies
from hepneg.binning.negative_intervals import NegativeRegion, significant_regions
from hepneg.binning.signed_bins import NEGATIVE, SignedBins
from hepneg.binning.subsample import Subsample, draw_subsample
from hepneg.errors import DataError
from hepneg.events import EventTable
from hepneg.metrics.scored import finite_column
from hepneg.shapes.feature_check import FeatureShape, check_feature
from hepneg.shapes.joint_check import JointShapes, check_joint
from hepneg.shapes.shape_report import SampleShapes, ShapeReport
from hepneg.shapes.shape_tests.anderson_darling import AndersonDarling
from hepneg.shapes.shape_tests.holm import weighted_holm
from hepneg.shapes.shape_tests.permutation import permutation_p_values
from hepneg.shapes.shape_tests.power import detectable_total_variation
from hepneg.shapes.shape_tests.shape_test import shape_tests
from hepneg.shapes.systematic_sums import SystematicSums, plan_systematic_bins
from hepneg.shapes.systematics import in_systematic_spreads
from hepneg.shapes.verdict import (
    learnt_region_clause,
    negative_regions_clause,
    overall_verdict,
    recommend,
    sample_verdict,
    too_few,
)

__all__ = ["check_shapes", "check_sums", "fill_sums"]

_LEAST_EFFECTIVE = 10.0
# Effective events of the rarer sign from which on p-values are asymptotic: with all events at hand, and where only a
# subsample could be permuted.
_ASYMPTOTIC_FROM = 500.0
_ASYMPTOTIC_FROM_SUBSAMPLE = 100.0
# Sums of weights are normal only where no few events carry their variance: with fewer effective terms in Σw², permute
# too.
_LEAST_EFFECTIVE_SQUARES = 50.0
# The part of the significance level that the multivariate test gets; the features share the rest.
_MULTIVARIATE_SHARE = 0.5


def check_shapes(
    events: EventTable,
    *,
    variations: Mapping[str, ArrayLike] = MappingProxyType({}),
    alpha: float = 0.05,
    seed: int = 1,
    multivariate: bool = True,
    progress: Progress = SILENT,
) -> ShapeReport:
    """Compare the shapes of positive and negative events, sample by sample and feature by feature.

    Args:
        events: the events of all samples.
        variations: alternative signed weights (n,) of the same events by name (scales, parton densities, …): the
            effect of the signs is given in units of their spread, too; no test depends on them.
        alpha: probability that a sample without any difference is called different. Half of it goes to the multivariate
            test, half to the features in equal parts, with Holm's weighted correction; without a multivariate test
            the features share all of it.
        seed: of the permutations, the networks and the subsample.
        multivariate: whether to look at all features together too: train classifiers of the sign and search for boxes
            of negative density. It is what takes most of the time.
        progress: shows a bar for the classifiers of each sample.

    Returns:
        Effect sizes, p-values, a verdict for each sample and overall, and the schemes it recommends.

    Raises:
        DataError: a variation does not hold one finite number per event.

    Warns:
        HepnegWarning: the weights of a variation do not sum to a positive number in a sample, and it is left out there;
            or a sample holds many exact copies of events under different identifiers.

    The tests of a feature permute where the rarer sign has fewer than 500 effective events (100, where the subsample
    does not hold all events), a few events carry Σw² of a sign (heavy tails), or rows share an identifier, and use
    asymptotic null distributions, with all events, beyond. The multivariate test always permutes, in at most 50 000
    events of each sample. Permutations are exact where the sign does not depend on (x, |w|), and where x does not
    depend on (sign, |w|); asymptotic p-values hold in general.

    Rows with one `event_id` (candidates) are one observation: they are permuted together, and effective numbers and the
    errors in bins count events. With such rows the tests use the subsample of at most 100 000.
    :func:`hepneg.shapes.feature_check.check_feature` says how tests are combined.
    """
    tables = {name: events.of_sample(name) for name in events.sample_names}
    warn_about_copies({name: copied_share(table) for name, table in tables.items()})
    subsamples = {name: draw_subsample(table, seed) for name, table in tables.items()}
    plan = plan_bins([subsample.features for subsample in subsamples.values()], events.feature_names)
    sums = {name: fill_sums(plan, table) for name, table in tables.items()}
    systematics = _systematics(events, plan, subsamples, variations) if variations else {}
    with progress:
        return check_sums(
            sums, subsamples, systematics, alpha=alpha, seed=seed, multivariate=multivariate, progress=progress
        )


def _systematics(
    events: EventTable, plan: BinPlan, subsamples: Mapping[str, Subsample], variations: Mapping[str, ArrayLike]
) -> dict[str, SystematicSums]:
    """Fill the sums over the variations, by sample."""
    columns = {name: finite_column(weight, f"the variation {name!r}") for name, weight in variations.items()}
    for name, column in columns.items():
        if len(column) != len(events):
            raise DataError(f"the variation {name!r} has {len(column)} weights, but there are {len(events)} events")
    varied = np.column_stack(list(columns.values()))
    filled = {}
    for code, sample in enumerate(events.sample_names):
        chosen = np.flatnonzero(events.sample == code)
        filled[sample] = SystematicSums(plan_systematic_bins(plan, subsamples[sample].features), list(columns))
        filled[sample].fill(events.select(chosen).features, events.weight[chosen], varied[chosen])
    return filled


def fill_sums(plan: BinPlan, events: EventTable) -> SignedSums:
    """Fill the sums of a table in memory."""
    sums = SignedSums(plan)
    sums.fill(events.features, events.weight)
    return sums


def check_sums(
    sums: Mapping[str, SignedSums],
    subsamples: Mapping[str, Subsample],
    systematics: Mapping[str, SystematicSums] = MappingProxyType({}),
    *,
    alpha: float = 0.05,
    seed: int = 1,
    multivariate: bool = True,
    progress: Progress = SILENT,
) -> ShapeReport:
    """Check accumulated samples; see :func:`check_shapes`.

    Args:
        sums: for each sample its sums by bin and sign; all have the same plan.
        subsamples: for each sample a subsample, for the multivariate test and for permutations where there are few
            events.
        systematics: for the samples with systematic variations the sums over those.
        alpha: as in :func:`check_shapes`.
        seed: of the permutations and the networks.
        multivariate: as in :func:`check_shapes`.
        progress: shows a bar for the classifiers of each sample.
    """
    together = _Together(multivariate, seed, progress)
    samples = {name: _check_sample(name, sums[name], subsamples[name], alpha, together) for name in sums}
    samples |= {name: _measured(samples[name], filled, alpha) for name, filled in systematics.items()}
    verdict = overall_verdict(sample.verdict for sample in samples.values())
    return ShapeReport(samples, verdict, recommend(verdict), alpha)


def _measured(sample: SampleShapes, filled: SystematicSums, alpha: float) -> SampleShapes:
    """Add what the effect of the signs is worth in units of the systematic variations."""
    if not sample.features:
        return sample
    found = filled.result(sample.name)
    different = [found[name] for name, shape in sample.features.items() if name in found and shape.p_adjusted <= alpha]
    return replace(sample, systematics=found, reason=sample.reason + in_systematic_spreads(different))


@dataclass(frozen=True, slots=True)
class _Together:
    """Whether and how to look at all features together."""

    wanted: bool
    seed: int
    progress: Progress

    def check(
        self, name: str, subsample: Subsample, features: Sequence[str], regions: Sequence[NegativeRegion]
    ) -> JointShapes | None:
        if not self.wanted:
            return None
        return check_joint(subsample, features, regions, sample=name, seed=self.seed, progress=self.progress)


def _check_sample(name: str, sums: SignedSums, subsample: Subsample, alpha: float, together: _Together) -> SampleShapes:
    bins = sums.result()
    counted = [with_observations(part, subsample) for part in bins]
    positive, negative = (float(n) for n in counted[0].n_eff)
    magnitude = bins[0].magnitude.sum(axis=1)
    fraction = float(magnitude[NEGATIVE] / magnitude.sum()) if magnitude.sum() > 0 else math.nan
    regions = significant_regions(counted)
    features: dict[str, FeatureShape] = {}
    detectable, joint = math.nan, None
    if min(positive, negative) > 0:
        rng = np.random.default_rng([together.seed & 0xFFFFFFFF, zlib.crc32(name.encode())])
        features = _check_features(sums.plan, bins, subsample, fraction, rng)
    unclear = too_few(positive, negative, _LEAST_EFFECTIVE)
    if not unclear:
        joint = together.check(name, subsample, sums.plan.names, regions)
    features, joint, share = _corrected(features, joint)
    if features:
        detectable = detectable_total_variation(positive, negative, alpha * share)
    verdict, reason = unclear or sample_verdict(
        features, alpha, detectable, int(bins[0].count.sum()), joint.multivariate if joint else None
    )
    reason += negative_regions_clause(len(regions) + (len(joint.boxes) if joint else 0))
    reason += learnt_region_clause(joint.learnt if joint else None)
    return SampleShapes(name, verdict, reason, features, regions, fraction, (positive, negative), detectable, joint)


def _corrected(
    features: dict[str, FeatureShape], joint: JointShapes | None
) -> tuple[dict[str, FeatureShape], JointShapes | None, float]:
    """Adjust all p-values of a sample; also return the least part of the level that a feature's leading test gets."""
    leading = AndersonDarling.share / sum(test.share for test in shape_tests()) / max(1, len(features))
    classifier = joint.multivariate if joint else None
    if joint is None or classifier is None or math.isnan(classifier.p_value):
        return _with_adjusted(features, weighted_holm([shape.p_value for shape in features.values()])), joint, leading
    rest = 1.0 - _MULTIVARIATE_SHARE
    p_values = [classifier.p_value, *(shape.p_value for shape in features.values())]
    first, *others = weighted_holm(p_values, [_MULTIVARIATE_SHARE, *[rest / len(features)] * len(features)])
    joint = replace(joint, multivariate=replace(classifier, p_adjusted=first))
    return _with_adjusted(features, others), joint, rest * leading


def _with_adjusted(features: dict[str, FeatureShape], p_values: Sequence[float]) -> dict[str, FeatureShape]:
    pairs = zip(features.items(), p_values, strict=True)
    return {name: replace(shape, p_adjusted=p_value) for (name, shape), p_value in pairs}


def _check_features(
    plan: BinPlan, bins: Sequence[SignedBins], subsample: Subsample, fraction: float, rng: np.random.Generator
) -> dict[str, FeatureShape]:
    limit = _ASYMPTOTIC_FROM if subsample.complete else _ASYMPTOTIC_FROM_SUBSAMPLE
    clustered = subsample.cluster is not None
    codes = [part.codes(x).astype(np.intp) for part, x in zip(plan.features, subsample.features.T, strict=True)]
    permuted: Sequence[tuple[dict[str, float], float] | None] = [None] * len(bins)
    few = bins[0].n_eff.min() < limit or _effective_squares(subsample) < _LEAST_EFFECTIVE_SQUARES
    if (clustered or few) and _has_both_signs(subsample.weight):
        permuted = _permuted(plan, codes, subsample, rng)
    shapes = []
    for part, p_values, code in zip(bins, permuted, codes, strict=True):

        def widened(coarse: SignedBins, starts: NDArray[np.intp], code: NDArray[np.intp] = code) -> SignedBins:
            return with_clustered_errors(coarse, np.searchsorted(starts, code, side="right") - 1, subsample)

        shapes.append(check_feature(part, p_values, fraction, rng, widened))
    return {shape.name: shape for shape in shapes}


def _permuted(
    plan: BinPlan, codes: Sequence[NDArray[np.intp]], subsample: Subsample, rng: np.random.Generator
) -> Sequence[tuple[dict[str, float], float]]:
    kept = subsample.weight != 0
    drawn = SignedSums(plan)
    drawn.fill(subsample.features[kept], subsample.weight[kept])
    cluster = None if subsample.cluster is None else subsample.cluster[kept]
    return permutation_p_values(
        drawn.result(), [code[kept] for code in codes], subsample.weight[kept], rng, cluster=cluster
    )


def _effective_squares(subsample: Subsample) -> float:
    """Return (Σw²)²/Σw⁴ of the sign for which it is smaller, scaled to all events; 0 without events of a sign."""
    smaller = math.inf
    for part in (np.maximum(subsample.weight, 0.0), np.maximum(-subsample.weight, 0.0)):
        square = part**2 / max(float(part.max(initial=0.0)) ** 2, 1e-300)
        smaller = min(smaller, float(square.sum()) ** 2 / max(float(square @ square), 1e-300))
    return smaller * subsample.seen / max(1, len(subsample.weight))


def _has_both_signs(weight: NDArray[np.float64]) -> bool:
    return bool((weight < 0).any() and (weight > 0).any())

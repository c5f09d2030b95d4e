"""The check of all features together: does a classifier separate the signs, and where is the density negative?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hepneg._core.progress import SILENT, Progress
from hepneg.binning.density_cells import SignedDensity, signed_density
from hepneg.binning.negative_intervals import NegativeRegion
from hepneg.binning.subsample import Subsample
from hepneg.events import EventTable
from hepneg.metrics.correlation import CorrelationDifference, sign_correlations
from hepneg.shapes.negative.density import further_boxes
from hepneg.shapes.negative.learnt_region import LearntRegion, learnt_region, out_of_fold_sign
from hepneg.shapes.negative.pair_cells import NegativeBox
from hepneg.shapes.shape_tests.multivariate import (
    LEAST_EVENTS,
    MULTIVARIATE_EVENTS,
    MultivariateShape,
    check_multivariate_subsample,
    normal_scores,
)

__all__ = ["JointShapes", "check_joint"]

LEAST_LOW_SIGN = 0.005
"""Share of the last block with a low learnt sign from which on a negative density is looked for by networks."""


@dataclass(frozen=True, eq=False, slots=True)
class JointShapes:
    """What the features of one sample show together.

    Attributes:
        multivariate: of a classifier of the sign; None with one feature or with too few events of a sign.
        boxes: cuts on several features with significantly negative Σw, most significant first.
        densities: of each pair of features that the boxes cut on first.
        used: events of the subsample in which boxes were looked for.
        seen: of how many.
        correlations: of positive and of |negative| events of the subsample; None with one feature.
        learnt: events whose learnt local mean sign is below zero; None where the classifier sees hardly any.
    """

    multivariate: MultivariateShape | None
    boxes: tuple[NegativeBox, ...]
    densities: tuple[SignedDensity, ...]
    used: int
    seen: int
    correlations: CorrelationDifference | None = None
    learnt: LearntRegion | None = None


def check_joint(
    subsample: Subsample,
    feature_names: Sequence[str],
    regions: Sequence[NegativeRegion],
    *,
    sample: str,
    seed: int,
    progress: Progress = SILENT,
) -> JointShapes:
    """Look at all features of one sample together.

    Args:
        subsample: events in the order of the hashes of their identifiers.
        feature_names: F names.
        regions: intervals already known to be negative; boxes that hold the same events are left out.
        sample: its name.
        seed: of the networks, the permutations and the parts of the events.
        progress: shows a bar for the classifiers.
    """
    used, seen, first = len(subsample.weight), subsample.seen, subsample.first(MULTIVARIATE_EVENTS)
    if len(feature_names) < 2:
        return JointShapes(None, (), (), used, seen)
    multivariate = None
    if _enough(first.weight):
        multivariate = check_multivariate_subsample(
            subsample, feature_names, sample=sample, seed=seed, progress=progress
        )
    # The position of an event in the subsample is as good as random, so it serves as identifier.
    events = EventTable.from_arrays(
        subsample.features,
        subsample.weight,
        np.zeros(used, np.int8),
        # Without clusters by position: the subsample is in an order of its own, whatever that of the files.
        event_id=np.arange(used, dtype=np.uint64) if subsample.cluster is None else subsample.cluster,
        feature_names=feature_names,
    )
    boxes = further_boxes(events, regions, seed=seed)
    correlations = _correlations(first, feature_names)
    learnt = _learnt_region(events, multivariate, seed) if multivariate else None
    drawn = (*boxes, *(learnt.boxes if learnt and learnt.significant else ()))
    return JointShapes(multivariate, boxes, _densities(events, drawn), used, seen, correlations, learnt)


def _learnt_region(events: EventTable, multivariate: MultivariateShape, seed: int) -> LearntRegion | None:
    """Look for a negative density with networks of all folds where the classifiers of the sign have a hint of one."""
    if not multivariate.blocks or multivariate.blocks[-1].low_sign < LEAST_LOW_SIGN:
        return None
    from hepneg.shapes.shape_tests.sign_classifier import learn_sign

    kept = events.select(np.flatnonzero(events.weight != 0)[:MULTIVARIATE_EVENTS])
    sign = out_of_fold_sign(
        normal_scores(kept.features), kept.weight, learn_sign, cluster=kept.clusters(), seed=abs(seed)
    )
    return learnt_region(kept, sign)


def _correlations(subsample: Subsample, feature_names: Sequence[str]) -> CorrelationDifference | None:
    weight = subsample.weight
    if not (weight < 0).any() or not (weight > 0).any():
        return None
    return sign_correlations(subsample.features, weight, feature_names, event_id=subsample.cluster)


def _enough(weight: NDArray[np.float64]) -> bool:
    return bool(min(np.count_nonzero(weight < 0), np.count_nonzero(weight > 0)) >= LEAST_EVENTS)


def _densities(events: EventTable, boxes: Sequence[NegativeBox]) -> tuple[SignedDensity, ...]:
    pairs = dict.fromkeys((box.cuts[0].feature, box.cuts[1].feature) for box in boxes if len(box.cuts) > 1)
    return tuple(signed_density(events, *pair) for pair in pairs)

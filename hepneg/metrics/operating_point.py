"""Sensitivity and specificity at a threshold, and their ratio, with signed weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from hepneg._core.arrays import BoolArray
from hepneg._core.estimate import Estimate
from hepneg._core.json_values import json_fields
from hepneg.metrics.influence import Influence
from hepneg.metrics.scored import ScoredEvents, scored_events

__all__ = ["OperatingPoint", "operating_point", "operating_point_of"]


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """What a cut on a score does.

    Attributes:
        threshold: of the score.
        sensitivity: Σ₁w(score > threshold) / Σ₁w, the true positive rate.
        specificity: Σ₀w(score ≤ threshold) / Σ₀w, the true negative rate.
        ratio: sensitivity / specificity; NaN where the specificity is not positive.
    """

    threshold: float
    sensitivity: Estimate
    specificity: Estimate
    ratio: Estimate

    def to_dict(self) -> dict[str, Any]:
        """Return the figures, JSON-ready."""
        return json_fields(self, errors_last=True)


def operating_point(score: ArrayLike, label: ArrayLike, weight: ArrayLike, threshold: float = 0.5) -> OperatingPoint:
    """Measure sensitivity and specificity at a threshold.

    With signed weights each may leave [0, 1] by its fluctuation. The errors are those of linear error propagation,
    valid for many effective events on either side of the threshold.

    Args:
        score: (n,) any score that grows towards signal.
        label: (n,) of 0 and 1.
        weight: (n,) signed weights.
        threshold: of the score.

    Raises:
        DataError: unusable columns, or a label with Σw ≤ 0.
    """
    return operating_point_of(scored_events(score, label, weight), threshold)


def operating_point_of(events: ScoredEvents, threshold: float = 0.5) -> OperatingPoint:
    """Measure sensitivity and specificity of scored events at a threshold; see :func:`operating_point`.

    Raises:
        DataError: a label with Σw ≤ 0.
    """
    sensitivity = _rate(events, events.signal, events.score > threshold)
    specificity = _rate(events, ~events.signal, events.score <= threshold)
    return OperatingPoint(threshold, sensitivity.estimate(), specificity.estimate(), _ratio(sensitivity, specificity))


def _rate(events: ScoredEvents, of_label: BoolArray, right: BoolArray) -> Influence:
    share = np.where(of_label, events.share, 0.0)
    value = float(share[right].sum())
    return Influence(value, share * (right - value), events.cluster)


def _ratio(sensitivity: Influence, specificity: Influence) -> Estimate:
    if not specificity.value > 0:
        return Estimate(float("nan"), float("nan"))
    value = sensitivity.value / specificity.value
    contribution = (sensitivity.contribution - value * specificity.contribution) / specificity.value
    return Influence(value, contribution, sensitivity.cluster).estimate()

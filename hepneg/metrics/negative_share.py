"""Is the signed density negative where networks say so? The signed sum of the events that they select, unseen."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hepneg._core.arrays import BoolArray, FloatArray, IndexArray
from hepneg._core.estimate import Estimate
from hepneg._core.json_values import JsonResult
from hepneg.events import cluster_sums

__all__ = ["NegativeShare", "negative_share"]

_MATTERS = 0.01
"""Share of Σ|w| from which on a density that is not clearly positive matters for a score."""
_CLEARLY_POSITIVE = 2.0
_LEAST_EFFECTIVE = 20.0
"""Effective terms (Σw²)²/Σw⁴ from which on Σw/√Σw² is taken for normal."""


@dataclass(frozen=True, slots=True)
class NegativeShare(JsonResult):
    """The events with a learnt local mean sign below zero, each by networks that have not seen it.

    Attributes:
        entries: how many.
        share: of Σ|w|.
        sum_weights: their Σw, rows of one event added up before they are squared for its error.
        significance: Σw over its error; 0 without events.
        p_value: probability of so low a sum where the density is nowhere negative; 1 with fewer than 20 effective
            events.
    """

    entries: int
    share: float
    sum_weights: Estimate
    significance: float
    p_value: float

    @property
    def doubtful(self) -> bool:
        """Whether the density of a share of the events that matters cannot be told from a negative one."""
        return self.share >= _MATTERS and self.significance < _CLEARLY_POSITIVE

    def __str__(self) -> str:
        return f"{self.share:.1%} of Σ|w|, where Σw = {self.sum_weights} ({self.significance:.1f} σ)"


def negative_share(
    weight: FloatArray, chosen: BoolArray, cluster: IndexArray | None = None, *, folds: int = 5
) -> NegativeShare:
    """Add up the signed weights of events that networks take for negative.

    Args:
        weight: (n,) signed.
        chosen: (n,) true where ĝ of networks that have not seen the event is below zero.
        cluster: (n,) the event of each row; None where each row is an event of its own.
        folds: k of the cross-validation that gave ĝ.

    A fold's selection knows nothing of the fold's weights, so that the sum is at least zero on average where the
    density is nowhere negative. Its p-value is normal, with the variance Σw² times 1.1 + 0.02 k: folds teach each
    other's networks, which correlates their sums. Where the density is exactly zero in 1 to 30 separate places, 0.5 to
    1.5 % of the samples are then below 1 % (tests/test_negative_share.py); where it is positive, hardly any is.
    """
    w = weight[chosen]
    sums = cluster_sums(w, None if cluster is None else cluster[chosen])
    variance, fourth, size = float(np.sum(sums**2)), float(np.sum(sums**4)), float(np.abs(weight).sum())
    total = Estimate(float(w.sum()), math.sqrt(variance))
    significance = total.value / total.error if variance > 0 else 0.0
    enough = variance**2 >= _LEAST_EFFECTIVE * fourth > 0
    corrected = significance / math.sqrt(1.1 + 0.02 * folds)
    p_value = 0.5 * math.erfc(-corrected / math.sqrt(2.0)) if enough else 1.0
    return NegativeShare(len(w), float(np.abs(w).sum()) / size if size > 0 else 0.0, total, significance, p_value)

"""Fewer events of constant sign in the place of all signed ones, with the same sums and the same uncertainties."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepneg.events import EventTable

__all__ = ["LARGEST", "ResampledSample", "resampled_samples", "resampled_weight"]

LARGEST = 20.0
"""Largest factor on a \\|w\\|."""

Float = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ResampledSample:
    """What resampling did to one sample.

    Attributes:
        kept_share: of the events.
        capped_share: of Σw² in events whose factor is at its limit: their part of Σw² shrinks.
        sum_ratio: Σw after over before.
        square_ratio: Σw² after over before.
    """

    kept_share: float
    capped_share: float
    sum_ratio: float
    square_ratio: float

    def to_dict(self) -> dict[str, Any]:
        """Return the shares as plain numbers."""
        return {name: getattr(self, name) for name in self.__slots__}


def resampled_weight(magnitude: Float, sign: Float, uniform: Float, largest: float = LARGEST) -> Float:
    """Return the weight of each event after resampling, (n,): 0 where it is dropped, positive elsewhere.

    An event is kept with probability ĝ² and then weighs \\|w\\|/ĝ. Given x, the mean of the weights stays E[\\|w\\|]ĝ,
    as the sum of signed weights has it, and the mean of their squares stays E[w²]: any histogram keeps its
    contents and its uncertainties on average, with a share E[ĝ²] of the events (arXiv:2007.11586; an event's own
    \\|w\\| stands in for the local mean square as in arXiv:2505.03724, so nothing but ĝ is learnt). Where ĝ <
    1/``largest`` the weight is ``largest``·\\|w\\| and the event is kept with probability ĝ/``largest``: the sums hold,
    Σw² shrinks. A learnt ĝ above 1 keeps the event with its weight \\|w\\|ĝ.

    Args:
        magnitude: \\|w\\|, (n,).
        sign: local mean sign ĝ, (n,); events with ĝ ≤ 0 are dropped.
        uniform: random numbers in [0, 1), (n,).
        largest: limit of the factor on \\|w\\|.
    """
    chance = np.clip(sign * np.maximum(sign, 1 / largest), 0.0, 1.0)
    factor = np.divide(sign, chance, out=np.zeros(len(sign)), where=chance > 0)
    return np.where(uniform < chance, magnitude * factor, 0.0)


def resampled_samples(
    events: EventTable, sign: Float, weight: Float, largest: float = LARGEST
) -> Mapping[str, ResampledSample]:
    """Say what resampling did to each sample that has events.

    Args:
        events: n signed events.
        sign: ĝ of each, (n,).
        weight: after resampling, (n,).
        largest: as it was used.
    """
    found = {}
    for code, name in enumerate(events.sample_names):
        chosen = events.sample == code
        before, after = events.weight[chosen], weight[chosen]
        total, square = float(before.sum()), float(before @ before)
        if square > 0:
            capped = float((before**2)[sign[chosen] < 1 / largest].sum())
            ratio = float(after.sum()) / total if total else float("nan")
            found[name] = ResampledSample(
                float(np.mean(after > 0)), capped / square, ratio, float(after @ after) / square
            )
    return found

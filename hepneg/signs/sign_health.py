"""Is a trained scheme in good health? Figures that show a failure before anyone looks at a response."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepneg._core.output import json_ready
from hepneg.events import EventTable
from hepneg.signs.local_signs import HeldOutSigns
from hepneg.signs.sign_closure import SignClosure, sign_closure

__all__ = ["SchemeHealth", "by_label", "scheme_health"]


@dataclass(frozen=True)
class SchemeHealth:
    """The health of a training, judged on held-out events.

    Attributes:
        largest_logit: largest |log-odds|; None for a regression.
        negative_batches: share of the batches in which the training weights of a label summed to zero or less.
        samples: what the sign networks did to each sample, or, where a scheme learns one local mean sign for each
            label, to each label; empty for a scheme without any.
    """

    largest_logit: float | None
    negative_batches: float
    samples: Mapping[str, SignClosure] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the health, JSON-ready."""
        samples = {name: closure.to_dict() for name, closure in self.samples.items()}
        content = {
            "largest_logit": self.largest_logit,
            "negative_batches": self.negative_batches,
            "samples": samples,
        }
        ready: dict[str, Any] = json_ready(content)
        return ready


def scheme_health(
    events: EventTable,
    logit: NDArray[np.float64] | None,
    signs: HeldOutSigns | None = None,
    *,
    negative_batches: float = 0.0,
) -> SchemeHealth:
    """Judge a training on the events that each network has not seen.

    Args:
        events: n signed events; its samples are what the signs were learnt of.
        logit: (n,) held-out log-odds; None for a regression.
        signs: local mean signs; None for a scheme that learns none.
        negative_batches: share of the batches with a label whose training weights sum to zero or less.
    """
    largest = None if logit is None else float(np.abs(logit).max(initial=0.0))
    if signs is None:
        return SchemeHealth(largest, negative_batches)
    closure = sign_closure(events, signs.sign, signs.raw, signs.ensembles, signs.fold_of)
    return SchemeHealth(largest, negative_batches, closure)


def by_label(events: EventTable) -> EventTable:
    """Return the same events with each label as one sample, named after its only one, or ``all background``."""
    names = {}
    for code, label in enumerate(events.classes):
        present = np.unique(events.sample[events.label == code]).tolist()
        names[code] = events.sample_names[present[0]] if len(present) == 1 else f"all {label}"
    codes = sorted(names)
    return replace(
        events,
        sample=np.searchsorted(codes, events.label).astype(np.int16),
        sample_names=tuple(names[code] for code in codes),
    )

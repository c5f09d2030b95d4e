"""The scheme ``positive``: drop the events with negative weight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hepneg.events import EventTable
from hepneg.learning.batches import ShuffledBatches
from hepneg.schemes.scheme import TrainingProblem

__all__ = ["Positive"]


@dataclass(frozen=True)
class Positive:
    """Train on the events with w > 0 alone: biased towards h(1 + s) wherever P(w > 0 | x) depends on x."""

    name: ClassVar[str] = "positive"
    tasks: ClassVar[tuple[str, ...]] = ("classification", "regression")

    def problem(self, events: EventTable, batch_size: int) -> TrainingProblem:
        """Pose the training problem (see :class:`hepneg.schemes.scheme.Scheme`)."""
        weight = np.maximum(events.weight, 0.0)
        return TrainingProblem(weight, ShuffledBatches(weight, batch_size))

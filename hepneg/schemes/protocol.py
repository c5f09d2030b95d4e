"""What a weight scheme is: signed events in, a training problem out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from hepneg.batches import Batches
from hepneg.events import EventTable

__all__ = ["Scheme", "TrainingProblem"]


@dataclass(frozen=True, eq=False)
class TrainingProblem:
    """What the optimiser is given.

    Attributes:
        train_weight: what multiplies each event's cross-entropy, (n,) float64. Its scale per label does not matter:
            the loop brings both labels to the same sum.
        batches: how the events are cut into batches.
        logit_bound: the network's logit is squashed into ±logit_bound; None for no bound.
        clip_norm: the gradient's norm is clipped there; None for no clipping.
    """

    train_weight: NDArray[np.float64]
    batches: Batches
    logit_bound: float | None = None
    clip_norm: float | None = None


@runtime_checkable
class Scheme(Protocol):
    """A weight scheme: a frozen dataclass whose fields are its parameters.

    The first line of its docstring is what reports and tables say about it.
    """

    name: ClassVar[str]

    def problem(self, events: EventTable, batch_size: int) -> TrainingProblem:
        """Pose the training problem for the events that a network trains on.

        Args:
            events: signed events of both labels; never changed.
            batch_size: wanted number of events in a batch.

        Raises:
            TrainingError: the scheme cannot work on these events.
        """

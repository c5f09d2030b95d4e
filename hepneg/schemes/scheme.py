"""What a weight scheme is: signed events in, a training problem out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from hepneg._core.parameters import require_between, require_count
from hepneg.events import EventTable
from hepneg.learning.batches import Batches, ShuffledBatches

__all__ = ["Scheme", "SignPlan", "TrainingProblem", "magnitude_problem"]


@dataclass(frozen=True)
class SignPlan:
    """What is done with the local mean sign ĝ(x) = E[w|x] / E[|w| |x], learnt from \\|w\\| with a bounded loss.

    Attributes:
        use: ``"weights"``: the events of each sample are weighted with ĝ, the sum of each sample preserved;
            ``"terms"``: log ĝ of each label is added to the log-odds;
            ``"both"``: the mean of the log-odds of the two;
            ``"shared"``: as ``"terms"``, label and sign learnt by one network;
            ``"targets"``: as ``"shared"``, by squared errors in the place of cross-entropies.
        members: sign networks in each ensemble; each leaves out another part of the events and is stopped on it.
        patience: epochs without a better loss on those parts before the sign networks' training stops.
        floor: smallest ĝ; held-out events may ask for a higher floor.
    """

    use: Literal["weights", "terms", "both", "shared", "targets"]
    members: int = 2
    patience: int = 4
    floor: float = 0.02

    def __post_init__(self) -> None:
        require_count(members=self.members, patience=self.patience)
        require_between(0, 1, floor=self.floor)


@dataclass(frozen=True, eq=False)
class TrainingProblem:
    """What the optimiser is given.

    Attributes:
        train_weight: what multiplies each event's cross-entropy, (n,) float64. Its scale per label does not matter:
            the loop brings both labels to the same sum. With ``signs`` it is \\|w\\|, and the loop brings the signs in.
        batches: how the events are cut into batches.
        logit_bound: the network's logit is squashed into ±logit_bound; None for no bound.
        clip_norm: the gradient's norm is clipped there; None for no clipping.
        signs: what sign networks contribute; None for none.
    """

    train_weight: NDArray[np.float64]
    batches: Batches
    logit_bound: float | None = None
    clip_norm: float | None = None
    signs: SignPlan | None = None


def magnitude_problem(events: EventTable, batch_size: int, signs: SignPlan | None = None) -> TrainingProblem:
    """Pose the problem of \\|w\\| in shuffled batches, with what sign networks are to contribute."""
    weight = np.abs(events.weight)
    return TrainingProblem(weight, ShuffledBatches(weight, batch_size), signs=signs)


@runtime_checkable
class Scheme(Protocol):
    """A weight scheme: a frozen dataclass whose fields are its parameters.

    The first line of its docstring is what reports and tables say about it. A class variable ``tasks`` may name the
    tasks that it can pose: ``"classification"``, ``"regression"``; without one it is for classification.
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

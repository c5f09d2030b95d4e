"""The scheme ``auto``: train what ``combined`` is made of, and keep what held-out events speak for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hepneg.events import EventTable
from hepneg.schemes.protocol import SignPlan, TrainingProblem, magnitude_problem

__all__ = ["Auto"]


@dataclass(frozen=True)
class Auto:
    """Train on \\|w\\| and on \\|w\\|·max(ĝ, 0), as ``combined`` does, and keep what held-out events speak for.

    That may be ``absolute``, ``refined``, ``factorised`` or ``combined``, which are made of the same networks.
    :func:`hepneg.schemes.choice.choose` says how the choice is made; the classifier keeps the networks of the chosen
    scheme alone, with the reason. Without negative weights only ``absolute`` is trained.

    Args:
        members: sign networks in each ensemble.
        patience: epochs without a better loss before the sign networks' training stops.
        floor: smallest ĝ in the logarithm; held-out events may ask for a higher floor.
    """

    name: ClassVar[str] = "auto"
    members: int = 2
    patience: int = 4
    floor: float = 0.02

    def __post_init__(self) -> None:
        self._plan()

    def _plan(self) -> SignPlan:
        return SignPlan("both", self.members, self.patience, self.floor)

    def problem(self, events: EventTable, batch_size: int) -> TrainingProblem:
        """Pose the training problem (see :class:`hepneg.schemes.protocol.Scheme`)."""
        signed = bool((events.weight < 0).any())
        return magnitude_problem(events, batch_size, self._plan() if signed else None)

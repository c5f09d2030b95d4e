"""The scheme ``combined``: the mean of ``factorised`` and ``refined``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hepneg.events import EventTable
from hepneg.schemes.protocol import SignPlan, TrainingProblem, magnitude_problem

__all__ = ["Combined"]


@dataclass(frozen=True)
class Combined:
    """Train on \\|w\\| with sign terms and on \\|w\\|·max(ĝ, 0), and take the mean of the two log-odds.

    The two share their sign networks but not their faults: sign terms are noisy where ĝ → 0, and refined weights
    leave few effective events where ĝ varies much.

    Args:
        members: sign networks in each ensemble.
        patience: epochs without a better loss before the sign networks' training stops.
        floor: smallest ĝ in the logarithm; held-out events may ask for a higher floor.
    """

    name: ClassVar[str] = "combined"
    members: int = 2
    patience: int = 4
    floor: float = 0.02

    def __post_init__(self) -> None:
        self._plan()

    def _plan(self) -> SignPlan:
        return SignPlan("both", self.members, self.patience, self.floor)

    def problem(self, events: EventTable, batch_size: int) -> TrainingProblem:
        """Pose the training problem (see :class:`hepneg.schemes.protocol.Scheme`)."""
        return magnitude_problem(events, batch_size, self._plan())

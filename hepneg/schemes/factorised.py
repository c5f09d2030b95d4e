"""The scheme ``factorised``: the densities of |w| and the local mean signs, each learnt on its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hepneg.events import EventTable
from hepneg.schemes.protocol import SignPlan, TrainingProblem, magnitude_problem

__all__ = ["Factorised"]


@dataclass(frozen=True)
class Factorised:
    """Train on \\|w\\|, and add the logarithm of each label's local mean sign to the log-odds.

    r = (h₁/h₀)·(s₁/s̄₁)/(s₀/s̄₀): three bounded problems, so that the signs can be smoothed more strongly than the
    densities. Noisy where ĝ → 0, where it is floored.

    Args:
        members: sign networks in each ensemble.
        patience: epochs without a better loss before the sign networks' training stops.
        floor: smallest ĝ in the logarithm; held-out events may ask for a higher floor.
    """

    name: ClassVar[str] = "factorised"
    members: int = 2
    patience: int = 4
    floor: float = 0.02

    def __post_init__(self) -> None:
        self._plan()

    def _plan(self) -> SignPlan:
        return SignPlan("terms", self.members, self.patience, self.floor)

    def problem(self, events: EventTable, batch_size: int) -> TrainingProblem:
        """Pose the training problem (see :class:`hepneg.schemes.protocol.Scheme`)."""
        return magnitude_problem(events, batch_size, self._plan())

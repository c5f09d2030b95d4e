"""The scheme ``mixture``: four classes, label × sign, learnt by one network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hepneg.events import EventTable
from hepneg.schemes.protocol import SignPlan, TrainingProblem, magnitude_problem

__all__ = ["Mixture"]


@dataclass(frozen=True)
class Mixture:
    """Train on \\|w\\| to tell the four classes (label, sign) apart, and combine them with their signs.

    r = (p₁₊ − p₁₋)/(p₀₊ − p₀₋)·s̄₀/s̄₁: the four-class cross-entropy is bounded. The differences are noisy near 0, where
    they are floored.

    Args:
        floor: smallest ĝ in the logarithm; held-out events may ask for a higher floor.
    """

    name: ClassVar[str] = "mixture"
    floor: float = 0.02

    def __post_init__(self) -> None:
        self._plan()

    def _plan(self) -> SignPlan:
        return SignPlan("shared", floor=self.floor)

    def problem(self, events: EventTable, batch_size: int) -> TrainingProblem:
        """Pose the training problem (see :class:`hepneg.schemes.protocol.Scheme`)."""
        return magnitude_problem(events, batch_size, self._plan())

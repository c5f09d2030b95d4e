"""What the schemes have in common that learn the local mean sign from \\|w\\|."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from hepneg.events import EventTable
from hepneg.schemes.scheme import SignPlan, TrainingProblem, magnitude_problem

__all__ = ["OneNetworkScheme", "SignScheme", "SignTermsScheme"]


class SignScheme:
    """Poses the problem of \\|w\\| with a plan for the signs, which is checked when the scheme is made."""

    def __post_init__(self) -> None:
        self._plan()

    def _plan(self) -> SignPlan:
        raise NotImplementedError

    def problem(self, events: EventTable, batch_size: int) -> TrainingProblem:
        """Pose the training problem (see :class:`hepneg.schemes.scheme.Scheme`)."""
        return magnitude_problem(events, batch_size, self._plan())


@dataclass(frozen=True)
class SignTermsScheme(SignScheme):
    """Adds the logarithm of ĝ, learnt by networks of its own, to log-odds.

    Args:
        members: sign networks in each ensemble.
        patience: epochs without a better loss before the sign networks' training stops.
        floor: smallest ĝ in the logarithm; held-out events may ask for a higher floor.
    """

    use: ClassVar[Literal["terms", "both"]]
    members: int = 2
    patience: int = 4
    floor: float = 0.02

    def _plan(self) -> SignPlan:
        return SignPlan(self.use, self.members, self.patience, self.floor)


@dataclass(frozen=True)
class OneNetworkScheme(SignScheme):
    """Learns label and sign by one network.

    Args:
        floor: smallest ĝ in the logarithm; held-out events may ask for a higher floor.
    """

    use: ClassVar[Literal["shared", "targets"]]
    floor: float = 0.02

    def _plan(self) -> SignPlan:
        return SignPlan(self.use, floor=self.floor)

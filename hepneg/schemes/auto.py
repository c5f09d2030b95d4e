"""The scheme ``auto``: train what ``combined`` is made of, and keep what held-out events speak for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from hepneg.events import EventTable
from hepneg.schemes.scheme import TrainingProblem, magnitude_problem
from hepneg.schemes.sign_networks import SignTermsScheme

__all__ = ["Auto"]


@dataclass(frozen=True)
class Auto(SignTermsScheme):
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
    use: ClassVar[Literal["both"]] = "both"

    def problem(self, events: EventTable, batch_size: int) -> TrainingProblem:
        """Pose the training problem (see :class:`hepneg.schemes.scheme.Scheme`)."""
        signed = bool((events.weight < 0).any())
        return super().problem(events, batch_size) if signed else magnitude_problem(events, batch_size)

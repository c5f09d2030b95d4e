"""The scheme ``absolute``: forget the signs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hepneg.events import EventTable
from hepneg.schemes.scheme import TrainingProblem, magnitude_problem

__all__ = ["Absolute"]


@dataclass(frozen=True)
class Absolute:
    """Train on \\|w\\|: the least variance; biased where the two labels' mean signs depend differently on x.

    The network learns h_1/h_0 instead of p_1/p_0, off by the factor s_0(x)/s_1(x) up to a constant. Where that ratio
    is constant no scheme does better: the variance is smaller than that of signed training by (1 − 2f)².
    """

    name: ClassVar[str] = "absolute"
    tasks: ClassVar[tuple[str, ...]] = ("classification", "regression")

    def problem(self, events: EventTable, batch_size: int) -> TrainingProblem:
        """Pose the training problem (see :class:`hepneg.schemes.scheme.Scheme`)."""
        return magnitude_problem(events, batch_size)

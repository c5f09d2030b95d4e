"""What an objective is: a choice of the analyst in, a loss for the optimiser out."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    from hepneg.objectives.losses.objective_loss import ObjectiveLoss

__all__ = ["Objective", "Task"]

Task: TypeAlias = Literal["classification", "regression"]


@runtime_checkable
class Objective(Protocol):
    """An objective: a frozen dataclass whose fields are its parameters.

    The first line of its docstring is what reports and tables say about it; the rest gives its formula, where it is
    valid and where it comes from. One that asks for anything but the log-odds (or the mean) of the training weights
    works only where one network gives the output: with schemes that add terms to it or average several networks,
    training refuses it.
    """

    name: ClassVar[str]
    task: ClassVar[Task]

    def make_loss(self) -> ObjectiveLoss:
        """Return a new loss for one network's training; it may have a running state of its own."""

"""What an objective is: a choice of the analyst in, a loss for the optimiser out; and how one is found by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from hepneg._core.plugins import OBJECTIVES
from hepneg._core.registry import parameters_of
from hepneg.config import DEFAULT_OBJECTIVES, Task

if TYPE_CHECKING:
    from hepneg.objectives.objective_loss import ObjectiveLoss

__all__ = [
    "DEFAULT_OBJECTIVES",
    "Objective",
    "Task",
    "make_objective",
    "objective_names",
    "objective_parameters",
    "register",
]


@runtime_checkable
class Objective(Protocol):
    """An objective: a frozen dataclass whose fields are its parameters.

    The first line of its docstring is what reports and tables say about it; the rest gives its formula, where it is
    valid and where it comes from. One that asks for anything but the log-odds (or the mean) of the training weights
    works only where one network gives the output: with schemes that add terms to it or average several networks,
    training refuses it. A class variable ``probability = True`` says that the response estimates the probability of
    signal, which is then calibrated after the training; one ``several_classes = True`` that the loss takes the
    log-ratios of more than two classes. A method ``adjustment(events)`` may return a rising spline of
    the log-odds of scored events (:class:`hepneg._core.linear_spline.LinearSpline`), cross-fitted as a calibration is,
    and ``missed(events)`` what to warn of afterwards.
    """

    name: ClassVar[str]
    task: ClassVar[Task]

    def make_loss(self) -> ObjectiveLoss:
        """Return a new loss for one network's training; it may have a running state of its own."""


def register(objective: type[Objective]) -> type[Objective]:
    """Add an objective under its ``name``; a class decorator."""
    return OBJECTIVES.register(objective)


def objective_names(task: Task | None = None) -> tuple[str, ...]:
    """Return the names of all objectives, our own first, or of those for one task."""
    return tuple(name for name in OBJECTIVES.names() if task is None or OBJECTIVES.find(name).task == task)


def make_objective(name: str, **parameters: Any) -> Objective:
    """Return an objective with its parameters set.

    Args:
        name: one of :func:`objective_names`.
        parameters: fields of the objective; those left out keep their default.

    Raises:
        ConfigError: no such objective, no such parameter, or a value that the objective refuses.
    """
    objective: Objective = OBJECTIVES.make(name, parameters)
    return objective


def objective_parameters(objective: Objective) -> dict[str, Any]:
    """Return the parameters of an objective, JSON-ready."""
    return parameters_of(objective)

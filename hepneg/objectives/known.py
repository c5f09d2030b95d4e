"""The objectives by name, our own and those that other packages add.

Another package adds an objective through an entry point::

    [project.entry-points."hepneg.objectives"]
    my_objective = "my_package.objectives:MyObjective"

or, within one session, with the decorator :func:`register`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hepneg._core.registry import Registry, parameters_of
from hepneg.objectives.objective import Objective, Task

__all__ = ["DEFAULT_OBJECTIVES", "make_objective", "objective_names", "objective_parameters", "register"]

DEFAULT_OBJECTIVES: Mapping[Task, str] = {"classification": "cross_entropy", "regression": "squared"}
"""The objective of a task where none is chosen."""

_OWN = {
    "cross_entropy": "hepneg.objectives.cross_entropy:CrossEntropy",
    "balanced_cross_entropy": "hepneg.objectives.balanced_cross_entropy:BalancedCrossEntropy",
    "response_preference": "hepneg.objectives.response_preference:ResponsePreference",
    "squared": "hepneg.objectives.squared:Squared",
    "huber": "hepneg.objectives.huber:Huber",
    "log_cosh": "hepneg.objectives.log_cosh:LogCosh",
    "quantile": "hepneg.objectives.quantile:Quantile",
    "signed_squared": "hepneg.objectives.signed_squared:SignedSquared",
    "reciprocal": "hepneg.objectives.reciprocal:Reciprocal",
}
_objectives: Registry[Objective] = Registry("objective", "hepneg.objectives", _OWN)


def register(objective: type[Objective]) -> type[Objective]:
    """Add an objective under its ``name``; a class decorator."""
    return _objectives.register(objective)


def objective_names(task: Task | None = None) -> tuple[str, ...]:
    """Return the names of all objectives, our own first, or of those for one task."""
    return tuple(name for name in _objectives.names() if task is None or _objectives.find(name).task == task)


def make_objective(name: str, **parameters: Any) -> Objective:
    """Return an objective with its parameters set.

    Args:
        name: one of :func:`objective_names`.
        parameters: fields of the objective; those left out keep their default.

    Raises:
        ConfigError: no such objective, no such parameter, or a value that the objective refuses.
    """
    return _objectives.make(name, parameters)


def objective_parameters(objective: Objective) -> dict[str, Any]:
    """Return the parameters of an objective, JSON-ready."""
    return parameters_of(objective)

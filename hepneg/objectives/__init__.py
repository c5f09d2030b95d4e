"""Objectives: what the training minimises, and so what kind of mistake it avoids. One file per objective.

This is an analyst's choice list; :mod:`hepneg.objectives.known` finds an objective by its name. What needs torch is
in :mod:`hepneg.objectives.losses`.
"""

from hepneg.objectives.known import (
    DEFAULT_OBJECTIVES,
    make_objective,
    objective_names,
    objective_parameters,
    register,
)
from hepneg.objectives.objective import Objective, Task

__all__ = [
    "DEFAULT_OBJECTIVES",
    "Objective",
    "Task",
    "make_objective",
    "objective_names",
    "objective_parameters",
    "register",
]

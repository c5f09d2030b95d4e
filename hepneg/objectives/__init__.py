"""Objectives: what the training minimises, and so what kind of mistake it avoids.
This is an analyst's choice list; :mod:`hepneg.objectives.objective` finds an objective by its name. What needs torch is
in :mod:`hepneg.objectives`.
"""

from hepneg.config import DEFAULT_OBJECTIVES, Task
from hepneg.objectives.objective import (
    Objective,
    make_objective,
    objective_names,
    objective_parameters,
    register,
)

__all__ = [
    "DEFAULT_OBJECTIVES",
    "Objective",
    "Task",
    "make_objective",
    "objective_names",
    "objective_parameters",
    "register",
]

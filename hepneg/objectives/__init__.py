"""Objectives: what the training minimises, and so what kind of mistake it avoids. One file per objective.

This is an analyst's choice list; :mod:`hepneg.objectives.registry` finds an objective by its name. What needs torch is
in :mod:`hepneg.learning.objectives`.
"""

from hepneg.objectives.protocol import Objective, Task
from hepneg.objectives.registry import (
    DEFAULT_OBJECTIVES,
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

"""Weight schemes: how signed weights become a training problem. One file per scheme.

This is an analyst's choice list; :mod:`hepneg.schemes.registry` finds a scheme by its name.
"""

from hepneg.schemes.protocol import Scheme, SignPlan, TrainingProblem
from hepneg.schemes.registry import as_scheme, make_scheme, register, require_task, scheme_names, scheme_parameters

__all__ = [
    "Scheme",
    "SignPlan",
    "TrainingProblem",
    "as_scheme",
    "make_scheme",
    "register",
    "require_task",
    "scheme_names",
    "scheme_parameters",
]

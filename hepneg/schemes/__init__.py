"""Weight schemes: how signed weights become a training problem. One file per scheme.

This is an analyst's choice list; :mod:`hepneg.schemes.known` finds a scheme by its name.
"""

from hepneg.schemes.known import as_scheme, make_scheme, register, require_task, scheme_names, scheme_parameters
from hepneg.schemes.scheme import Scheme, SignPlan, TrainingProblem

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

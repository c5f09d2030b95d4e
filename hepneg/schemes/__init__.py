"""Weight schemes: how signed weights become a training.

This is an analyst's choice list; :mod:`hepneg.schemes.scheme` says what a scheme is and finds one by its name,
:mod:`hepneg.schemes.context` offers the bricks that a scheme trains with.
"""

from hepneg.schemes.scheme import (
    Scheme,
    as_scheme,
    make_scheme,
    register,
    require_task,
    scheme_names,
    scheme_parameters,
)

__all__ = [
    "Scheme",
    "as_scheme",
    "make_scheme",
    "register",
    "require_task",
    "scheme_names",
    "scheme_parameters",
]

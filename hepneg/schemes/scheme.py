"""What a weight scheme is: it trains the networks of one fold with the bricks it is offered; and how one is found by
name.

Another package adds a scheme through an entry point::

    [project.entry-points."hepneg.schemes"]
    my_scheme = "my_package.schemes:MyScheme"

or, within one session, with the decorator :func:`register`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from hepneg._core.plugins import SCHEMES, require_task
from hepneg._core.registry import parameters_of
from hepneg.errors import ConfigError

if TYPE_CHECKING:
    from hepneg.schemes.context import FoldContext
    from hepneg.schemes.fold_fit import FoldFit

__all__ = [
    "Scheme",
    "as_scheme",
    "make_scheme",
    "register",
    "require_task",
    "scheme_names",
    "scheme_parameters",
    "scheme_title",
]


@runtime_checkable
class Scheme(Protocol):
    """A weight scheme: a frozen dataclass whose fields are its parameters.

    The first line of its docstring is what reports and tables say about it. A class variable ``tasks`` may name the
    tasks that it can pose: ``"classification"``, ``"regression"``; without one it is for classification. One that
    trains on any number of classes has a class variable ``several_classes = True``; others take two. A method
    ``finish(events, fits)`` may look at the trained folds together (see :class:`hepneg.schemes.crossfit.CrossFit`), as
    ``auto`` does to choose by all held-out events.
    """

    name: ClassVar[str]

    def fit(self, context: FoldContext) -> FoldFit:
        """Train the networks of one fold.

        Args:
            context: the events, which are never changed, and the bricks: label networks and sign networks.

        Raises:
            TrainingError: the scheme cannot work on these events.
            Interrupted: a stop was asked for.
        """


def register(scheme: type[Scheme]) -> type[Scheme]:
    """Add a scheme under its ``name``; a class decorator."""
    return SCHEMES.register(scheme)


def scheme_names() -> tuple[str, ...]:
    """Return the names of all schemes, our own first."""
    return SCHEMES.names()


def make_scheme(name: str, **parameters: Any) -> Scheme:
    """Return a scheme with its parameters set.

    Args:
        name: one of :func:`scheme_names`.
        parameters: fields of the scheme; those left out keep their default.

    Raises:
        ConfigError: no such scheme, no such parameter, or a value that the scheme refuses.
    """
    scheme: Scheme = SCHEMES.make(name, parameters)
    return scheme


def as_scheme(wanted: object) -> Scheme:
    """Return a scheme from its name, from a mapping of ``name`` and parameters, or as it is.

    Raises:
        ConfigError: it is none of these, or :func:`make_scheme` refuses it.
    """
    if isinstance(wanted, str):
        return make_scheme(wanted)
    if isinstance(wanted, Mapping) and isinstance(wanted.get("name"), str):
        return make_scheme(wanted["name"], **{str(key): value for key, value in wanted.items() if key != "name"})
    if isinstance(wanted, Scheme) and dataclasses.is_dataclass(type(wanted)):
        return wanted
    raise ConfigError(
        f"a scheme is a name, a mapping of `name` and parameters, or an object of a scheme's class, not {wanted!r}; "
        f"known: {', '.join(scheme_names())}"
    )


def scheme_parameters(scheme: Scheme) -> dict[str, Any]:
    """Return the parameters of a scheme, JSON-ready."""
    return parameters_of(scheme)


def scheme_title(scheme: str, chosen: str) -> str:
    """Return what tables and figures call a scheme: ``refined``, or ``auto: combined`` where it has chosen another."""
    return scheme if chosen == scheme else f"{scheme}: {chosen}"

"""The weight schemes by name, our own and those that other packages add.

Another package adds a scheme through an entry point::

    [project.entry-points."hepneg.schemes"]
    my_scheme = "my_package.schemes:MyScheme"

or, within one session, with the decorator :func:`register`.
"""

from __future__ import annotations

import dataclasses
import importlib
from importlib.metadata import entry_points
from typing import Any

from hepneg.errors import ConfigError, nearest_names
from hepneg.schemes.protocol import Scheme

__all__ = ["make_scheme", "register", "require_task", "scheme_names", "scheme_parameters"]

_OWN = {
    "absolute": "hepneg.schemes.absolute:Absolute",
    "positive": "hepneg.schemes.positive:Positive",
    "signed": "hepneg.schemes.signed:Signed",
    "paired": "hepneg.schemes.paired:Paired",
    "mixture": "hepneg.schemes.mixture:Mixture",
    "refined": "hepneg.schemes.refined:Refined",
    "factorised": "hepneg.schemes.factorised:Factorised",
    "combined": "hepneg.schemes.combined:Combined",
}
_registered: dict[str, type[Scheme]] = {}


def register(scheme: type[Scheme]) -> type[Scheme]:
    """Add a scheme under its ``name``; a class decorator."""
    _registered[scheme.name] = scheme
    return scheme


def scheme_names() -> tuple[str, ...]:
    """Return the names of all schemes, our own first."""
    added = sorted(point.name for point in entry_points(group="hepneg.schemes"))
    return tuple(dict.fromkeys([*_OWN, *_registered, *added]))


def _scheme_class(name: str) -> type[Scheme]:
    if name in _registered:
        return _registered[name]
    target = _OWN.get(name)
    if target is None:
        points = entry_points(group="hepneg.schemes", name=name)
        if not points:
            raise ConfigError(f"unknown scheme {name!r}{nearest_names(name, scheme_names())}")
        found: type[Scheme] = next(iter(points)).load()
        return found
    module, attribute = target.split(":")
    own: type[Scheme] = getattr(importlib.import_module(module), attribute)
    return own


def make_scheme(name: str, **parameters: Any) -> Scheme:
    """Return a scheme with its parameters set.

    Args:
        name: one of :func:`scheme_names`.
        parameters: fields of the scheme; those left out keep their default.

    Raises:
        ConfigError: no such scheme, no such parameter, or a value that the scheme refuses.
    """
    kind = _scheme_class(name)
    known = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
    for parameter in parameters:
        if parameter not in known:
            hint = nearest_names(parameter, known) or "; it has none"
            raise ConfigError(f"scheme {name!r} has no parameter {parameter!r}{hint}")
    try:
        return kind(**parameters)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"scheme {name!r}: {error}") from None


def require_task(scheme: Scheme, task: str) -> None:
    """Refuse a scheme that cannot pose a task; one that names no ``tasks`` is for classification.

    Raises:
        ConfigError: with the schemes of ours that can.
    """
    if task in getattr(scheme, "tasks", ("classification",)):
        return
    able = ", ".join(name for name in _OWN if task in getattr(_scheme_class(name), "tasks", ()))
    raise ConfigError(f"scheme {scheme.name!r} is not for a {task}; take one of {able or 'other packages'}")


def scheme_parameters(scheme: Scheme) -> dict[str, Any]:
    """Return the parameters of a scheme, JSON-ready."""
    return dataclasses.asdict(scheme)  # type: ignore[call-overload, no-any-return]

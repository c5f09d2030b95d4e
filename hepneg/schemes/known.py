"""The weight schemes by name, our own and those that other packages add.

Another package adds a scheme through an entry point::

    [project.entry-points."hepneg.schemes"]
    my_scheme = "my_package.schemes:MyScheme"

or, within one session, with the decorator :func:`register`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from hepneg._core.registry import Registry, parameters_of
from hepneg.errors import ConfigError
from hepneg.schemes.scheme import Scheme

__all__ = ["as_scheme", "make_scheme", "register", "require_task", "scheme_names", "scheme_parameters"]

_OWN = {
    "absolute": "hepneg.schemes.absolute:Absolute",
    "positive": "hepneg.schemes.positive:Positive",
    "signed": "hepneg.schemes.signed:Signed",
    "paired": "hepneg.schemes.paired:Paired",
    "mixture": "hepneg.schemes.mixture:Mixture",
    "refined": "hepneg.schemes.refined:Refined",
    "factorised": "hepneg.schemes.factorised:Factorised",
    "signed_target": "hepneg.schemes.signed_target:SignedTarget",
    "combined": "hepneg.schemes.combined:Combined",
    "auto": "hepneg.schemes.auto:Auto",
}
_schemes: Registry[Scheme] = Registry("scheme", "hepneg.schemes", _OWN)


def register(scheme: type[Scheme]) -> type[Scheme]:
    """Add a scheme under its ``name``; a class decorator."""
    return _schemes.register(scheme)


def scheme_names() -> tuple[str, ...]:
    """Return the names of all schemes, our own first."""
    return _schemes.names()


def make_scheme(name: str, **parameters: Any) -> Scheme:
    """Return a scheme with its parameters set.

    Args:
        name: one of :func:`scheme_names`.
        parameters: fields of the scheme; those left out keep their default.

    Raises:
        ConfigError: no such scheme, no such parameter, or a value that the scheme refuses.
    """
    return _schemes.make(name, parameters)


def as_scheme(wanted: object) -> Scheme:
    """Return a scheme from its name, from a mapping of ``name`` and parameters, or as it is.

    Raises:
        ConfigError: it is none of these, or :func:`make_scheme` refuses it.
    """
    if isinstance(wanted, str):
        return make_scheme(wanted)
    if isinstance(wanted, Mapping) and isinstance(wanted.get("name"), str):
        return _schemes.make(wanted["name"], {str(key): value for key, value in wanted.items() if key != "name"})
    if isinstance(wanted, Scheme) and dataclasses.is_dataclass(type(wanted)):
        return wanted
    raise ConfigError(
        f"a scheme is a name, a mapping of `name` and parameters, or an object of a scheme's class, not {wanted!r}; "
        f"known: {', '.join(scheme_names())}"
    )


def require_task(scheme: Scheme, task: str) -> None:
    """Refuse a scheme that cannot pose a task; one that names no ``tasks`` is for classification.

    Raises:
        ConfigError: with the schemes of ours that can.
    """
    if task in getattr(scheme, "tasks", ("classification",)):
        return
    able = ", ".join(name for name in _OWN if task in getattr(_schemes.find(name), "tasks", ()))
    raise ConfigError(f"scheme {scheme.name!r} is not for a {task}; take one of {able or 'other packages'}")


def scheme_parameters(scheme: Scheme) -> dict[str, Any]:
    """Return the parameters of a scheme, JSON-ready."""
    return parameters_of(scheme)

"""What users may add by name: weight schemes and objectives share this registry.

Another package adds one through an entry point of the registry's group, whose value is the class; within one session
:meth:`Registry.register` does.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar

from hepneg.errors import ConfigError, nearest_names

__all__ = ["Registry", "parameters_of"]

Kind = TypeVar("Kind")


@dataclass(frozen=True, eq=False)
class Registry(Generic[Kind]):
    """Classes by name, imported when they are asked for. A class is a frozen dataclass; its fields are its parameters.

    Args:
        what: how messages call one, for instance ``"scheme"``.
        group: of the entry points through which other packages add to it.
        own: ``"module:Class"`` by name.
        registered: classes added within this session, by name.
    """

    what: str
    group: str
    own: Mapping[str, str]
    registered: dict[str, type[Kind]] = field(default_factory=dict)

    def register(self, kind: type[Kind]) -> type[Kind]:
        """Add a class under its ``name``; a class decorator."""
        self.registered[kind.name] = kind  # type: ignore[attr-defined]
        return kind

    def adopt(self, made: Any) -> dict[str, Any]:
        """Register the class of an object for this session, and return the object's name and parameters.

        Raises:
            ConfigError: it is no frozen dataclass, its name is that of one of our own, or a parameter is not what a
                file can hold.
        """
        if not dataclasses.is_dataclass(made) or not hasattr(made, "name"):
            raise ConfigError(f"a {self.what} is a frozen dataclass with a `name`, not {made!r}")
        parameters = parameters_of(made)
        try:
            json.dumps(parameters, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"{self.what} {made.name!r}: its parameters must be plain values: {error}") from None
        kind: Any = type(made)
        if made.name not in self.own:
            self.registered[made.name] = kind
        elif self.find(made.name) is not kind:
            raise ConfigError(f"the name {made.name!r} is that of a {self.what} of hepneg: give yours another")
        return {"name": made.name, **parameters}

    def names(self) -> tuple[str, ...]:
        """Return all names, our own first."""
        return tuple(dict.fromkeys([*self.own, *self.registered, *_names_of_others(self.group)]))

    def find(self, name: str) -> type[Kind]:
        """Return the class of a name.

        Raises:
            ConfigError: there is none.
        """
        if name in self.registered:
            return self.registered[name]
        if name in self.own:
            module, attribute = self.own[name].split(":")
            kind: type[Kind] = getattr(importlib.import_module(module), attribute)
            return kind
        points = entry_points(group=self.group, name=name)
        if not points:
            raise ConfigError(f"unknown {self.what} {name!r}{nearest_names(name, self.names(), listed=None)}")
        found: type[Kind] = next(iter(points)).load()
        return found

    def make(self, name: str, parameters: Mapping[str, Any]) -> Kind:
        """Return an object with its parameters set; those left out keep their default.

        Raises:
            ConfigError: no such name, no such parameter, or a value that the class refuses.
        """
        kind = self.find(name)
        known = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
        for parameter in parameters:
            if parameter not in known:
                hint = nearest_names(parameter, known) or "; it has none"
                raise ConfigError(f"{self.what} {name!r} has no parameter {parameter!r}{hint}")
        try:
            return kind(**parameters)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"{self.what} {name!r}: {error}") from None


@cache
def _names_of_others(group: str) -> tuple[str, ...]:
    """Return the names that installed packages add, sorted; once, for the search opens every package's files."""
    return tuple(sorted(point.name for point in entry_points(group=group)))


def parameters_of(chosen: object) -> dict[str, Any]:
    """Return the parameters of a scheme or objective, JSON-ready."""
    return dataclasses.asdict(chosen)  # type: ignore[call-overload, no-any-return]

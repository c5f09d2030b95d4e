"""What a network is: parameters in, a module from raw inputs to outputs out; and how one is found by its name."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache
from importlib.metadata import packages_distributions
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, cast, runtime_checkable

from hepneg._core.plugins import NETWORKS
from hepneg._core.registry import parameters_of
from hepneg.errors import ConfigError, DataError

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Network", "as_network", "network_from_dict", "network_names", "network_to_dict", "register"]

_SESSION = "this session"


@runtime_checkable
class Network(Protocol):
    """A kind of network: a frozen dataclass whose fields, plain values, are its parameters.

    A model keeps its name and its parameters, and is rebuilt from them; so :meth:`build` must give the same layers for
    the same numbers. It says nothing of labels, signs or losses: the first line of its docstring is what tables say
    about it. A class attribute ``training``, a mapping, may hold settings that suit the network, such as ``epochs`` and
    ``learning_rate``: they stand where the configuration says nothing.
    """

    name: ClassVar[str]

    def build(self, inputs: int, outputs: int) -> nn.Module:
        """Return a new module from raw inputs, (n, inputs) float32, to outputs, (n, outputs), with any parameters.

        Inputs come as they stand in the ntuple, in their units: begin with :class:`hepneg.networks.Standardise`, which
        is fitted to the events of the training, unless the module scales by itself. Parameters are drawn from torch's
        global generator, which is seeded for it. A :class:`hepneg.networks.body.Body` does
        both by itself. A method ``build_members(inputs, members)`` may give several networks with one output each as
        one module, and a method ``for_signs()`` the network that learns signs in the place of this one.

        A network for events with collections has a third parameter, ``collections``: the names of the objects'
        features and the largest number of objects, :class:`hepneg.networks.CollectionLayout`, by collection. Its module
        is called with the features, (n, inputs), and a mapping of :class:`hepneg.networks.Objects` by collection:
        values, (n, L, m), in their units, 0 where there is no object, and a mask, (n, L), that says where there is one.
        ``Standardise(m, of="jets")`` scales the objects of a collection.
        """


def register(network: type[Network]) -> type[Network]:
    """Add a network under its ``name`` for this session; a class decorator."""
    return NETWORKS.register(network)


def network_names() -> tuple[str, ...]:
    """Return the names of all networks, our own first."""
    return NETWORKS.names()


def as_network(wanted: object) -> Network:
    """Return a network from its name, from a mapping of ``name`` and parameters, or as it is.

    The class of an object is registered under its name for this session, so that a model with it can be loaded again.

    Raises:
        ConfigError: it is none of these, or there is no such network or parameter, or a value is refused.
    """
    if isinstance(wanted, str):
        wanted = {"name": wanted}
    if isinstance(wanted, Mapping):
        parameters = {str(key): value for key, value in wanted.items() if key != "name"}
        made: Network = NETWORKS.make(str(wanted.get("name", "mlp")), parameters)
        return made
    if isinstance(wanted, type) or not (dataclasses.is_dataclass(wanted) and hasattr(wanted, "build")):
        raise ConfigError(
            f"a network is a name, a mapping of `name` and parameters, or a frozen dataclass with a `name` and a "
            f"method `build(inputs, outputs)`, not {wanted!r}; known: {', '.join(network_names())}"
        )
    NETWORKS.adopt(wanted)
    return cast(Network, wanted)


def network_to_dict(network: Network) -> dict[str, Any]:
    """Return name, parameters and the package that brings the network, JSON-ready."""
    module = type(network).__module__.partition(".")[0]
    return {"name": network.name, "package": _package_of(module), **parameters_of(network)}


@cache
def _package_of(module: str) -> str:
    """Return the installed package of a top-level module; our own is known, for the search opens every package."""
    own = __name__.partition(".")[0]
    return own if module == own else packages_distributions().get(module, [_SESSION])[0]


def network_from_dict(data: Mapping[str, Any]) -> Network:
    """Rebuild a network from :func:`network_to_dict`.

    Raises:
        DataError: it is not known here; the message says which package brings it.
    """
    name, package = str(data["name"]), data.get("package", _SESSION)
    if name not in network_names():
        remedy = (
            "register its class (`hepneg.networks.register`) before loading"
            if package == _SESSION
            else f"install the package {package!r}, which brings it"
        )
        raise DataError(f"the model's network {name!r} is not known here: {remedy}")
    try:
        return as_network({key: value for key, value in data.items() if key != "package"})
    except ConfigError as error:
        raise DataError(f"the model's network cannot be rebuilt: {error}") from None

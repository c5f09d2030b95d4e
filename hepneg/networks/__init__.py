"""Networks: a registry by name, and the modules that training and models are made of.

A network of one's own is a frozen dataclass with a ``name`` and a method ``build(inputs, outputs)`` that returns a
``torch.nn.Module`` (see :class:`Network`). It is given as it is (``hepneg.train(events,
network=MyNetwork(width=32))``), registered by name for a session (:func:`register`), or brought by an installed package
through an entry point of the group ``hepneg.networks``; a configuration takes registered names alone.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from hepneg.events import CollectionLayout
from hepneg.networks.network import Network, as_network, network_names, register

if TYPE_CHECKING:
    from hepneg.networks.body import Standardise
    from hepneg.networks.objects import Objects

__all__ = ["CollectionLayout", "Network", "Objects", "Standardise", "as_network", "network_names", "register"]

_WITH_TORCH = {"Standardise": "hepneg.networks.body", "Objects": "hepneg.networks.objects"}


def __getattr__(name: str) -> Any:
    if name not in _WITH_TORCH:
        raise AttributeError(f"module 'hepneg.networks' has no attribute {name!r}")
    return getattr(importlib.import_module(_WITH_TORCH[name]), name)  # a configuration names networks without torch

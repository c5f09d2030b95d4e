"""What users may choose by name, and other packages may add: weight schemes, objectives and networks.

Our own are named here as text, so that the configuration can check a name without importing what bears it. Another
package adds one through an entry point of the same group, whose value is the class::

    [project.entry-points."hepneg.networks"]
    my_network = "my_package:MyNetwork"

Within one session :meth:`hepneg._core.registry.Registry.register` does, a class decorator.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from hepneg._core.registry import Registry
from hepneg.errors import ConfigError

__all__ = ["NETWORKS", "OBJECTIVES", "SCHEMES", "require_collections", "require_task", "takes_collections"]

SCHEMES: Registry[Any] = Registry(
    "scheme",
    "hepneg.schemes",
    {
        "absolute": "hepneg.schemes.plain:Absolute",
        "positive": "hepneg.schemes.plain:Positive",
        "signed": "hepneg.schemes.plain:Signed",
        "paired": "hepneg.schemes.paired:Paired",
        "mixture": "hepneg.schemes.shared:Mixture",
        "refined": "hepneg.schemes.refined:Refined",
        "factorised": "hepneg.schemes.sign_terms:Factorised",
        "signed_target": "hepneg.schemes.shared:SignedTarget",
        "combined": "hepneg.schemes.sign_terms:Combined",
        "auto": "hepneg.schemes.auto:Auto",
    },
)

OBJECTIVES: Registry[Any] = Registry(
    "objective",
    "hepneg.objectives",
    {
        "cross_entropy": "hepneg.objectives.cross_entropy:CrossEntropy",
        "balanced_cross_entropy": "hepneg.objectives.balanced_cross_entropy:BalancedCrossEntropy",
        "response_preference": "hepneg.objectives.response_preference:ResponsePreference",
        "squared": "hepneg.objectives.target_objectives:Squared",
        "huber": "hepneg.objectives.target_objectives:Huber",
        "log_cosh": "hepneg.objectives.target_objectives:LogCosh",
        "quantile": "hepneg.objectives.target_objectives:Quantile",
        "signed_squared": "hepneg.objectives.counter_examples:SignedSquared",
        "reciprocal": "hepneg.objectives.counter_examples:Reciprocal",
    },
)

NETWORKS: Registry[Any] = Registry(
    "network",
    "hepneg.networks",
    {
        "mlp": "hepneg.networks.perceptron:Perceptron",
        "tabular": "hepneg.networks.tabular:Tabular",
        "deep_sets": "hepneg.networks.deep_sets:DeepSets",
        "particle_transformer": "hepneg.networks.particle_transformer:ParticleTransformer",
    },
)


def require_task(scheme: Any, task: str) -> None:
    """Refuse a scheme that cannot pose a task; one that names no ``tasks`` is for classification.

    Raises:
        ConfigError: with the schemes of ours that can.
    """
    if task in getattr(scheme, "tasks", ("classification",)):
        return
    able = ", ".join(name for name in SCHEMES.own if task in getattr(SCHEMES.find(name), "tasks", ()))
    raise ConfigError(f"scheme {scheme.name!r} is not for a {task}; take one of {able or 'other packages'}")


def takes_collections(network: Any) -> bool:
    """Tell whether a network's ``build`` has a parameter ``collections``."""
    return "collections" in inspect.signature(network.build).parameters


def require_collections(network: Any, collections: Sequence[str]) -> None:
    """Refuse a network without an input for the collections that there are, and one that has none to take.

    Raises:
        ConfigError: with the networks of ours that fit.
    """
    if takes_collections(network) == bool(collections):
        return
    fitting = ", ".join(name for name in NETWORKS.own if takes_collections(NETWORKS.find(name)) == bool(collections))
    if collections:
        raise ConfigError(
            f"network {network.name!r} takes features alone, not the collections {', '.join(collections)}; take one of "
            f"{fitting}, or leave the collections out"
        )
    raise ConfigError(f"network {network.name!r} takes collections, and there are none; give some, or take {fitting}")

"""The modules that can answer for a fold: one network, or several combined. Built from plain dictionaries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import nn

from hepneg.networks.factorised_network import FactorisedArchitecture, FactorisedNetwork
from hepneg.networks.mixture_network import MixtureArchitecture, MixtureNetwork
from hepneg.networks.multilayer import Architecture, ResponseNetwork
from hepneg.networks.regression_network import RegressionArchitecture, RegressionNetwork
from hepneg.networks.signed_target_network import SignedTargetArchitecture, SignedTargetNetwork

__all__ = ["AnyArchitecture", "FoldNetwork", "MeanArchitecture", "MeanNetwork", "architecture_from_dict", "build"]


@dataclass(frozen=True, slots=True)
class MeanArchitecture:
    """Several classifiers whose log-odds are averaged."""

    parts: tuple[Architecture | FactorisedArchitecture, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the architecture as a plain dictionary."""
        return {"kind": "mean", "parts": [part.to_dict() for part in self.parts]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Rebuild an architecture from :meth:`to_dict`."""
        return cls(tuple(architecture_from_dict(part) for part in data["parts"]))  # type: ignore[misc]


class MeanNetwork(nn.Module):
    """The mean of the log-odds of its parts."""

    def __init__(self, architecture: MeanArchitecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.parts = nn.ModuleList(build(part) for part in architecture.parts)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the log-odds of being signal at equal priors, (n,)."""
        return torch.stack([part(features) for part in self.parts]).mean(dim=0)


FoldNetwork = (
    ResponseNetwork | FactorisedNetwork | MeanNetwork | MixtureNetwork | SignedTargetNetwork | RegressionNetwork
)
AnyArchitecture = (
    Architecture | FactorisedArchitecture | MeanArchitecture | MixtureArchitecture | RegressionArchitecture
)

_Kinds = FactorisedArchitecture | MeanArchitecture | MixtureArchitecture | RegressionArchitecture
_ARCHITECTURES: Mapping[str, type[_Kinds]] = {
    "factorised": FactorisedArchitecture,
    "mean": MeanArchitecture,
    "mixture": MixtureArchitecture,
    "regression": RegressionArchitecture,
    "signed_target": SignedTargetArchitecture,
}


def architecture_from_dict(data: Mapping[str, Any]) -> AnyArchitecture:
    """Rebuild any architecture; one without a ``kind`` is that of a single multilayer perceptron."""
    if "kind" not in data:
        return Architecture.from_dict(data)
    return _ARCHITECTURES[data["kind"]].from_dict(data)


def build(architecture: AnyArchitecture) -> FoldNetwork:
    """Return a new network of an architecture."""
    match architecture:
        case FactorisedArchitecture():
            return FactorisedNetwork(architecture)
        case MeanArchitecture():
            return MeanNetwork(architecture)
        case SignedTargetArchitecture():
            return SignedTargetNetwork(architecture)
        case MixtureArchitecture():
            return MixtureNetwork(architecture)
        case RegressionArchitecture():
            return RegressionNetwork(architecture)
        case _:
            return ResponseNetwork(architecture)

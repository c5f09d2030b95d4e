"""The network behind the local mean sign: several members side by side, averaged."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import torch

from hepneg._core.parameters import require_count
from hepneg.events import InputLayout, Rows
from hepneg.networks.body import Body
from hepneg.networks.fold_network import FoldNetwork
from hepneg.networks.layer_stack import LayerStack, Stacked
from hepneg.networks.make_body import make_members
from hepneg.networks.network import Network, network_from_dict, network_to_dict

__all__ = ["LARGEST_MEAN", "SignEnsemble"]

LARGEST_MEAN = 0.98
"""Largest mean sign to start at: beyond, the gradient nearly vanishes."""


class SignEnsemble(FoldNetwork):
    """M networks of the same kind, evaluated as one.

    Called with rows of raw inputs, (n, W), it gives each member's log-odds of w > 0, (n, M). The local mean sign is
    ĝ = c + slope·(mean over the members of tanh(z/2) − c), c the mean sign, and no less than ``floor``. Slope and floor
    are set on events that the members have not seen; before, they are 1 and −1.

    Args:
        network: gives the layers of each member.
        inputs: how they are laid out; F without collections.
        members: M.
    """

    name: ClassVar[str] = "signs"
    centre: torch.Tensor
    slope: torch.Tensor
    floor: torch.Tensor

    def __init__(self, network: Network, inputs: int | InputLayout, members: int) -> None:
        super().__init__()
        self.network, self.inputs, self.members = network, InputLayout.of(inputs), members
        self.body: Body = make_members(network, self.inputs, members)
        self.register_buffer("centre", torch.zeros(()))
        self.register_buffer("slope", torch.ones(()))
        self.register_buffer("floor", -torch.ones(()))

    def parameters_to_dict(self) -> dict[str, Any]:
        """Return network, inputs and members."""
        return {"network": network_to_dict(self.network), "inputs": self.inputs.to_json(), "members": self.members}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return a module of the same layers."""
        require_count(members=data["members"])
        return cls(network_from_dict(data["network"]), InputLayout.from_json(data["inputs"]), data["members"])

    def initialise(self, generator: torch.Generator, features: Rows, mean_sign: float) -> None:
        """Draw the parameters anew and fit the scaling. The ensemble starts at the constant ``mean_sign``."""
        start = min(max(mean_sign, -LARGEST_MEAN), LARGEST_MEAN)
        self.body.initialise(generator, features)
        self.body.start(torch.full((self.members,), 2 * math.atanh(start)))
        self.centre.fill_(start)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return each member's log-odds of w > 0, (n, M)."""
        log_odds: torch.Tensor = self.body(features)
        return log_odds

    def layer_stack(self) -> LayerStack | None:
        """Return the layers of all members (see :class:`hepneg.networks.layer_stack.Stacked`)."""
        return self.body.layer_stack() if isinstance(self.body, Stacked) else None

    def raw_mean_sign(self, features: torch.Tensor) -> torch.Tensor:
        """Return the local mean sign without the floor, (n,): negative where the density seems to be."""
        return self.centre + self.slope * (torch.tanh(0.5 * self(features)).mean(dim=1) - self.centre)

    def mean_sign(self, features: torch.Tensor) -> torch.Tensor:
        """Return the local mean sign ĝ, (n,)."""
        return torch.maximum(self.raw_mean_sign(features), self.floor)

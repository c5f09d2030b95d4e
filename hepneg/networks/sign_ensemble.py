"""The network behind the local mean sign: several members side by side, averaged."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hepneg.networks.fused import can_fuse, fused_linear
from hepneg.networks.multilayer import activation_layer

__all__ = ["LARGEST_MEAN", "SignArchitecture", "SignEnsemble"]

LARGEST_MEAN = 0.98
"""Largest mean sign to start at: beyond, the gradient nearly vanishes."""


@dataclass(frozen=True, slots=True)
class SignArchitecture:
    """The shape of an ensemble of sign networks.

    Attributes:
        inputs: number of features.
        hidden: width of each hidden layer.
        activation: as in :class:`hepneg.networks.multilayer.Architecture`.
        members: networks in the ensemble.
    """

    inputs: int
    hidden: tuple[int, ...]
    activation: str
    members: int

    def to_dict(self) -> dict[str, Any]:
        """Return the architecture as a plain dictionary."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Rebuild an architecture from :meth:`to_dict`."""
        return cls(int(data["inputs"]), tuple(data["hidden"]), str(data["activation"]), int(data["members"]))


class SignEnsemble(nn.Module):
    """M multilayer perceptrons of the same shape, evaluated as one.

    Called with raw features, (n, F), it gives each member's log-odds of w > 0, (n, M). The local mean sign is
    ĝ = c + slope·(mean over the members of tanh(z/2) − c), c the mean sign, and no less than ``floor``. Slope and floor
    are set on events that the members have not seen; before, they are 1 and −1.
    """

    mean: torch.Tensor
    scale: torch.Tensor
    centre: torch.Tensor
    slope: torch.Tensor
    floor: torch.Tensor

    def __init__(self, architecture: SignArchitecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.activation = activation_layer(architecture.activation)
        widths = [architecture.inputs, *architecture.hidden, 1]
        members = architecture.members
        self.weights = nn.ParameterList(
            nn.Parameter(torch.zeros(members, *pair)) for pair in itertools.pairwise(widths)
        )
        self.biases = nn.ParameterList(nn.Parameter(torch.zeros(members, 1, width)) for width in widths[1:])
        self.register_buffer("mean", torch.zeros(architecture.inputs))
        self.register_buffer("scale", torch.ones(architecture.inputs))
        self.register_buffer("centre", torch.zeros(()))
        self.register_buffer("slope", torch.ones(()))
        self.register_buffer("floor", -torch.ones(()))

    def initialise(
        self, generator: torch.Generator, mean: NDArray[np.float32], scale: NDArray[np.float32], mean_sign: float
    ) -> None:
        """Draw the weights anew and set the scaling. The ensemble starts at the constant ``mean_sign``."""
        start = min(max(mean_sign, -LARGEST_MEAN), LARGEST_MEAN)
        with torch.no_grad():
            for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
                inputs = weight.shape[1]
                weight.uniform_(-math.sqrt(6 / inputs), math.sqrt(6 / inputs), generator=generator)
                bias.uniform_(-1 / math.sqrt(inputs), 1 / math.sqrt(inputs), generator=generator)
            self.weights[-1].zero_()
            self.biases[-1].fill_(2 * math.atanh(start))
            self.mean.copy_(torch.from_numpy(mean))
            self.scale.copy_(torch.from_numpy(scale))
            self.centre.fill_(start)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return each member's log-odds of w > 0, (n, M)."""
        values = (features - self.mean).mul_(self.scale.reciprocal())
        if can_fuse(values):
            return torch.cat([self._member(number, values) for number in range(self.architecture.members)], dim=1)
        values = values.expand(self.architecture.members, -1, -1)
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            values = self.activation(torch.baddbmm(bias, values, weight))
        return torch.baddbmm(self.biases[-1], values, self.weights[-1]).squeeze(-1).T

    def _member(self, number: int, values: torch.Tensor) -> torch.Tensor:
        """Return the log-odds of one member, (n, 1), from scaled features."""
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            values = fused_linear(values, weight[number].T, bias[number, 0], self.architecture.activation)
        return torch.addmm(self.biases[-1][number], values, self.weights[-1][number])

    def raw_mean_sign(self, features: torch.Tensor) -> torch.Tensor:
        """Return the local mean sign without the floor, (n,): negative where the density seems to be."""
        return self.centre + self.slope * (torch.tanh(0.5 * self(features)).mean(dim=1) - self.centre)

    def mean_sign(self, features: torch.Tensor) -> torch.Tensor:
        """Return the local mean sign ĝ, (n,)."""
        return torch.maximum(self.raw_mean_sign(features), self.floor)

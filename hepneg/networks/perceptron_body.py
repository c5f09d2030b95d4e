"""The layers of the network ``mlp``: of one perceptron, or of several side by side."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hepneg.networks.body import Body, Standardise
from hepneg.networks.fused import can_fuse, fused_linear
from hepneg.networks.layer_stack import LayerStack

__all__ = ["Multilayer", "PackedPerceptrons", "PerceptronBody"]

_ACTIVATIONS: Mapping[str, type[nn.Module]] = {
    "silu": nn.SiLU,
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "clipped": nn.Hardtanh,
}


LARGE_START = 6.0
"""First weights are uniform within ±√(start/inputs): 6 is Kaiming's bound for a relu."""
SMALL_START = 2.0
"""Smaller outputs of the hidden layers, and so smoother functions at first; torch's own bound, 1, trains longer."""


class Scaling(Protocol):
    """A module in front of the layers that is fitted to the events of the training."""

    def fit(self, features: NDArray[np.float32]) -> None:
        """Take what it needs from events, (n, F)."""

    def __call__(self, features: torch.Tensor) -> torch.Tensor:
        """Return the inputs of the first layer."""


class Multilayer(nn.Sequential):
    """Linear layers with activations in between, which inference fuses where it can."""

    def __init__(self, widths: Sequence[int], activation: str) -> None:
        layers: list[nn.Module] = []
        for inputs, outputs in itertools.pairwise(widths[:-1]):
            layers += [nn.Linear(inputs, outputs), _ACTIVATIONS[activation]()]
        super().__init__(*layers, nn.Linear(widths[-2], widths[-1]))
        self.activation = activation
        self.linear = tuple(layer for layer in self if isinstance(layer, nn.Linear))

    def end_at_zero(self) -> None:
        """Set the last layer to zero, so that all outputs are."""
        nn.init.zeros_(self.linear[-1].weight)
        nn.init.zeros_(self.linear[-1].bias)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Return what the last layer gives, (n, outputs)."""
        if not can_fuse(values):
            for layer in self:
                values = layer(values)
            return values
        *hidden, last = self.linear
        for linear in hidden:
            values = fused_linear(values, linear.weight, linear.bias, self.activation)
        return nn.functional.linear(values, last.weight, last.bias)


class PerceptronBody(Body):
    """The layers of one perceptron. The last one starts at zero: so do all outputs."""

    def __init__(
        self, widths: Sequence[int], activation: str, scaling: Scaling | None = None, start: float = LARGE_START
    ) -> None:
        super().__init__()
        self.first_weights = start
        self.scaling = scaling or Standardise(widths[0])
        self.layers = Multilayer(widths, activation)

    @property
    def hidden(self) -> list[nn.Module]:
        """The activations of the hidden layers, in order."""
        return [layer for layer in self.layers if not isinstance(layer, nn.Linear)]

    def initialise(self, generator: torch.Generator, features: NDArray[np.float32]) -> None:
        """Draw the parameters anew, and fit the scaling."""
        self.scaling.fit(features)
        with torch.no_grad():
            for layer in self.layers.linear:
                bound = 1 / math.sqrt(layer.in_features)
                # √(start/inputs), rounded as torch's own functions round it
                first = math.sqrt(3.0) * (math.sqrt(self.first_weights / 3.0) / math.sqrt(layer.in_features))
                layer.weight.uniform_(-first, first, generator=generator)
                layer.bias.uniform_(-bound, bound, generator=generator)
            self.layers.end_at_zero()

    def start(self, values: torch.Tensor) -> None:
        """Set the bias of the last layer, whose weights are zero."""
        with torch.no_grad():
            self.layers.linear[-1].bias.copy_(values)

    def shift(self, amount: float) -> None:
        """Shift the bias of the last layer."""
        with torch.no_grad():
            self.layers.linear[-1].bias.add_(amount)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the outputs, (n, O)."""
        values: torch.Tensor = self.layers(self.scaling(features))
        return values

    def layer_stack(self) -> LayerStack | None:
        """Return the layers (see :class:`hepneg.networks.layer_stack.Stacked`)."""
        linear = self.layers.linear
        weights, biases = [layer.weight for layer in linear], [layer.bias for layer in linear]
        return LayerStack.of(self.scaling, weights, biases, self.layers.activation)


class PackedPerceptrons(Body):
    """Perceptrons with one output each, side by side, which share the scaling of their inputs."""

    def __init__(
        self,
        widths: Sequence[int],
        activation: str,
        members: int,
        scaling: Scaling | None = None,
        start: float = LARGE_START,
    ) -> None:
        super().__init__()
        self.members, self.name, self.first_weights = members, activation, start
        self.activation = _ACTIVATIONS[activation]()
        self.scaling = scaling or Standardise(widths[0])
        self.weights = nn.ParameterList(
            nn.Parameter(torch.zeros(members, *pair)) for pair in itertools.pairwise(widths)
        )
        self.biases = nn.ParameterList(nn.Parameter(torch.zeros(members, 1, width)) for width in widths[1:])

    def initialise(self, generator: torch.Generator, features: NDArray[np.float32]) -> None:
        """Draw the parameters anew, and fit the scaling."""
        self.scaling.fit(features)
        with torch.no_grad():
            for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
                inputs = weight.shape[1]
                first = math.sqrt(self.first_weights / inputs)
                weight.uniform_(-first, first, generator=generator)
                bias.uniform_(-1 / math.sqrt(inputs), 1 / math.sqrt(inputs), generator=generator)
            self.weights[-1].zero_()
            self.biases[-1].zero_()

    def start(self, values: torch.Tensor) -> None:
        """Set the biases of the last layers, whose weights are zero."""
        with torch.no_grad():
            self.biases[-1].copy_(values.reshape(-1, 1, 1))

    def shift(self, amount: float) -> None:
        """Shift the biases of the last layers."""
        with torch.no_grad():
            self.biases[-1].add_(amount)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the output of each member, (n, M)."""
        values: torch.Tensor = self.scaling(features)
        if can_fuse(values):
            return torch.cat([self._member(number, values) for number in range(self.members)], dim=1)
        values = values.expand(self.members, -1, -1)
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            values = self.activation(torch.baddbmm(bias, values, weight))
        return torch.baddbmm(self.biases[-1], values, self.weights[-1]).squeeze(-1).T

    def layer_stack(self) -> LayerStack | None:
        """Return the layers (see :class:`hepneg.networks.layer_stack.Stacked`)."""
        return LayerStack.of(self.scaling, list(self.weights), list(self.biases), self.name)

    def _member(self, number: int, values: torch.Tensor) -> torch.Tensor:
        """Return the output of one member, (n, 1), from scaled inputs."""
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            values = fused_linear(values, weight[number].T, bias[number, 0], self.name)
        return torch.addmm(self.biases[-1][number], values, self.weights[-1][number])

"""The classifier's network: a multilayer perceptron that takes raw features."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hepneg.networks.fused import can_fuse, fused_linear
from hepneg.networks.inference import in_pieces
from hepneg.networks.output_range import OutputRange, response_log_odds

__all__ = [
    "Architecture",
    "Multilayer",
    "ResponseNetwork",
    "activation_layer",
    "draw_parameters",
    "feature_scaling",
]

_ACTIVATIONS: Mapping[str, type[nn.Module]] = {
    "silu": nn.SiLU,
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "clipped": nn.Hardtanh,
}
_FARTHEST = 64.0  # a latent value beyond which no output moves in single precision


@dataclass(frozen=True, slots=True)
class Architecture:
    """The shape of a network, enough to rebuild it.

    Attributes:
        inputs: number of features.
        hidden: width of each hidden layer.
        activation: ``silu``, ``relu``, ``gelu``, ``tanh``, ``sigmoid`` or ``clipped`` (to ±1).
        logit_bound: outputs are squashed into ±logit_bound; None for no bound.
        output: range that the response never leaves, inside (0, 1); None for all of (0, 1).
    """

    inputs: int
    hidden: tuple[int, ...]
    activation: str
    logit_bound: float | None = None
    output: OutputRange | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the architecture as a plain dictionary."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Rebuild an architecture from :meth:`to_dict`."""
        output = OutputRange.from_dict(data.get("output"))
        return cls(int(data["inputs"]), tuple(data["hidden"]), str(data["activation"]), data["logit_bound"], output)


def activation_layer(name: str) -> nn.Module:
    """Return a new layer of an activation by its name."""
    return _ACTIVATIONS[name]()


def feature_scaling(features: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the mean and standard deviation of each column, (F,) each; a constant column gets the scale 1.

    Taken over events without their weights: scaling conditions the optimisation and estimates nothing.
    """
    mean = np.array([column.mean(dtype=np.float64) for column in features.T])
    scale = np.array([column.std(dtype=np.float64) for column in features.T])
    return mean.astype(np.float32), np.where(scale > 0, scale, 1.0).astype(np.float32)


class Multilayer(nn.Sequential):
    """Linear layers with activations in between, which inference fuses where it can."""

    def __init__(self, widths: Sequence[int], activation: str) -> None:
        layers: list[nn.Module] = []
        for inputs, outputs in itertools.pairwise(widths[:-1]):
            layers += [nn.Linear(inputs, outputs), activation_layer(activation)]
        super().__init__(*layers, nn.Linear(widths[-2], widths[-1]))
        self.activation = activation
        self._linear = tuple(layer for layer in self if isinstance(layer, nn.Linear))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Return what the last layer gives, (n, outputs)."""
        if not can_fuse(values):
            for layer in self:
                values = layer(values)
            return values
        *hidden, last = self._linear
        for linear in hidden:
            values = fused_linear(values, linear.weight, linear.bias, self.activation)
        return nn.functional.linear(values, last.weight, last.bias)


def draw_parameters(layers: nn.Sequential, generator: torch.Generator) -> nn.Linear:
    """Draw the parameters of all linear layers anew, but set the last layer to zero, and return that one."""
    linear = [layer for layer in layers if isinstance(layer, nn.Linear)]
    with torch.no_grad():
        for layer in linear:
            bound = 1 / math.sqrt(layer.in_features)
            nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu", generator=generator)
            layer.bias.uniform_(-bound, bound, generator=generator)
        linear[-1].weight.zero_()
        linear[-1].bias.zero_()
    return linear[-1]


class ResponseNetwork(nn.Module):
    """A multilayer perceptron from raw features, (n, F), to a log-odds, (n,).

    The scaling of the features is part of the module (buffers ``mean`` and ``scale``), so a saved network needs no
    preprocessing beside it. A bounded logit is b·tanh(z/b): the identity near 0, never beyond ±b.
    """

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.register_buffer("mean", torch.zeros(architecture.inputs))
        self.register_buffer("scale", torch.ones(architecture.inputs))
        self.layers = Multilayer([architecture.inputs, *architecture.hidden, 1], architecture.activation)

    def initialise(self, generator: torch.Generator, mean: NDArray[np.float32], scale: NDArray[np.float32]) -> None:
        """Draw the weights anew and set the scaling. The last layer starts at zero: every response is ½."""
        draw_parameters(self.layers, generator)
        with torch.no_grad():
            self.mean.copy_(torch.from_numpy(mean))
            self.scale.copy_(torch.from_numpy(scale))

    def latent(self, features: torch.Tensor) -> torch.Tensor:
        """Return what the last layer gives, before any bound, (n,)."""
        values: torch.Tensor = self.layers((features - self.mean).mul_(self.scale.reciprocal()))
        return values.squeeze(-1)

    def squash(self, latent: torch.Tensor) -> torch.Tensor:
        """Return the log-odds that belong to values of the last layer: a function that never falls."""
        bound, output = self.architecture.logit_bound, self.architecture.output
        logit = latent if bound is None else bound * torch.tanh(latent / bound)
        return logit if output is None else response_log_odds(logit, output)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the log-odds of being signal at equal priors, (n,)."""
        return self.squash(self.latent(features))

    def latent_values(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return :meth:`latent` of any number of events, (n,) float64."""
        return in_pieces(self.latent, features, self.mean.device)

    @property
    def latent_of_half(self) -> float:
        """The value of the last layer whose response is ½."""
        low, high = -_FARTHEST, _FARTHEST
        for _ in range(60):
            middle = 0.5 * (low + high)
            below = float(self.squash(torch.tensor(middle))) < 0
            low, high = (middle, high) if below else (low, middle)
        return 0.5 * (low + high)

    def shift(self, amount: float) -> None:
        """Add a constant to what the last layer gives, in place."""
        with torch.no_grad():
            cast(nn.Linear, self.layers[-1]).bias.add_(amount)

"""The layers of a network as training sees them: initialised, begun at constant outputs, and shifted."""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hepneg.errors import TrainingError
from hepneg.networks.network import Network

__all__ = ["Body", "Standardise", "make_body"]

_ROWS = 256  # events that a module of another package is tried on
_global_generator = threading.Lock()  # folds are trained in threads, which share torch's generator


class Standardise(nn.Module):
    """Subtracts the mean of each input and divides by its standard deviation; a constant input keeps its scale.

    Both are buffers, so that a saved network needs no preprocessing beside it.

    Args:
        inputs: F.
    """

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("scale", torch.ones(inputs))

    def fit(self, features: NDArray[np.float32]) -> None:
        """Take mean and standard deviation from events, (n, F).

        Events count without their weights: scaling conditions the optimisation and estimates nothing.
        """
        mean = np.array([column.mean(dtype=np.float64) for column in features.T])
        scale = np.array([column.std(dtype=np.float64) for column in features.T])
        with torch.no_grad():
            self.mean.copy_(torch.from_numpy(mean.astype(np.float32)))
            self.scale.copy_(torch.from_numpy(np.where(scale > 0, scale, 1.0).astype(np.float32)))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the scaled inputs, (n, F)."""
        return (features - self.mean).mul_(self.scale.reciprocal())


class Body(nn.Module):
    """A module from raw inputs, (n, F), to outputs, (n, O)."""

    @abstractmethod
    def initialise(self, generator: torch.Generator, features: NDArray[np.float32]) -> None:
        """Draw the parameters anew, and fit the scaling of the inputs to the events of the training, (n, F).

        Raises:
            TrainingError: the module does not give one finite row of outputs for each event.
        """

    @abstractmethod
    def start(self, values: torch.Tensor) -> None:
        """Begin at these outputs, (O,), whatever the inputs, or about them on average."""

    @abstractmethod
    def shift(self, amount: float) -> None:
        """Add a constant to all outputs."""


class _AnyBody(Body):
    """A module that knows nothing of this package, with a constant that is added to its outputs."""

    offset: torch.Tensor

    def __init__(self, network: Network, inputs: int, outputs: int, module: nn.Module) -> None:
        super().__init__()
        self.network, self.inputs, self.outputs, self.module = network, inputs, outputs, module
        self.register_buffer("offset", torch.zeros(outputs))

    def initialise(self, generator: torch.Generator, features: NDArray[np.float32]) -> None:
        """Build the module anew under the generator's seed, fit its scaling, and try it."""
        self.module = _built(self.network, self.inputs, self.outputs, generator.initial_seed())
        for part in self.module.modules():
            if isinstance(part, Standardise):
                part.fit(features)
        self._tried = torch.from_numpy(np.array(features[:_ROWS], order="C"))
        self.start(torch.zeros(self.outputs))

    def start(self, values: torch.Tensor) -> None:
        """Set the constant so that the mean output over some events is as wanted."""
        with torch.no_grad():
            self.offset.copy_(values - self._checked(self._tried).mean(dim=0))

    def shift(self, amount: float) -> None:
        """Shift the constant."""
        self.offset += amount

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the module's outputs and the constant, (n, O)."""
        values: torch.Tensor = self.module(features)
        return values + self.offset

    def _checked(self, features: torch.Tensor) -> torch.Tensor:
        name = self.network.name
        self.module.eval()
        try:
            with torch.no_grad():
                values = self.module(features)
        except (RuntimeError, TypeError, ValueError, IndexError) as error:
            reason = " ".join(str(error).split())
            raise TrainingError(
                f"network {name!r} fails on inputs of shape {tuple(features.shape)}: {reason}"
            ) from None
        wanted = (len(features), self.outputs)
        if not isinstance(values, torch.Tensor) or tuple(values.shape) != wanted:
            given = tuple(values.shape) if isinstance(values, torch.Tensor) else type(values).__name__
            raise TrainingError(f"network {name!r} gives {given} for inputs {tuple(features.shape)}, not {wanted}")
        if not torch.isfinite(values).all():
            raise TrainingError(f"network {name!r} gives NaN or infinite outputs before any training")
        self.module.train()
        return values


def make_body(network: Network, inputs: int, outputs: int) -> Body:
    """Return the layers of a network, not yet initialised.

    Raises:
        TrainingError: the network cannot be built.
    """
    module = _built(network, inputs, outputs, seed=0)
    return module if isinstance(module, Body) else _AnyBody(network, inputs, outputs, module)


def _built(network: Network, inputs: int, outputs: int, seed: int) -> nn.Module:
    """Call a network's ``build`` with torch's global generator seeded, and say in one line what fails."""
    try:
        with _seeded(seed):
            module = network.build(inputs, outputs)
    except (RuntimeError, TypeError, ValueError, LookupError, AttributeError) as error:
        raise TrainingError(f"network {network.name!r} cannot be built: {' '.join(str(error).split())}") from error
    if not isinstance(module, nn.Module):
        raise TrainingError(f"network {network.name!r} builds {type(module).__name__}, not a torch.nn.Module")
    return module


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed torch's global generator for a while, for modules that draw from it, and put it back as it was."""
    with _global_generator, torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield

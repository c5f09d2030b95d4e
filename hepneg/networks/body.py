"""The layers of a network as training sees them: initialised, begun at constant outputs, and shifted."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

__all__ = ["Body", "Standardise"]

_SMALLEST = float(np.finfo(np.float32).tiny)
"""Smaller scales have no finite reciprocal in single precision: such an input is constant."""


class Standardise(nn.Module):
    """Subtracts the mean of each input and divides by its standard deviation; a constant input keeps its scale.

    Both are buffers, so that a saved network needs no preprocessing beside it.

    Args:
        inputs: F.
        of: the collection whose objects it scales; left out, it scales the features of the event.
    """

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, inputs: int, of: str | None = None) -> None:
        super().__init__()
        self.of = of
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("scale", torch.ones(inputs))

    def fit(self, features: NDArray[np.float32]) -> None:
        """Take mean and standard deviation from events, or objects, (n, F).

        Events count without their weights: scaling conditions the optimisation and estimates nothing.
        """
        if not len(features):
            return
        mean = np.array([column.mean(dtype=np.float64) for column in features.T])
        scale = np.array([column.std(dtype=np.float64) for column in features.T])
        with torch.no_grad():
            self.mean.copy_(torch.from_numpy(mean.astype(np.float32)))
            self.scale.copy_(torch.from_numpy(np.where(scale > _SMALLEST, scale, 1.0).astype(np.float32)))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the scaled inputs, (…, F)."""
        return (features - self.mean).mul_(self.scale.reciprocal())


class Body(nn.Module):
    """A module from rows of raw inputs, (n, W), to outputs, (n, O)."""

    @abstractmethod
    def initialise(self, generator: torch.Generator, features: Any) -> None:
        """Draw the parameters anew, and fit the scaling of the inputs to those of the training.

        Args:
            generator: of the random numbers.
            features: of n events, :data:`hepneg.events.Rows`.

        Raises:
            TrainingError: the module does not give one finite row of outputs for each event.
        """

    @abstractmethod
    def start(self, values: torch.Tensor) -> None:
        """Begin at these outputs, (O,), whatever the inputs, or about them on average."""

    @abstractmethod
    def shift(self, amount: float) -> None:
        """Add a constant to all outputs."""

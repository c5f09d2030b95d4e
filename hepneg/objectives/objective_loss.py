"""What the training loop asks of an objective's loss."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hepneg.events import EventTable
from hepneg.objectives.validation_loss import ValidationLoss

__all__ = ["ObjectiveLoss"]


class ObjectiveLoss(nn.Module):
    """A loss over the rows of a batch, with a running state if it wants one.

    The state is kept in buffers, which go into the checkpoints, so that a training resumes bit for bit.
    """

    @abstractmethod
    def forward(self, network: nn.Module, rows: torch.Tensor) -> torch.Tensor:
        """Return the sum of the loss over the rows of a batch (see :data:`hepneg.objectives.rows.Loss`)."""

    def running(self) -> dict[str, float]:
        """Return what the loss follows from batch to batch, for the history of the training; by default, nothing."""
        return {}

    def require(self, network: nn.Module) -> None:
        """Refuse a network that this loss cannot train; by default, none.

        Raises:
            TrainingError: with what to change.
        """

    @abstractmethod
    def validation_loss(self, events: EventTable, weight: NDArray[np.float64]) -> ValidationLoss:
        """Return the validation loss for early stopping: lower is better, on any scale that the epochs share.

        Args:
            events: that the network is not trained on.
            weight: of these events, (n,), of the kind that the scheme trains with.
        """

    def settle(self, network: nn.Module, events: EventTable, weight: NDArray[np.float64]) -> None:
        """Adjust a trained network in place on events that it was not trained on; by default, leave it alone.

        Args:
            network: in its best state.
            events: as for :meth:`validation_loss`.
            weight: as for :meth:`validation_loss`.
        """

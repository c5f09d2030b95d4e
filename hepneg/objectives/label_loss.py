"""The loss of a classification: one of the event, of log-odds, label and weight."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hepneg.events import EventTable
from hepneg.losses import CrossEntropyLoss, EventLoss
from hepneg.losses.cross_entropy_loss import class_cross_entropy_gradient, cross_entropy_gradient
from hepneg.objectives.objective_loss import ObjectiveLoss
from hepneg.objectives.rows import LossGradient
from hepneg.objectives.validation_loss import ValidationLoss, label_validation_loss

__all__ = ["LabelLoss"]


class LabelLoss(ObjectiveLoss):
    """A loss of the label; by default that of :class:`hepneg.objectives.cross_entropy.CrossEntropy`."""

    def __init__(self, event_loss: EventLoss | None = None) -> None:
        super().__init__()
        self.event_loss = event_loss or CrossEntropyLoss()

    def forward(self, network: nn.Module, rows: torch.Tensor) -> torch.Tensor:
        """Return the loss, summed; the columns behind the features are label and weight."""
        return self.event_loss.terms(network(rows[:, :-2]), rows[:, -2], rows[:, -1]).sum()

    def direct(self) -> LossGradient | None:
        """Return the plain cross-entropy with its gradient (see :class:`hepneg.objectives.rows.DirectLoss`)."""
        loss = self.event_loss
        plain = type(self) is LabelLoss and isinstance(loss, CrossEntropyLoss) and loss.direct
        return _label_gradient if plain else None

    def running(self) -> dict[str, float]:
        """Return the running state of a loss that has one."""
        return self.event_loss.running()

    def validation_loss(self, events: EventTable, weight: NDArray[np.float64]) -> ValidationLoss:
        """Return the log-loss, labels balanced, in nats."""
        return label_validation_loss(events, weight)


def _label_gradient(outputs: torch.Tensor, columns: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    if outputs.shape[2] == 1:
        value, gradient = cross_entropy_gradient(outputs[0, :, 0], columns[:, 0], columns[:, 1])
    else:
        value, gradient = class_cross_entropy_gradient(outputs[0], columns[:, 0], columns[:, 1])
    return value, gradient.view_as(outputs)

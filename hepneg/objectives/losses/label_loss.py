"""Plain cross-entropy of the label."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hepneg.events import EventTable
from hepneg.objectives.losses.objective_loss import ObjectiveLoss
from hepneg.objectives.losses.rows import label_loss
from hepneg.objectives.losses.validation_loss import ValidationLoss, label_validation_loss

__all__ = ["LabelLoss"]


class LabelLoss(ObjectiveLoss):
    """The loss of :class:`hepneg.objectives.cross_entropy.CrossEntropy`; it has no state."""

    def forward(self, network: nn.Module, rows: torch.Tensor) -> torch.Tensor:
        """Return the cross-entropy of the label, summed; the columns behind the features are label and weight."""
        return label_loss(network, rows)

    def validation_loss(self, events: EventTable, weight: NDArray[np.float64]) -> ValidationLoss:
        """Return the log-loss, labels balanced, in nats."""
        return label_validation_loss(events, weight)

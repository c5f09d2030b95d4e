"""The losses of regressions: sums of one term for each event, in standard deviations of the target."""

from __future__ import annotations

import math
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hepneg._core.estimate import Estimate
from hepneg.events import EventTable
from hepneg.losses import EventLoss, QuantileLoss
from hepneg.networks.inference import PIECE
from hepneg.networks.packed_rows import dense_rows
from hepneg.networks.regression_network import RegressionNetwork
from hepneg.objectives.objective_loss import ObjectiveLoss
from hepneg.objectives.validation_loss import ValidationLoss

__all__ = ["TargetLoss"]

Float = NDArray[np.float64]


class TargetLoss(ObjectiveLoss):
    """The sum of a loss over the events; it has no state.

    The columns of a batch behind the features are the T standardised targets and the weight times the grade.

    Args:
        event_loss: of predictions, (n, T), or of quantiles, (n, T, M), targets, (n, T), both standardised, and the
            weight times the grade, (n,).
    """

    def __init__(self, event_loss: EventLoss) -> None:
        super().__init__()
        self.event_loss = event_loss

    def _terms(self, output: torch.Tensor, target: torch.Tensor, strength: torch.Tensor) -> torch.Tensor:
        """Return the loss of each event, (n,), from the outputs of a network, (n, T, M)."""
        given = output if isinstance(self.event_loss, QuantileLoss) else output.squeeze(-1)
        return self.event_loss.terms(given, target, strength)

    def forward(self, network: nn.Module, rows: torch.Tensor) -> torch.Tensor:
        """Return the sum of the terms over the rows of a batch."""
        regression = cast(RegressionNetwork, network)
        first = rows.shape[1] - 1 - regression.targets
        return self._terms(regression.standardised(rows[:, :first]), rows[:, first:-1], rows[:, -1]).sum()

    def validation_loss(self, events: EventTable, weight: Float) -> ValidationLoss:
        """Return Σ terms / Σ weight; NaN once the network gives no finite numbers."""
        strength = weight if events.grade is None else weight * events.grade
        total = float(weight.sum())

        def mean_term(network: nn.Module) -> Estimate:
            terms = self._all_terms(cast(RegressionNetwork, network), events, strength)
            mean = float(terms.sum()) / total
            error = float(np.sqrt(np.square(terms - weight * mean).sum())) / total
            return Estimate(mean, error) if math.isfinite(mean) else Estimate(math.nan, 0.0)

        return mean_term

    def _all_terms(self, network: RegressionNetwork, events: EventTable, strength: Float) -> Float:
        # Copies: torch wants its arrays writable.
        target, size = torch.tensor(network.standardise(events.targets())), torch.tensor(strength)
        device, parts = network.shift.device, []
        with torch.inference_mode():
            for start in range(0, len(events), PIECE):
                piece = slice(start, start + PIECE)
                features = dense_rows(events.inputs, start, start + PIECE).to(device)
                output = network.standardised(features).cpu().double()
                parts.append(self._terms(output, target[piece], size[piece]).numpy())
        return np.concatenate(parts)

"""The loss of sign networks: the cross-entropy of the sign given x, for training and for early stopping."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hepneg._core.estimate import Estimate
from hepneg.events import EventTable
from hepneg.losses.cross_entropy_loss import cross_entropy_gradient
from hepneg.networks.inference import network_logits
from hepneg.objectives.rows import LossGradient
from hepneg.objectives.validation_loss import ValidationLoss
from hepneg.signs.sign_ensemble import SignEnsemble

__all__ = ["SignLoss", "sign_validation_loss"]


class SignLoss:
    """Cross-entropy of the sign, summed over the members of a :class:`hepneg.signs.sign_ensemble.SignEnsemble`.

    The columns behind the features are the sign (1 for w > 0, 0 for w < 0) and, for each member, the weight.
    """

    def __call__(self, network: nn.Module, rows: torch.Tensor) -> torch.Tensor:
        """Return the sum over the rows of a batch."""
        features = cast(SignEnsemble, network).inputs.width
        log_odds = network(rows[:, :features])
        positive = rows[:, features, None].expand_as(log_odds)
        return nn.functional.binary_cross_entropy_with_logits(
            log_odds, positive, weight=rows[:, features + 1 :], reduction="sum"
        )

    def direct(self) -> LossGradient:
        """Return the same with its gradient (see :class:`hepneg.objectives.rows.DirectLoss`)."""
        return _sign_gradient


def _sign_gradient(outputs: torch.Tensor, columns: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    value, gradient = cross_entropy_gradient(outputs[..., 0], columns[:, 0], columns[:, 1:].T)
    return value, gradient[..., None]


def sign_validation_loss(events: EventTable, held_out: NDArray[np.float64]) -> ValidationLoss:
    """Return the cross-entropy of the sign, each member on the events that it leaves out.

    Args:
        events: n signed events.
        held_out: \\|w\\| of the events that each member leaves out, 0 for the others, (n, M).
    """
    used = np.asarray(held_out.any(axis=1))
    events, held_out = events.select(used), held_out[used]
    sign = np.where(events.weight > 0, 1.0, -1.0)[:, None]
    total = max(float(held_out.sum()), np.finfo(float).tiny)

    def validation_loss(network: nn.Module) -> Estimate:
        z = network_logits(network, events.inputs)
        with np.errstate(over="ignore", invalid="ignore"):  # a loss that is not finite ends the training
            loss = np.logaddexp(0.0, -sign * z)
            mean = float((held_out * loss).sum() / total)
            return Estimate(mean, float(np.sqrt((held_out**2 * (loss - mean) ** 2).sum())) / total)

    return validation_loss

"""What early stopping goes by: the loss of a network on events that it is not trained on."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hepneg._core.estimate import Estimate
from hepneg.events import EventTable
from hepneg.metrics import log_loss
from hepneg.networks.inference import PIECE, network_logits
from hepneg.objectives.losses.rows import Loss

__all__ = ["Judge", "log_loss_judge", "loss_judge", "sign_judge"]

Judge = Callable[[nn.Module], Estimate]
Float = NDArray[np.float64]


def log_loss_judge(events: EventTable, weight: Float) -> Judge:
    """Return the log-loss of the label with some weights, (n,); NaN once the network gives no finite numbers."""

    def judge(network: nn.Module) -> Estimate:
        logit = network_logits(network, events.features)
        loss = log_loss(np.nan_to_num(logit), events.label, weight)
        return loss if np.isfinite(logit).all() else Estimate(math.nan, loss.error)

    return judge


def loss_judge(loss: Loss, rows: torch.Tensor) -> Judge:
    """Return what the network minimises, on other rows; its error is not needed to stop."""

    def judge(network: nn.Module) -> Estimate:
        pieces = [rows[start : start + PIECE] for start in range(0, len(rows), PIECE)]
        with torch.inference_mode():
            total = math.fsum(float(loss(network, piece)) for piece in pieces)
        return Estimate(total / len(rows), 0.0)

    return judge


def sign_judge(events: EventTable, held_out: Float) -> Judge:
    """Return the cross-entropy of the sign, each member on the events that it leaves out."""
    used = np.asarray(held_out.any(axis=1))
    events, held_out = events.select(used), held_out[used]
    sign = np.where(events.weight > 0, 1.0, -1.0)[:, None]
    total = max(float(held_out.sum()), np.finfo(float).tiny)

    def judge(network: nn.Module) -> Estimate:
        z = network_logits(network, events.features)
        with np.errstate(over="ignore", invalid="ignore"):  # a loss that is not finite ends the training
            loss = np.logaddexp(0.0, -sign * z)
            mean = float((held_out * loss).sum() / total)
            return Estimate(mean, float(np.sqrt((held_out**2 * (loss - mean) ** 2).sum())) / total)

    return judge

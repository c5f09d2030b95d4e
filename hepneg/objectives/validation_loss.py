"""The validation loss, which says when training stops: of a network on events that it is not trained on."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hepneg._core.estimate import Estimate
from hepneg.events import EventTable
from hepneg.metrics.class_scores import output_log_loss, unscored
from hepneg.networks.inference import PIECE, network_logits
from hepneg.objectives.rows import EventRows, Loss

__all__ = ["ValidationLoss", "label_validation_loss", "row_validation_loss"]

ValidationLoss = Callable[[nn.Module], Estimate]


def label_validation_loss(events: EventTable, weight: NDArray[np.float64]) -> ValidationLoss:
    """Return the log-loss of the label with some weights, (n,); NaN once the network gives no finite numbers."""
    known = unscored(events, weight)

    def validation_loss(network: nn.Module) -> Estimate:
        logit = network_logits(network, events.inputs)
        loss = output_log_loss(known.with_score(np.nan_to_num(logit))).estimate()
        return loss if np.isfinite(logit).all() else Estimate(math.nan, loss.error)

    return validation_loss


def row_validation_loss(loss: Loss, rows: EventRows) -> ValidationLoss:
    """Return what the network minimises, on other rows; its error is not needed to stop."""

    def validation_loss(network: nn.Module) -> Estimate:
        pieces = [rows[start : start + PIECE] for start in range(0, len(rows), PIECE)]
        with torch.inference_mode():
            total = math.fsum(float(loss(network, piece)) for piece in pieces)
        return Estimate(total / len(rows), 0.0)

    return validation_loss

"""The validation loss, which says when training stops: of a network on events that it is not trained on."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hepneg._core.estimate import Estimate
from hepneg._core.log_odds import log_probabilities
from hepneg.events import EventTable
from hepneg.metrics import log_loss
from hepneg.metrics.class_scores import ClassScores, class_log_loss_of
from hepneg.networks.inference import PIECE, network_logits
from hepneg.objectives.rows import EventRows, Loss

__all__ = ["ValidationLoss", "label_validation_loss", "row_validation_loss"]

ValidationLoss = Callable[[nn.Module], Estimate]


def label_validation_loss(events: EventTable, weight: NDArray[np.float64]) -> ValidationLoss:
    """Return the log-loss of the label with some weights, (n,); NaN once the network gives no finite numbers."""

    def validation_loss(network: nn.Module) -> Estimate:
        logit = network_logits(network, events.inputs)
        loss = _log_loss(np.nan_to_num(logit), events, weight)
        return loss if np.isfinite(logit).all() else Estimate(math.nan, loss.error)

    return validation_loss


def _log_loss(logit: NDArray[np.float64], events: EventTable, weight: NDArray[np.float64]) -> Estimate:
    if logit.ndim == 1:
        return log_loss(logit, events.label, weight)
    scores = ClassScores(log_probabilities(logit), events.label, weight, events.classes)
    return class_log_loss_of(scores).estimate()


def row_validation_loss(loss: Loss, rows: EventRows) -> ValidationLoss:
    """Return what the network minimises, on other rows; its error is not needed to stop."""

    def validation_loss(network: nn.Module) -> Estimate:
        pieces = [rows[start : start + PIECE] for start in range(0, len(rows), PIECE)]
        with torch.inference_mode():
            total = math.fsum(float(loss(network, piece)) for piece in pieces)
        return Estimate(total / len(rows), 0.0)

    return validation_loss

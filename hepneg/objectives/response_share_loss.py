"""Cross-entropy with a price on the share of events in a range of the response."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from hepneg._core.estimate import Estimate
from hepneg.events import EventTable
from hepneg.losses import ResponsePreferenceLoss
from hepneg.networks.inference import network_logits
from hepneg.objectives.label_loss import LabelLoss
from hepneg.objectives.rows import balanced_weight
from hepneg.objectives.validation_loss import ValidationLoss, label_validation_loss

__all__ = ["ResponseShareLoss"]


class ResponseShareLoss(LabelLoss):
    """The loss of :class:`hepneg.objectives.response_preference.ResponsePreference`.

    Args:
        wish: the objective's parameters.
    """

    event_loss: ResponsePreferenceLoss

    def __init__(self, **wish: Any) -> None:
        super().__init__(ResponsePreferenceLoss(**wish, keep_history=False))

    def validation_loss(self, events: EventTable, weight: NDArray[np.float64]) -> ValidationLoss:
        """Return the log-loss, labels balanced, with the price of the share on these events, in nats.

        During start-up the share counts as missed altogether: a network that has not learnt yet may meet it by chance.
        """
        plain, shares = label_validation_loss(events, weight), balanced_weight(weight, events.label) / len(events)
        wish = self.event_loss

        def priced(network: nn.Module) -> Estimate:
            loss, log_odds = plain(network), network_logits(network, events.inputs)
            inside = float(shares[(log_odds >= wish.low) & (log_odds <= wish.high)].sum(dtype=np.float64))
            missed = abs(inside - wish.share) if wish.rates.started else 1.0
            return Estimate(loss.value + wish.most * missed, loss.error)

        return priced

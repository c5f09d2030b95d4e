"""Cross-entropy with a price on the share of events in a range of the response."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import logit
from torch import nn

from hepneg._core.estimate import Estimate
from hepneg.events import EventTable
from hepneg.networks.inference import network_logits
from hepneg.objectives.losses.objective_loss import ObjectiveLoss
from hepneg.objectives.losses.rows import balanced_weight
from hepneg.objectives.losses.running_rates import RunningPrice, RunningRates
from hepneg.objectives.losses.validation_loss import ValidationLoss, label_validation_loss

__all__ = ["ResponseShareLoss"]

MARGIN = 0.5  # temperatures beyond an end at which an event is left alone
GAIN = 0.3  # nats for each unit of share, and each time constant of the filter

_bce = nn.functional.binary_cross_entropy_with_logits


class ResponseShareLoss(ObjectiveLoss):
    """The loss of :class:`hepneg.objectives.response_preference.ResponsePreference`."""

    def __init__(
        self, share: float, low: float, high: float, price: float, temperature: float, filter_strength: float
    ) -> None:
        super().__init__()
        self.share, self.most, self.temperature = share, price, temperature
        self.low, self.high = float(logit(low)), float(logit(high))
        self.rates = RunningRates((1.0,), filter_strength)
        self.price = RunningPrice(GAIN * filter_strength, price)

    def forward(self, network: nn.Module, rows: torch.Tensor) -> torch.Tensor:
        """Return the cross-entropy, summed, with the gradient of the priced share; last columns: label and weight."""
        label, weight = rows[:, -2], rows[:, -1]
        log_odds = network(rows[:, :-2])
        loss = _bce(log_odds, label, weight=weight, reduction="sum")
        soft = (weight * self._surrogate(log_odds)).sum()
        priced = self.price.value.clone() * (soft.detach() - soft)
        self._follow(log_odds.detach(), weight)
        return loss + priced

    def _surrogate(self, log_odds: torch.Tensor) -> torch.Tensor:
        """Return how far each event counts as inside, smoothly; flat for those that are on the wanted side already."""
        depth = torch.minimum(log_odds - self.low, self.high - log_odds)
        margin = MARGIN * self.temperature
        moved = torch.where(self.price.value > 0, depth.clamp(max=margin), depth.clamp(min=-margin))
        return torch.sigmoid(moved / self.temperature)

    def _follow(self, log_odds: torch.Tensor, weight: torch.Tensor) -> None:
        """Bring the running share and its price up to date with a batch."""
        inside = (log_odds >= self.low) & (log_odds <= self.high)
        sums = torch.stack([(weight * inside).sum(), weight.sum()]) / len(weight)
        self.rates.update(sums[:1], sums[1:])
        self.price.update(self.rates.started * (self.share - self.rates.rates[0]))

    def validation_loss(self, events: EventTable, weight: NDArray[np.float64]) -> ValidationLoss:
        """Return the log-loss, labels balanced, with the price of the share on these events, in nats.

        During start-up the share counts as missed altogether: a network that has not learnt yet may meet it by chance.
        """
        plain, shares = label_validation_loss(events, weight), balanced_weight(weight, events.label) / len(events)

        def priced(network: nn.Module) -> Estimate:
            loss, log_odds = plain(network), network_logits(network, events.features)
            inside = float(shares[(log_odds >= self.low) & (log_odds <= self.high)].sum(dtype=np.float64))
            missed = abs(inside - self.share) if self.rates.started else 1.0
            return Estimate(loss.value + self.most * missed, loss.error)

        return priced

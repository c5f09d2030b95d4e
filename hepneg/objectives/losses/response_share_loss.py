"""Cross-entropy with a price on the share of events in a range of the response."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hepneg._core.estimate import Estimate
from hepneg._core.log_odds import log_odds
from hepneg.events import EventTable
from hepneg.networks.inference import network_logits
from hepneg.objectives.losses.objective_loss import ObjectiveLoss
from hepneg.objectives.losses.rows import balanced_weight
from hepneg.objectives.losses.running_rates import RunningPrice, RunningRates
from hepneg.objectives.losses.validation_loss import Judge, log_loss_judge
from hepneg.objectives.response_preference import ResponsePreference

__all__ = ["ResponsePreferenceLoss"]

MARGIN = 0.5  # temperatures beyond an end at which an event is left alone
GAIN = 0.3  # nats for each unit of share, and each time constant of the filter

_bce = nn.functional.binary_cross_entropy_with_logits


class ResponsePreferenceLoss(ObjectiveLoss):
    """The loss of :class:`hepneg.objectives.response_preference.ResponsePreference`."""

    def __init__(self, objective: ResponsePreference) -> None:
        super().__init__()
        self.objective = objective
        self.low, self.high = log_odds(objective.low), log_odds(objective.high)
        self.rates = RunningRates((1.0,), objective.filter_strength)
        self.price = RunningPrice(GAIN * objective.filter_strength, objective.price)

    def forward(self, network: nn.Module, rows: torch.Tensor) -> torch.Tensor:
        """Return the cross-entropy, summed, with the gradient of the priced share; last columns: label and weight."""
        label, weight = rows[:, -2], rows[:, -1]
        logit = network(rows[:, :-2])
        loss = _bce(logit, label, weight=weight, reduction="sum")
        soft = (weight * self._surrogate(logit)).sum()
        priced = self.price.value.clone() * (soft.detach() - soft)
        self._follow(logit.detach(), weight)
        return loss + priced

    def _surrogate(self, logit: torch.Tensor) -> torch.Tensor:
        """Return how far each event counts as inside, smoothly; flat for those that are on the wanted side already."""
        depth = torch.minimum(logit - self.low, self.high - logit)
        margin = MARGIN * self.objective.temperature
        moved = torch.where(self.price.value > 0, depth.clamp(max=margin), depth.clamp(min=-margin))
        return torch.sigmoid(moved / self.objective.temperature)

    def _follow(self, logit: torch.Tensor, weight: torch.Tensor) -> None:
        """Bring the running share and its price up to date with a batch."""
        inside = (logit >= self.low) & (logit <= self.high)
        sums = torch.stack([(weight * inside).sum(), weight.sum()]) / len(weight)
        self.rates.update(sums[:1], sums[1:])
        self.price.update(self.rates.started * (self.objective.share - self.rates.rates[0]))

    def judge(self, events: EventTable, weight: NDArray[np.float64]) -> Judge:
        """Judge by the log-loss, labels balanced, with the price of the share on these events, in nats.

        During start-up the share counts as missed altogether: a network that has not learnt yet may meet it by chance.
        """
        plain, shares = log_loss_judge(events, weight), balanced_weight(weight, events.label) / len(events)

        def judge(network: nn.Module) -> Estimate:
            loss, logit = plain(network), network_logits(network, events.features)
            found = float(shares[(logit >= self.low) & (logit <= self.high)].sum(dtype=np.float64))
            missed = abs(found - self.objective.share) if self.rates.started else 1.0
            return Estimate(loss.value + self.objective.price * missed, loss.error)

        return judge

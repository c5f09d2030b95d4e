"""Cross-entropy with a price on the share of events in a range of the response."""

from __future__ import annotations

from typing import Any

import torch

from hepneg._core.log_odds import log_odds
from hepneg.losses.event_loss import EventLoss, bce_terms
from hepneg.losses.running_plot import plot_running
from hepneg.losses.running_rates import RunningPrice, RunningRates

MARGIN = 0.5  # temperatures beyond an end at which an event is left alone
GAIN = 1.0  # nats for each unit of share, and each time constant of the filter


class ResponsePreferenceLoss(EventLoss):
    """w·log(1 + e^∓z) with the gradient of price·\\|S − share\\|, S the weighted share of events in [low, high].

    See :class:`hepneg.objectives.response_preference.ResponsePreference`. The priced part has a gradient and no value.

    Args:
        share: wanted, in [0, 1].
        low: lower end of the range of the response, in [0, 1).
        high: upper end, in (0, 1].
        price: most that the cross-entropy may rise for each unit of share, in nats.
        temperature: width of the surrogate's edges, in units of the logit.
        filter_strength: weight of the newest batch in the running share, in (0, 1].
        keep_history: keep the running state after each batch.

    Attributes:
        history: after each batch the running ``share`` and its ``price`` μ, from −price to price.
    """

    def __init__(
        self,
        share: float = 0.5,
        low: float = 0.5,
        high: float = 1.0,
        price: float = 2.0,
        temperature: float = 0.25,
        filter_strength: float = 0.05,
        *,
        keep_history: bool = True,
    ) -> None:
        super().__init__()
        self.share, self.most, self.temperature = share, price, temperature
        self.low, self.high = (log_odds(end) for end in (low, high))
        self.rates = RunningRates(1, filter_strength)
        self.price = RunningPrice(GAIN * filter_strength, price)
        self.keep_history, self.history = keep_history, list[dict[str, float]]()

    def terms(self, logit: torch.Tensor, target: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """Return the cross-entropy of each event, (n,), with the gradient of the priced share; take the batch in."""
        loss = bce_terms(logit, target, weight=weight, reduction="none")
        soft = weight * self._surrogate(logit)
        priced = self.price.value.clone() * (soft.detach() - soft)
        self._follow(logit.detach(), weight)
        return loss + priced

    def running(self) -> dict[str, float]:
        """Return the running share and its price."""
        return {"share": float(self.rates.rates[0]), "price": float(self.price.value)}

    def plot(self, ax: Any = None) -> Any:
        """Draw the history, and return the axes; a matplotlib axes may be given."""
        return plot_running(self.history, ax)

    def _surrogate(self, logit: torch.Tensor) -> torch.Tensor:
        """Return how far each event counts as inside, smoothly; flat for those that are on the wanted side already."""
        depth = torch.minimum(logit - self.low, self.high - logit)
        margin = MARGIN * self.temperature
        moved = torch.where(self.price.value > 0, depth.clamp(max=margin), depth.clamp(min=-margin))
        return torch.sigmoid(moved / self.temperature)

    def _follow(self, logit: torch.Tensor, weight: torch.Tensor) -> None:
        """Bring the running share and its price up to date with a batch."""
        inside = (logit >= self.low) & (logit <= self.high)
        sums = torch.stack([(weight * inside).sum(), weight.sum(), weight.abs().sum()]) / len(weight)
        known = self.rates.update(*sums[:, None])
        self.price.update(self.rates.started * known[0] * (self.share - self.rates.rates[0]))
        if self.keep_history:
            self.history.append(self.running())

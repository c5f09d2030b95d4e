"""Cross-entropy with prices that follow the running sensitivity and specificity."""

from __future__ import annotations

import math
from typing import Any

import torch

from hepneg._core.log_odds import log_odds
from hepneg.losses.event_loss import EventLoss, bce_terms
from hepneg.losses.running_plot import plot_running
from hepneg.losses.running_rates import LARGEST_RATE, RunningPrice, RunningRates

LARGEST_LOG_PRICE = math.log(100)
LARGEST_ERROR = 2.0
"""Of a rate on the logarithmic scale that the price follows: while it is farther off, the price does not race."""


class BalancedCrossEntropyLoss(EventLoss):
    """w·c·log(1 + e^∓z), c following the running rates so that an operating point is met.

    False negatives cost c₁ = 2/(1 + e^−η), false positives c₀ = 2/(1 + e^η). Sensitivity TPR and specificity TNR are
    low-pass filtered over the batches with their signed weights, and η follows them by integral control; see
    :class:`hepneg.objectives.balanced_cross_entropy.BalancedCrossEntropy`. Only the signs and ratios of weights within
    a label matter to the rates, so any scale of the weights gives the same. While a rate is not known, because the
    filtered weights of its label all but cancel, η stands still.

    The formula that is often posted multiplies y·log ŷ by S_N = TP/FN and (1 − y)·log(1 − ŷ) by S_P = TN/FP. It runs
    away: the more signal is found, the dearer it makes missing more of it, until everything is called signal (or
    background, whichever begins). Here the price of a kind of mistake falls as that mistake becomes rarer than wanted.

    Args:
        ratio: of sensitivity to specificity; 1 where nothing is asked for.
        sensitivity: in (0, 1).
        specificity: in (0, 1); at most one of the three is given.
        filter_strength: weight of the newest batch in the running rates, in (0, 1].
        threshold: the response above which an event is called signal.
        keep_history: keep the running state after each batch.

    Attributes:
        history: after each batch ``sensitivity``, ``specificity`` and ``price``, that of false negatives to false
            positives, e^η.
    """

    def __init__(
        self,
        ratio: float | None = None,
        sensitivity: float | None = None,
        specificity: float | None = None,
        filter_strength: float = 0.05,
        threshold: float = 0.5,
        *,
        keep_history: bool = True,
    ) -> None:
        super().__init__()
        self.ratio, self.sensitivity, self.specificity = ratio or 1.0, sensitivity, specificity
        self.threshold = threshold
        self.rates = RunningRates(2, filter_strength)
        self.price = RunningPrice(0.5 * filter_strength, LARGEST_LOG_PRICE)
        self.keep_history, self.history = keep_history, list[dict[str, float]]()

    def terms(self, logit: torch.Tensor, target: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """Return the priced cross-entropy of each event, (n,), and take the batch in."""
        costs = 2 * torch.sigmoid(torch.where(target > 0.5, self.price.value, -self.price.value))
        self._follow(logit.detach(), target, weight)
        return bce_terms(logit, target, weight=weight * costs, reduction="none")

    def running(self) -> dict[str, float]:
        """Return running sensitivity, specificity and the price of false negatives to false positives."""
        sensitivity, specificity = self.rates.rates.tolist()
        return {"sensitivity": sensitivity, "specificity": specificity, "price": math.exp(float(self.price.value))}

    def plot(self, ax: Any = None) -> Any:
        """Draw the history, and return the axes; a matplotlib axes may be given."""
        return plot_running(self.history, ax)

    def _follow(self, logit: torch.Tensor, label: torch.Tensor, weight: torch.Tensor) -> None:
        """Bring rates and price up to date with a batch; a logit at the threshold counts half on either side."""
        of_label = torch.stack([weight * label, weight * (1 - label)]) / len(weight)
        above = 0.5 * (1 + torch.sign(logit - log_odds(self.threshold)))
        right = torch.stack([above, 1 - above])
        known = self.rates.update((of_label * right).sum(dim=1), of_label.sum(dim=1), of_label.abs().sum(dim=1))
        self.price.update(self.rates.started * known.all() * self._error().clamp(-LARGEST_ERROR, LARGEST_ERROR))
        if self.keep_history:
            self.history.append(self.running())

    def _error(self) -> torch.Tensor:
        """Return how much dearer false negatives should become, on a logarithmic scale."""
        sensitivity, specificity = self.rates.rates
        if self.sensitivity is not None:
            return _log_odds(self.sensitivity) - torch.logit(sensitivity)
        if self.specificity is not None:
            return torch.logit(specificity) - _log_odds(self.specificity)
        return math.log(self.ratio) - torch.log(sensitivity / specificity)


def _log_odds(rate: float) -> float:
    """Return the log-odds of a wanted rate, no farther than running rates go."""
    return log_odds(min(max(rate, 1 - LARGEST_RATE), LARGEST_RATE))

"""Cross-entropy with prices that follow the running sensitivity and specificity."""

from __future__ import annotations

import math
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import logit
from torch import nn

from hepneg.errors import TrainingError
from hepneg.events import EventTable
from hepneg.metrics import OperatingPoint, operating_point
from hepneg.networks.response_network import ResponseNetwork
from hepneg.objectives.losses.objective_loss import ObjectiveLoss
from hepneg.objectives.losses.running_rates import RunningPrice, RunningRates
from hepneg.objectives.losses.validation_loss import ValidationLoss, label_validation_loss

__all__ = ["OperatingPointLoss"]

LARGEST_LOG_PRICE = math.log(100)
HALVINGS = 40

_bce = nn.functional.binary_cross_entropy_with_logits


class OperatingPointLoss(ObjectiveLoss):
    """The loss of :class:`hepneg.objectives.balanced_cross_entropy.BalancedCrossEntropy`."""

    def __init__(
        self, ratio: float | None, sensitivity: float | None, specificity: float | None, filter_strength: float
    ) -> None:
        super().__init__()
        self.ratio, self.sensitivity, self.specificity = ratio or 1.0, sensitivity, specificity
        self.rates = RunningRates((0.5, 0.5), filter_strength)
        self.price = RunningPrice(0.5 * filter_strength, LARGEST_LOG_PRICE)

    def forward(self, network: nn.Module, rows: torch.Tensor) -> torch.Tensor:
        """Return the priced cross-entropy, summed; the columns behind the features are label and weight."""
        label, weight = rows[:, -2], rows[:, -1]
        log_odds = network(rows[:, :-2])
        costs = 2 * torch.sigmoid(torch.where(label > 0.5, self.price.value, -self.price.value))
        self._follow(log_odds.detach(), label, weight)
        return _bce(log_odds, label, weight=weight * costs, reduction="sum")

    def _follow(self, log_odds: torch.Tensor, label: torch.Tensor, weight: torch.Tensor) -> None:
        """Bring rates and price up to date with a batch; a logit of exactly 0 counts half on either side."""
        of_label = torch.stack([weight * label, weight * (1 - label)]) / len(weight)
        above = 0.5 * (1 + torch.sign(log_odds))
        self.rates.update((of_label * torch.stack([above, 1 - above])).sum(dim=1), of_label.sum(dim=1))
        self.price.update(self.rates.started * self._error())

    def _error(self) -> torch.Tensor:
        """Return how much dearer false negatives should become, on a logarithmic scale."""
        sensitivity, specificity = self.rates.rates
        if self.sensitivity is not None:
            return float(logit(self.sensitivity)) - torch.logit(sensitivity)
        if self.specificity is not None:
            return torch.logit(specificity) - float(logit(self.specificity))
        return math.log(self.ratio) - torch.log(sensitivity / specificity)

    def require(self, network: nn.Module) -> None:
        """Refuse an output whose range leaves ½ out: there is no operating point in it.

        Raises:
            TrainingError: naming the range.
        """
        output = cast(ResponseNetwork, network).output
        if output is not None and not output.low < 0.5 < output.high:
            raise TrainingError(
                f"objective 'balanced_cross_entropy' sets an operating point at response 0.5, which network.output "
                f"[{output.low:g}, {output.high:g}] leaves out"
            )

    def validation_loss(self, events: EventTable, weight: NDArray[np.float64]) -> ValidationLoss:
        """Return the log-loss, labels balanced, of the log-odds without their price, in nats."""
        plain = label_validation_loss(events, weight)
        return lambda network: plain(_Shifted(network, -float(self.price.value)))

    def settle(self, network: nn.Module, events: EventTable, weight: NDArray[np.float64]) -> None:
        """Set the bias of the last layer so that the operating point is met on these events.

        The threshold is found by bisection. Signed rates need not be monotone in it; then this is one of the crossings.
        """
        network = cast(ResponseNetwork, network)
        latent = network.latent_values(events.features)
        low, high = float(latent.min()), float(latent.max())
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            excess = self._excess(operating_point(latent, events.label, weight, middle))
            low, high = (middle, high) if excess > 0 else (low, middle)
        network.shift(network.latent_of_half - 0.5 * (low + high))

    def _excess(self, point: OperatingPoint) -> float:
        """Return by how much the sensitivity is too high, or the specificity too low; it falls with the threshold."""
        sensitivity, specificity = point.sensitivity.value, point.specificity.value
        if self.sensitivity is not None:
            return sensitivity - self.sensitivity
        if self.specificity is not None:
            return self.specificity - specificity
        return sensitivity - self.ratio * specificity


class _Shifted(nn.Module):
    """A network with a constant added to its output."""

    def __init__(self, network: nn.Module, amount: float) -> None:
        super().__init__()
        self.network, self.amount = network, amount

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the shifted output."""
        values: torch.Tensor = self.network(features)
        return values + self.amount

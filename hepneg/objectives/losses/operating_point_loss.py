"""Cross-entropy with prices that follow the running sensitivity and specificity."""

from __future__ import annotations

import math
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hepneg._core.log_odds import log_odds
from hepneg.errors import TrainingError
from hepneg.events import EventTable
from hepneg.metrics import OperatingPoint, operating_point
from hepneg.networks.multilayer import ResponseNetwork
from hepneg.objectives.balanced_cross_entropy import BalancedCrossEntropy
from hepneg.objectives.losses.objective_loss import ObjectiveLoss
from hepneg.objectives.losses.running_rates import RunningPrice, RunningRates
from hepneg.objectives.losses.validation_loss import Judge, log_loss_judge

__all__ = ["BalancedCrossEntropyLoss"]

LARGEST_LOG_PRICE = math.log(100)
HALVINGS = 40

_bce = nn.functional.binary_cross_entropy_with_logits


class BalancedCrossEntropyLoss(ObjectiveLoss):
    """The loss of :class:`hepneg.objectives.balanced_cross_entropy.BalancedCrossEntropy`."""

    def __init__(self, objective: BalancedCrossEntropy) -> None:
        super().__init__()
        self.objective = objective
        self.rates = RunningRates((0.5, 0.5), objective.filter_strength)
        self.price = RunningPrice(0.5 * objective.filter_strength, LARGEST_LOG_PRICE)

    def forward(self, network: nn.Module, rows: torch.Tensor) -> torch.Tensor:
        """Return the priced cross-entropy, summed; the columns behind the features are label and weight."""
        label, weight = rows[:, -2], rows[:, -1]
        logit = network(rows[:, :-2])
        costs = 2 * torch.sigmoid(torch.where(label > 0.5, self.price.value, -self.price.value))
        self._follow(logit.detach(), label, weight)
        return _bce(logit, label, weight=weight * costs, reduction="sum")

    def _follow(self, logit: torch.Tensor, label: torch.Tensor, weight: torch.Tensor) -> None:
        """Bring rates and price up to date with a batch; a logit of exactly 0 counts half on either side."""
        of_label = torch.stack([weight * label, weight * (1 - label)]) / len(weight)
        above = 0.5 * (1 + torch.sign(logit))
        self.rates.update((of_label * torch.stack([above, 1 - above])).sum(dim=1), of_label.sum(dim=1))
        self.price.update(self.rates.started * self._error())

    def _error(self) -> torch.Tensor:
        """Return how much dearer false negatives should become, on a logarithmic scale."""
        sensitivity, specificity = self.rates.rates
        objective = self.objective
        if objective.sensitivity is not None:
            return log_odds(objective.sensitivity) - torch.logit(sensitivity)
        if objective.specificity is not None:
            return torch.logit(specificity) - log_odds(objective.specificity)
        return math.log(objective.ratio or 1.0) - torch.log(sensitivity / specificity)

    def require(self, network: nn.Module) -> None:
        """Refuse an output whose range leaves ½ out: there is no operating point in it.

        Raises:
            TrainingError: naming the range.
        """
        output = cast(ResponseNetwork, network).architecture.output
        if output is not None and not output.low < 0.5 < output.high:
            raise TrainingError(
                f"objective 'balanced_cross_entropy' sets an operating point at response 0.5, which network.output "
                f"[{output.low:g}, {output.high:g}] leaves out"
            )

    def judge(self, events: EventTable, weight: NDArray[np.float64]) -> Judge:
        """Judge by the log-loss, labels balanced, of the log-odds without their price, in nats."""
        plain = log_loss_judge(events, weight)
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

    def _excess(self, found: OperatingPoint) -> float:
        """Return by how much the sensitivity is too high, or the specificity too low; it falls with the threshold."""
        objective, sensitivity, specificity = self.objective, found.sensitivity.value, found.specificity.value
        if objective.sensitivity is not None:
            return sensitivity - objective.sensitivity
        if objective.specificity is not None:
            return objective.specificity - specificity
        return sensitivity - (objective.ratio or 1.0) * specificity


class _Shifted(nn.Module):
    """A network with a constant added to its output."""

    def __init__(self, network: nn.Module, amount: float) -> None:
        super().__init__()
        self.network, self.amount = network, amount

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the shifted output."""
        values: torch.Tensor = self.network(features)
        return values + self.amount

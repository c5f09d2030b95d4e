"""Cross-entropy with prices that follow the running sensitivity and specificity."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hepneg.errors import TrainingError
from hepneg.events import EventTable
from hepneg.losses import BalancedCrossEntropyLoss
from hepneg.metrics import OperatingPoint, operating_point
from hepneg.networks.response_network import ResponseNetwork
from hepneg.objectives.label_loss import LabelLoss
from hepneg.objectives.validation_loss import ValidationLoss, label_validation_loss

__all__ = ["OperatingPointLoss"]

HALVINGS = 40


class OperatingPointLoss(LabelLoss):
    """The loss of :class:`hepneg.objectives.balanced_cross_entropy.BalancedCrossEntropy`.

    Args:
        wish: ``ratio``, ``sensitivity``, ``specificity``, ``filter_strength`` and ``threshold``.
    """

    event_loss: BalancedCrossEntropyLoss

    def __init__(self, **wish: Any) -> None:
        super().__init__(BalancedCrossEntropyLoss(**wish, keep_history=False))

    def require(self, network: nn.Module) -> None:
        """Refuse an output whose range leaves the threshold out: there is no operating point in it.

        Raises:
            TrainingError: naming the range.
        """
        output, threshold = cast(ResponseNetwork, network).output, self.event_loss.threshold
        if output is not None and not output.low < threshold < output.high:
            raise TrainingError(
                f"objective 'balanced_cross_entropy' sets an operating point at response {threshold:g}, which "
                f"network.output [{output.low:g}, {output.high:g}] leaves out"
            )

    def validation_loss(self, events: EventTable, weight: NDArray[np.float64]) -> ValidationLoss:
        """Return the log-loss, labels balanced, of the log-odds without their price, in nats."""
        plain = label_validation_loss(events, weight)
        return lambda network: plain(_Shifted(network, -float(self.event_loss.price.value)))

    def settle(self, network: nn.Module, events: EventTable, weight: NDArray[np.float64]) -> None:
        """Set the bias of the last layer so that the operating point is met on these events.

        The threshold is found by bisection. Signed rates need not be monotone in it; then this is one of the crossings.
        """
        network = cast(ResponseNetwork, network)
        latent = network.latent_values(events.inputs)
        low, high = float(latent.min()), float(latent.max())
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            excess = self._excess(operating_point(latent, events.label, weight, middle))
            low, high = (middle, high) if excess > 0 else (low, middle)
        network.shift(network.latent_of(self.event_loss.threshold) - 0.5 * (low + high))

    def _excess(self, point: OperatingPoint) -> float:
        """Return by how much the sensitivity is too high, or the specificity too low; it falls with the threshold."""
        sensitivity, specificity, wish = point.sensitivity.value, point.specificity.value, self.event_loss
        if wish.sensitivity is not None:
            return sensitivity - wish.sensitivity
        if wish.specificity is not None:
            return wish.specificity - specificity
        return sensitivity - wish.ratio * specificity


class _Shifted(nn.Module):
    """A network with a constant added to its output."""

    def __init__(self, network: nn.Module, amount: float) -> None:
        super().__init__()
        self.network, self.amount = network, amount

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the shifted output."""
        values: torch.Tensor = self.network(features)
        return values + self.amount

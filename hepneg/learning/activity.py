"""Activity regularisation: a price, or a reward, on how active chosen units of a network are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hepneg.config import Activity
from hepneg.events import EventTable
from hepneg.networks.perceptron_body import PerceptronBody
from hepneg.networks.regression_network import RegressionNetwork
from hepneg.networks.response_network import ResponseNetwork
from hepneg.objectives.objective_loss import ObjectiveLoss
from hepneg.objectives.validation_loss import ValidationLoss

__all__ = ["ActivityLoss"]


class ActivityLoss(ObjectiveLoss):
    """A loss with a price on the mean of \\|a\\|ᵖ over the chosen units a of the hidden layers, or a reward for it.

    strength·mean \\|a\\|ᵖ is added for each event; for a negative strength \\|strength\\|·mean(1 − \\|a\\|ᵖ), which has
    the same gradient and, for activations within ±1, never falls below zero. Events count alike, whatever their
    weights. The mean of the signed weights is 1, so that a strength is in units of the loss of an average event. Early
    stopping goes by the loss alone.

    Reference: Glorot, Bordes, Bengio, AISTATS 15 (2011) 315, for the penalty on \\|a\\|.

    Args:
        loss: of the objective.
        activity: what is asked for; see :class:`hepneg.config.Activity`.
    """

    def __init__(self, loss: ObjectiveLoss, activity: Activity) -> None:
        super().__init__()
        self.loss, self.activity = loss, activity

    def forward(self, network: nn.Module, rows: torch.Tensor) -> torch.Tensor:
        """Return the sum over the rows of the loss and of the price of the activity."""
        with _recorded(self._chosen(network)) as outputs:
            total: torch.Tensor = self.loss(network, rows)
        activity = torch.cat([self._units(output) for output in outputs], dim=1).abs().pow(self.activity.power)
        strength = self.activity.strength
        return total + abs(strength) * (activity if strength > 0 else 1 - activity).mean(dim=1).sum()

    def require(self, network: nn.Module) -> None:
        """Refuse what the objective refuses."""
        self.loss.require(network)

    def running(self) -> dict[str, float]:
        """Return the running state of the objective."""
        return self.loss.running()

    def validation_loss(self, events: EventTable, weight: NDArray[np.float64]) -> ValidationLoss:
        """Return the objective's own."""
        return self.loss.validation_loss(events, weight)

    def settle(self, network: nn.Module, events: EventTable, weight: NDArray[np.float64]) -> None:
        """Adjust the network as the objective does."""
        self.loss.settle(network, events, weight)

    def _chosen(self, network: nn.Module) -> list[nn.Module]:
        hidden = cast(PerceptronBody, cast(ResponseNetwork | RegressionNetwork, network).body).hidden
        return [hidden[number - 1] for number in self.activity.layers or range(1, len(hidden) + 1)]

    def _units(self, output: torch.Tensor) -> torch.Tensor:
        return output[:, list(self.activity.units)] if self.activity.units else output


@contextmanager
def _recorded(layers: Sequence[nn.Module]) -> Iterator[list[torch.Tensor]]:
    """Collect what layers give while they are called, in order."""
    outputs: list[torch.Tensor] = []
    handles = [layer.register_forward_hook(lambda _layer, _inputs, output: outputs.append(output)) for layer in layers]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()

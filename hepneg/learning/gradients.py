"""The gradient of a batch's loss at the parameters: by hand where all of it is known, else by torch's tape."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, cast

import torch
from torch import nn

from hepneg.networks.layer_stack import LayerStack, Stacked
from hepneg.networks.response_network import ResponseNetwork
from hepneg.objectives.rows import DirectLoss, Loss, LossGradient

__all__ = ["BatchGradient", "batch_gradient"]

BatchGradient: TypeAlias = Callable[[torch.Tensor], torch.Tensor]
"""From the rows of a batch to their mean loss; the parameters' ``grad`` is that of this mean then, and nothing else."""


def batch_gradient(network: nn.Module, loss: Loss) -> BatchGradient:
    """Return what gives the gradient of a loss at the parameters of a network.

    Args:
        network: what the loss knows how to call.
        loss: from the network and the rows of a batch to the sum over its events.
    """
    known = loss.direct() if isinstance(loss, DirectLoss) else None
    stack = network.layer_stack() if known and isinstance(network, Stacked) else None
    if known is None or stack is None:
        return _on_tape(network, loss)
    return _by_hand(stack, known, cast(ResponseNetwork, network).inputs.width)


def _by_hand(stack: LayerStack, loss: LossGradient, inputs: int) -> BatchGradient:
    @torch.no_grad()
    def gradient(rows: torch.Tensor) -> torch.Tensor:
        value, of_outputs = loss(stack.forward(rows[:, :inputs]), rows[:, inputs:])
        stack.backward(of_outputs.div_(len(rows)))
        return value.div_(len(rows))

    return gradient


def _on_tape(network: nn.Module, loss: Loss) -> BatchGradient:
    parameters = list(network.parameters())

    def gradient(rows: torch.Tensor) -> torch.Tensor:
        for parameter in parameters:
            parameter.grad = None
        value = loss(network, rows) / len(rows)
        value.backward()  # type: ignore[no-untyped-call]
        return value.detach()

    return gradient

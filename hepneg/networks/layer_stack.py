"""Perceptrons forwards and backwards by hand, for training on a CPU.

A step of a network this small spends half of its time around the matrix products when every operation is noted for the
way back: in new memory for each result, which leaves the caches, and in bookkeeping. Here the results of a batch lie
where those of the last one lay, the way back is known, and the gradients are written where the optimiser looks for
them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias, runtime_checkable

import torch

__all__ = ["LayerStack", "Stacked"]

_aten = torch.ops.aten
Backward: TypeAlias = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], Any]


class _Activation(NamedTuple):
    """An activation a(z).

    Attributes:
        forward: from z and where to write a.
        backward: from dL/da, z and a; writes dL/dz in the place of z.
    """

    forward: Callable[[torch.Tensor, torch.Tensor], Any]
    backward: Backward


_ACTIVATIONS: Mapping[str, _Activation] = {
    "silu": _Activation(
        lambda z, a: _aten.silu.out(z, out=a),
        lambda g, z, _: _aten.silu_backward.grad_input(g, z, grad_input=z),
    ),
    "relu": _Activation(
        lambda z, a: _aten.clamp_min.out(z, 0, out=a),
        lambda g, z, a: _aten.threshold_backward.grad_input(g, a, 0, grad_input=z),
    ),
    "gelu": _Activation(
        lambda z, a: _aten.gelu.out(z, out=a),
        lambda g, z, _: _aten.gelu_backward.grad_input(g, z, grad_input=z),
    ),
    "tanh": _Activation(
        lambda z, a: _aten.tanh.out(z, out=a),
        lambda g, z, a: _aten.tanh_backward.grad_input(g, a, grad_input=z),
    ),
    "sigmoid": _Activation(
        lambda z, a: _aten.sigmoid.out(z, out=a),
        lambda g, z, a: _aten.sigmoid_backward.grad_input(g, a, grad_input=z),
    ),
    "clipped": _Activation(
        lambda z, a: _aten.hardtanh.out(z, -1, 1, out=a),
        lambda g, z, _: _aten.hardtanh_backward.grad_input(g, z, -1, 1, grad_input=z),
    ),
}


@runtime_checkable
class Stacked(Protocol):
    """A module that may be a stack of layers: from raw inputs to its outputs nothing else has parameters."""

    def layer_stack(self) -> LayerStack | None:
        """Return its layers, or None where it is more than that, or not on a CPU."""


class LayerStack:
    """M perceptrons of the same layers on the same inputs.

    Not for several threads at once, and not for more than one batch between :meth:`forward` and :meth:`backward`.

    Args:
        scaling: of the raw inputs; without parameters.
        weights: of each layer, (M, inputs, outputs); or of one network, (outputs, inputs).
        biases: of each layer, (M, 1, outputs); or (outputs,).
        activation: behind all layers but the last: ``silu``, ``relu``, ``gelu``, ``tanh``, ``sigmoid`` or ``clipped``.
    """

    def __init__(
        self,
        scaling: Callable[[torch.Tensor], torch.Tensor],
        weights: Sequence[torch.Tensor],
        biases: Sequence[torch.Tensor],
        activation: str,
    ) -> None:
        self._scaling, self._activation = scaling, _ACTIVATIONS[activation]
        for parameter in (*weights, *biases):
            parameter.grad = torch.zeros_like(parameter)
        self._members = [
            _Member(values, gradients)
            for values, gradients in zip(
                _by_member([weight.detach() for weight in weights], [bias.detach() for bias in biases]),
                _by_member([_gradient(weight) for weight in weights], [_gradient(bias) for bias in biases]),
                strict=True,
            )
        ]

    @classmethod
    def of(
        cls,
        scaling: Callable[[torch.Tensor], torch.Tensor],
        weights: Sequence[torch.Tensor],
        biases: Sequence[torch.Tensor],
        activation: str,
    ) -> LayerStack | None:
        """Return the stack; None where its layers are not in single precision on a CPU, or not all to be trained."""
        usual = all(
            one.device.type == "cpu" and one.dtype == torch.float32 and one.requires_grad for one in (*weights, *biases)
        )
        return cls(scaling, weights, biases, activation) if usual else None

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the outputs of a batch of raw inputs, (n, inputs), as (M, n, outputs)."""
        scaled = self._scaling(features)
        outputs = [member.forward(scaled, self._activation) for member in self._members]
        return outputs[0][None] if len(outputs) == 1 else torch.stack(outputs)

    def backward(self, gradient: torch.Tensor) -> None:
        """Write the gradient of each parameter, given that of the outputs of the last batch, (M, n, outputs)."""
        for member, of_outputs in zip(self._members, gradient, strict=True):
            member.backward(of_outputs, self._activation)


Layers: TypeAlias = list[tuple[torch.Tensor, torch.Tensor]]
"""Weight, (inputs, outputs), and bias, (outputs,), of each layer; or their gradients."""


def _gradient(parameter: torch.Tensor) -> torch.Tensor:
    if parameter.grad is None:
        raise RuntimeError("a parameter has no gradient")
    return parameter.grad


def _by_member(weights: Sequence[torch.Tensor], biases: Sequence[torch.Tensor]) -> list[Layers]:
    """Return the layers of each perceptron, as views."""
    if weights[0].ndim == 2:
        return [[(weight.T, bias) for weight, bias in zip(weights, biases, strict=True)]]
    members = range(len(weights[0]))
    return [[(weight[m], bias[m, 0]) for weight, bias in zip(weights, biases, strict=True)] for m in members]


class _Member:
    """One perceptron, with memory for the results of a batch."""

    def __init__(self, layers: Layers, gradients: Layers) -> None:
        self._layers, self._gradients = layers, gradients
        self._widths = [bias.shape[0] for _, bias in layers[:-1]]
        self._rows = 0
        self._inputs: list[torch.Tensor] = []
        self._before: list[torch.Tensor] = []

    def forward(self, values: torch.Tensor, activation: _Activation) -> torch.Tensor:
        """Return the outputs, (n, outputs), of scaled inputs, (n, inputs)."""
        rows = len(values)
        self._provide(rows)
        self._before = [z[:rows] for z in self._all_before]
        self._inputs = [values, *(a[:rows] for a in self._all_behind)]
        for (weight, bias), inputs, z, a in zip(
            self._layers, self._inputs, self._before, self._inputs[1:], strict=False
        ):
            torch.addmm(bias, inputs, weight, out=z)
            activation.forward(z, a)
        weight, bias = self._layers[-1]
        return torch.addmm(bias, self._inputs[-1], weight)

    def backward(self, gradient: torch.Tensor, activation: _Activation) -> None:
        """Write the gradients of the parameters, given that of the outputs."""
        for layer in reversed(range(len(self._layers))):
            inputs, (of_weight, of_bias) = self._inputs[layer], self._gradients[layer]
            torch.mm(inputs.T, gradient, out=of_weight)
            torch.sum(gradient, 0, out=of_bias)
            if layer:
                z, weight = self._before[layer - 1], self._layers[layer][0]
                room = self._room[: z.numel()].view_as(z)
                activation.backward(torch.mm(gradient, weight.T, out=room), z, inputs)
                gradient = z

    def _provide(self, rows: int) -> None:
        """Have memory for so many rows."""
        if rows > self._rows:
            self._rows = rows
            # Each begins at an address of its own making: where a number lies may change how sums are rounded.
            self._all_before, self._all_behind = (
                [torch.empty(rows, width) for width in self._widths] for _ in range(2)
            )
            self._room = torch.empty(rows * max(self._widths, default=0))

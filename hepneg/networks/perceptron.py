"""The network ``mlp``: a multilayer perceptron."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from hepneg._core.parameters import require_whole

if TYPE_CHECKING:
    from hepneg.networks.body import Body

__all__ = ["ACTIVATIONS", "BOUNDED_ACTIVATIONS", "Perceptron"]

BOUNDED_ACTIVATIONS = ("tanh", "sigmoid", "clipped")
ACTIVATIONS = ("silu", "relu", "gelu", *BOUNDED_ACTIVATIONS)
_WIDEST = 65536


def _require_list(hidden: object) -> None:
    listed = isinstance(hidden, Sequence) and not isinstance(hidden, str)
    if not listed:
        raise ValueError(f"hidden must be a list of widths, empty for none, not {hidden!r}")


@dataclass(frozen=True)
class Perceptron:
    """Linear layers with an activation in between.

    ``tanh``, ``sigmoid`` and ``clipped`` (to ±1) bound the hidden units; another range would change nothing, as the
    next layer scales them.

    Args:
        hidden: width of each hidden layer; empty for none, which leaves one linear layer: a single neuron.
        activation: ``silu``, ``relu``, ``gelu``, ``tanh``, ``sigmoid`` or ``clipped``.
    """

    name: ClassVar[str] = "mlp"
    training: ClassVar[Mapping[str, Any]] = {"epochs": 12, "learning_rate": 1e-2}
    hidden: tuple[int, ...] = (64, 64, 64)
    activation: str = "silu"

    def __post_init__(self) -> None:
        _require_list(self.hidden)
        object.__setattr__(self, "hidden", tuple(self.hidden))  # YAML knows lists only
        for width in self.hidden:
            require_whole(1, _WIDEST, **{"each width of hidden": width})
        if self.activation not in ACTIVATIONS:
            raise ValueError(f"activation must be one of {', '.join(ACTIVATIONS)}, not {self.activation!r}")

    def build(self, inputs: int, outputs: int) -> Body:
        """Return a new module (see :class:`hepneg.networks.Network`)."""
        from hepneg.networks.perceptron_body import PerceptronBody

        return PerceptronBody([inputs, *self.hidden, outputs], self.activation)

    def build_members(self, inputs: int, members: int) -> Body:
        """Return several perceptrons with one output each, evaluated as one, (n, members)."""
        from hepneg.networks.perceptron_body import PackedPerceptrons

        return PackedPerceptrons([inputs, *self.hidden, 1], self.activation, members)

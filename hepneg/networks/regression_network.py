"""A regression's network: one prediction, or several quantiles, from the layers of any network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray

from hepneg._core.parameters import require_between, require_count
from hepneg.losses.quantile_loss import central_quantile, ordered_quantiles, quantile_ladder
from hepneg.networks.body import make_body
from hepneg.networks.fold_network import FoldNetwork
from hepneg.networks.network import Network, network_from_dict, network_to_dict

__all__ = ["RegressionNetwork", "TargetScaling", "central_quantile"]

Float = NDArray[np.float64]

_OUTPUTS = ("linear", "relu", "clipped", "tanh", "sigmoid")


@dataclass(frozen=True, slots=True)
class TargetScaling:
    """The scale of the targets that a network is trained on, in their unit.

    Attributes:
        shift: their mean.
        spread: their standard deviation; 1 for a constant.
        low: the smallest.
        high: the largest.
    """

    shift: float
    spread: float
    low: float
    high: float

    @classmethod
    def of(cls, target: Float) -> Self:
        """Measure targets, (n,), without their weights: scaling conditions the optimisation and estimates nothing."""
        spread = float(target.std())
        return cls(float(target.mean()), spread if spread > 0 else 1.0, float(target.min()), float(target.max()))


class RegressionNetwork(FoldNetwork):
    """From raw features, (n, F), to predictions in the target's unit, (n, M).

    The target is standardised by buffers of the module: the layers give numbers of order one, of either sign. Quantiles
    cannot cross: the central one is an output of the layers, the others follow from it by adding or subtracting
    softplus(gap) > 0. A prediction with a range is c + h·tanh((y − c)/h), with c the middle and h half the width of the
    range: the identity in the middle, never beyond; ``sigmoid`` is the same curve, ``clipped`` cuts it.

    Args:
        network: gives the layers.
        inputs: F.
        quantiles: increasing probabilities, one output for each; empty for a single prediction.
        output: ``linear``; ``tanh``, ``sigmoid`` or ``clipped`` for predictions within a range; ``relu`` for a lower
            end alone.
    """

    name: ClassVar[str] = "regression"
    shift: torch.Tensor
    spread: torch.Tensor
    centre: torch.Tensor
    reach: torch.Tensor
    ladder: torch.Tensor

    def __init__(
        self, network: Network, inputs: int, quantiles: tuple[float, ...] = (), output: str = "linear"
    ) -> None:
        super().__init__()
        self.network, self.inputs, self.quantiles, self.output = network, inputs, quantiles, output
        outputs = max(1, len(quantiles))
        for name, start in (("shift", 0.0), ("spread", 1.0), ("centre", 0.0), ("reach", 1.0)):
            self.register_buffer(name, torch.tensor(start))
        self.register_buffer("ladder", quantile_ladder(outputs, central_quantile(quantiles)), persistent=False)
        self.body = make_body(network, inputs, outputs)

    def parameters_to_dict(self) -> dict[str, Any]:
        """Return network, inputs, quantiles and output."""
        network = network_to_dict(self.network)
        return {"network": network, "inputs": self.inputs, "quantiles": list(self.quantiles), "output": self.output}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return a module of the same layers."""
        network, quantiles = network_from_dict(data["network"]), tuple(data["quantiles"])
        require_count(inputs=data["inputs"])
        require_between(0, 1, **{f"quantile {number}": q for number, q in enumerate(quantiles)})
        if list(quantiles) != sorted(set(quantiles)) or data["output"] not in _OUTPUTS:
            raise ValueError("quantiles must increase, and the output be one of " + ", ".join(_OUTPUTS))
        return cls(network, data["inputs"], quantiles, data["output"])

    def initialise(
        self,
        generator: torch.Generator,
        features: NDArray[np.float32],
        target: TargetScaling,
        ends: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        """Draw the parameters anew and set the scalings. Every prediction begins at the mean, or does so on average.

        Args:
            generator: of the random numbers.
            features: of the training, (n, F).
            target: its scale.
            ends: of the predictions' range, in the target's unit; of ``relu`` the first counts.
        """
        self.body.initialise(generator, features)
        with torch.no_grad():
            self.shift.fill_(target.shift)
            self.spread.fill_(target.spread)
            low, high = (self.standardise(np.array(end)) for end in ends)
            self.centre.fill_(float(0.5 * (low + high)))
            self.reach.fill_(float(0.5 * (high - low)))

    def standardise(self, target: Float) -> Float:
        """Return targets, (n,), in standard deviations from their mean."""
        return (target - float(self.shift)) / float(self.spread)

    def standardised(self, features: torch.Tensor) -> torch.Tensor:
        """Return the predictions in standard deviations of the target from its mean, (n, M)."""
        values: torch.Tensor = self.body(features)
        if len(self.quantiles) > 1:
            values = ordered_quantiles(values, self.ladder)
        match self.output:
            case "linear":
                return values
            case "relu":
                return torch.maximum(values, self.centre - self.reach)
            case "clipped":
                return torch.clamp(values, self.centre - self.reach, self.centre + self.reach)
            case _:
                return self.centre + self.reach * torch.tanh((values - self.centre) / self.reach)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the predictions in the target's unit, (n, M)."""
        return self.shift + self.spread * self.standardised(features)

    @property
    def bounds(self) -> tuple[float, float] | None:
        """Lowest and highest possible prediction in the target's unit; None without such a range."""
        if self.output in {"linear", "relu"}:
            return None
        middle, half = float(self.shift + self.spread * self.centre), float(self.spread * self.reach)
        return middle - half, middle + half

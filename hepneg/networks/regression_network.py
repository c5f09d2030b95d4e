"""A regression's network: one prediction of each target, or several quantiles, from the layers of any network."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray

from hepneg._core.parameters import require_between, require_count
from hepneg.events import InputLayout, Rows
from hepneg.losses.quantile_loss import central_quantile, ordered_quantiles, quantile_ladder
from hepneg.networks.fold_network import FoldNetwork
from hepneg.networks.linear_path import LinearPath
from hepneg.networks.make_body import make_body
from hepneg.networks.network import Network, network_from_dict, network_to_dict

__all__ = ["RegressionNetwork", "TargetScaling", "central_quantile"]

Float = NDArray[np.float64]

_OUTPUTS = ("linear", "relu", "clipped", "tanh", "sigmoid")


@dataclass(frozen=True, slots=True)
class TargetScaling:
    """The scale of the targets that a network is trained on, each in its unit; T numbers each.

    Attributes:
        shift: their means.
        spread: their standard deviations; 1 for a constant.
        low: the smallest of each.
        high: the largest of each.
    """

    shift: tuple[float, ...]
    spread: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    @classmethod
    def of(cls, target: Float) -> Self:
        """Measure targets, (n, T), without their weights: scaling conditions the optimisation and estimates nothing."""
        spread = target.std(axis=0)
        parts = (target.mean(axis=0), np.where(spread > 0, spread, 1.0), target.min(axis=0), target.max(axis=0))
        return cls(*(tuple(part.tolist()) for part in parts))


class RegressionNetwork(FoldNetwork):
    """From rows of raw inputs, (n, W), to predictions in the targets' units, (n, T·M): M for each target together.

    The targets are standardised by buffers of the module: the layers give numbers of order one, of either sign, which
    are added to a straight line (:class:`hepneg.networks.linear_path.LinearPath`). Quantiles cannot cross: the central
    one is an output of the layers, the others follow from it by adding or subtracting softplus(gap) > 0. A prediction
    with a range is c + h·tanh((y − c)/h), with c the middle and h half the width of the range: the identity in the
    middle, never beyond; ``sigmoid`` is the same curve, ``clipped`` cuts it.

    Args:
        network: gives the layers.
        inputs: how they are laid out; F without collections.
        quantiles: increasing probabilities, one output for each; empty for a single prediction.
        output: ``linear``; ``tanh``, ``sigmoid`` or ``clipped`` for predictions within a range; ``relu`` for a lower
            end alone.
        targets: T.
    """

    name: ClassVar[str] = "regression"
    shift: torch.Tensor
    spread: torch.Tensor
    centre: torch.Tensor
    reach: torch.Tensor
    ladder: torch.Tensor

    def __init__(
        self,
        network: Network,
        inputs: int | InputLayout,
        quantiles: tuple[float, ...] = (),
        output: str = "linear",
        targets: int = 1,
    ) -> None:
        super().__init__()
        self.network, self.inputs, self.quantiles = network, InputLayout.of(inputs), quantiles
        self.output, self.targets = output, targets
        self.shape = (targets, max(1, len(quantiles)))
        for name, start in (("shift", 0.0), ("spread", 1.0), ("centre", 0.0), ("reach", 1.0)):
            self.register_buffer(name, torch.full((targets, 1), start))
        self.register_buffer("ladder", quantile_ladder(self.shape[1], central_quantile(quantiles)), persistent=False)
        self.line = LinearPath(self.inputs, targets)
        self.body = make_body(network, self.inputs, math.prod(self.shape))

    def parameters_to_dict(self) -> dict[str, Any]:
        """Return network, inputs, quantiles, output and targets."""
        named = {"inputs": self.inputs.to_json(), "quantiles": list(self.quantiles), "output": self.output}
        return {"network": network_to_dict(self.network), **named, "targets": self.targets}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return a module of the same layers."""
        network, quantiles = network_from_dict(data["network"]), tuple(data["quantiles"])
        require_count(targets=data["targets"])
        require_between(0, 1, **{f"quantile {number}": q for number, q in enumerate(quantiles)})
        if list(quantiles) != sorted(set(quantiles)) or data["output"] not in _OUTPUTS:
            raise ValueError("quantiles must increase, and the output be one of " + ", ".join(_OUTPUTS))
        return cls(network, InputLayout.from_json(data["inputs"]), quantiles, data["output"], data["targets"])

    def initialise(
        self,
        generator: torch.Generator,
        features: Rows,
        target: TargetScaling,
        ends: tuple[Float, Float],
    ) -> None:
        """Draw the parameters anew and set the scalings. Every prediction begins at the mean, or does so on average.

        Args:
            generator: of the random numbers.
            features: of the training, (n, F).
            target: its scale.
            ends: of the predictions' range, (T,) each in the targets' units; of ``relu`` the first counts.
        """
        self.body.initialise(generator, features)
        with torch.no_grad():
            self.shift.copy_(torch.tensor(target.shift)[:, None])
            self.spread.copy_(torch.tensor(target.spread)[:, None])
            low, high = (torch.from_numpy(self.standardise(end[None]).T) for end in ends)
            self.centre.copy_(0.5 * (low + high))
            self.reach.copy_(0.5 * (high - low))

    def fit_line(self, features: NDArray[np.float32], target: Float, weight: Float) -> None:
        """Start from the weighted least squares of targets, (n, T), instead of their mean."""
        self.line.fit(features, self.standardise(target), weight)

    def standardise(self, target: Float) -> Float:
        """Return targets, (n, T), in standard deviations from their means."""
        shift, spread = (part.cpu().numpy()[:, 0].astype(np.float64) for part in (self.shift, self.spread))
        return np.asarray((target - shift) / spread)

    def standardised(self, features: torch.Tensor) -> torch.Tensor:
        """Return the predictions in standard deviations of the targets from their means, (n, T, M)."""
        values: torch.Tensor = self.body(features).reshape(-1, *self.shape)
        values = torch.cat([values[..., :1] + self.line(features)[..., None], values[..., 1:]], dim=-1)
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
        """Return the predictions in the targets' units, (n, T·M)."""
        return (self.shift + self.spread * self.standardised(features)).flatten(1)

    @property
    def bounds(self) -> tuple[Float, Float] | None:
        """Lowest and highest possible predictions in the targets' units, (T,) each; None without such a range."""
        if self.output in {"linear", "relu"}:
            return None
        middle, half = self.shift + self.spread * self.centre, self.spread * self.reach
        low, high = ((middle + side * half)[:, 0].double().numpy() for side in (-1, 1))
        return low, high

"""The regression's network: a multilayer perceptron from raw features to one prediction, or to several quantiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hepneg.networks.multilayer import Multilayer, draw_parameters

__all__ = ["RegressionArchitecture", "RegressionNetwork", "TargetScaling", "central_quantile"]

Float = NDArray[np.float64]


def central_quantile(quantiles: tuple[float, ...]) -> int:
    """Return the position of the quantile that stands for the prediction: the one nearest to the median."""
    return int(np.argmin([abs(q - 0.5) for q in quantiles])) if quantiles else 0


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


@dataclass(frozen=True, slots=True)
class RegressionArchitecture:
    """The shape of a regression network.

    Attributes:
        inputs: number of features.
        hidden: width of each hidden layer.
        activation: as in :class:`hepneg.networks.multilayer.Architecture`.
        quantiles: increasing probabilities, one output for each; empty for a single prediction.
        output: ``linear``; ``tanh``, ``sigmoid`` or ``clipped`` for predictions within a range; ``relu`` for a lower
            end alone.
    """

    inputs: int
    hidden: tuple[int, ...]
    activation: str
    quantiles: tuple[float, ...] = ()
    output: str = "linear"

    def to_dict(self) -> dict[str, Any]:
        """Return the architecture as a plain dictionary."""
        return {"kind": "regression", **asdict(self)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Rebuild an architecture from :meth:`to_dict`."""
        return cls(
            int(data["inputs"]),
            tuple(data["hidden"]),
            str(data["activation"]),
            tuple(data["quantiles"]),
            str(data["output"]),
        )


class RegressionNetwork(nn.Module):
    """A multilayer perceptron from raw features, (n, F), to predictions in the target's unit, (n, M).

    Features and target are standardised by buffers of the module: the layers see and give numbers of order one, of
    either sign. Quantiles cannot cross: the central one is an output of the layers, the others follow from it by adding
    or subtracting softplus(gap) > 0. A prediction with a range is c + h·tanh((y − c)/h), with c the middle and h half
    the width of the range: the identity in the middle, never beyond; ``sigmoid`` is the same curve, ``clipped`` cuts
    it.
    """

    mean: torch.Tensor
    scale: torch.Tensor
    shift: torch.Tensor
    spread: torch.Tensor
    centre: torch.Tensor
    reach: torch.Tensor
    ladder: torch.Tensor

    def __init__(self, architecture: RegressionArchitecture) -> None:
        super().__init__()
        self.architecture = architecture
        outputs = max(1, len(architecture.quantiles))
        self.register_buffer("mean", torch.zeros(architecture.inputs))
        self.register_buffer("scale", torch.ones(architecture.inputs))
        for name, start in (("shift", 0.0), ("spread", 1.0), ("centre", 0.0), ("reach", 1.0)):
            self.register_buffer(name, torch.tensor(start))
        self.register_buffer("ladder", _ladder(outputs, central_quantile(architecture.quantiles)), persistent=False)
        self.layers = Multilayer([architecture.inputs, *architecture.hidden, outputs], architecture.activation)

    def initialise(
        self,
        generator: torch.Generator,
        mean: NDArray[np.float32],
        scale: NDArray[np.float32],
        target: TargetScaling,
        ends: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        """Draw the weights anew and set the scalings. The last layer starts at zero: every prediction is the mean.

        Args:
            generator: of the random numbers.
            mean: of the features, (F,).
            scale: of the features, (F,).
            target: its scale.
            ends: of the predictions' range, in the target's unit; of ``relu`` the first counts.
        """
        draw_parameters(self.layers, generator)
        with torch.no_grad():
            self.mean.copy_(torch.from_numpy(mean))
            self.scale.copy_(torch.from_numpy(scale))
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
        values: torch.Tensor = self.layers((features - self.mean).mul_(self.scale.reciprocal()))
        if len(self.architecture.quantiles) > 1:
            gaps = nn.functional.softplus(values[:, 1:])
            values = values[:, :1] + gaps @ self.ladder
        match self.architecture.output:
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
        if self.architecture.output in {"linear", "relu"}:
            return None
        middle, half = float(self.shift + self.spread * self.centre), float(self.spread * self.reach)
        return middle - half, middle + half


def _ladder(outputs: int, central: int) -> torch.Tensor:
    """Return the matrix, (M − 1, M), that turns gaps into distances from the central quantile."""
    ladder = torch.zeros(outputs - 1, outputs)
    for gap in range(outputs - 1):
        if gap < central:
            ladder[gap, : gap + 1] = -1.0
        else:
            ladder[gap, gap + 1 :] = 1.0
    return ladder

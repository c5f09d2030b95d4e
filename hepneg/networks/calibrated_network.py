"""A network whose log-odds go through a spline that never falls: the same ranking, other numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import torch

from hepneg._core.linear_spline import LinearSpline
from hepneg._core.parameters import require_count
from hepneg.networks.fold_network import FoldNetwork, rebuild

__all__ = ["CalibratedNetwork"]


class CalibratedNetwork(FoldNetwork):
    """A network and a linear spline of its log-odds; outside the knots the outer lines go on.

    Args:
        network: gives log-odds, (n,).
        knots: how many the spline has, two at least.
    """

    name: ClassVar[str] = "calibrated"
    knots: torch.Tensor
    values: torch.Tensor

    def __init__(self, network: FoldNetwork, knots: int) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("knots", torch.linspace(-1.0, 1.0, knots))
        self.register_buffer("values", torch.linspace(-1.0, 1.0, knots))

    @classmethod
    def of(cls, network: FoldNetwork, spline: LinearSpline) -> Self:
        """Return a network with this spline behind it."""
        calibrated = cls(network, len(spline.knots)).eval()
        calibrated.knots.copy_(torch.tensor(spline.knots))
        calibrated.values.copy_(torch.tensor(spline.values))
        return calibrated

    @property
    def spline(self) -> LinearSpline:
        """The spline, as the module has it."""
        return LinearSpline(*(tuple(np.asarray(part.cpu(), np.float64).tolist()) for part in (self.knots, self.values)))

    def parameters_to_dict(self) -> dict[str, Any]:
        """Return the network and the number of knots."""
        return {"network": self.network.to_dict(), "knots": len(self.knots)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return a module of the same layers."""
        require_count(knots=data["knots"])
        if not 2 <= data["knots"] <= 1000:
            raise ValueError(f"a spline has 2 to 1000 knots, not {data['knots']}")
        return cls(rebuild(data["network"]), data["knots"])

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the calibrated log-odds, (n,)."""
        logit: torch.Tensor = self.network(features)
        # As a change of the log-odds, which is small where a calibration is: rounding is, too.
        left, right = self.knots[:-1], self.knots[1:]
        tilts = (self.values[1:] - self.values[:-1]) / (right - left) - 1.0
        change = (self.values[0] - self.knots[0]) - tilts[0] * torch.relu(left[0] - logit)
        for low, high, tilt in zip(left, right, tilts, strict=True):
            change = change + tilt * (torch.relu(logit - low) - torch.relu(logit - high))
        return logit + (change + tilts[-1] * torch.relu(logit - right[-1]))

    def signed_posteriors(self, features: torch.Tensor) -> torch.Tensor:
        """Return p₀ and p₁ at a common scale, (n, 2); those of a network that knows signs stay as they are."""
        if type(self.network).signed_posteriors is FoldNetwork.signed_posteriors:
            return super().signed_posteriors(features)
        return self.network.signed_posteriors(features)

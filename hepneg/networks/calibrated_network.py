"""A network whose log-odds go through a spline that never falls: the same ranking, other numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import nn

from hepneg._core.linear_spline import LinearSpline
from hepneg._core.parameters import require_whole
from hepneg.networks.fold_network import FoldNetwork, rebuild

__all__ = ["CalibratedNetwork", "Spline", "mean_output", "require_knots"]


class Spline(nn.Module):
    """A linear spline of log-odds, (n,)."""

    knots: torch.Tensor
    values: torch.Tensor

    def __init__(self, knots: int) -> None:
        super().__init__()
        self.register_buffer("knots", torch.linspace(-1.0, 1.0, knots))
        self.register_buffer("values", torch.linspace(-1.0, 1.0, knots))

    def take(self, spline: LinearSpline) -> None:
        """Take knots and values, as many as there are."""
        self.knots.copy_(torch.tensor(spline.knots))
        self.values.copy_(torch.tensor(spline.values))

    def forward(self, logit: torch.Tensor) -> torch.Tensor:
        """Return log-odds, (n,), behind the spline: as a change of them, which is small where a calibration is."""
        knots, values = self.knots, self.values
        left, right = knots[:-1], knots[1:]
        tilts = (values[1:] - values[:-1]) / (right - left) - 1.0
        within = torch.relu(logit[:, None] - left) - torch.relu(logit[:, None] - right)  # one node of a graph for all
        change = (values[0] - knots[0]) - tilts[0] * torch.relu(left[0] - logit) + (within * tilts).sum(dim=1)
        return logit + (change + tilts[-1] * torch.relu(logit - right[-1]))


def require_knots(number: int) -> None:
    """Refuse what is no number of knots.

    Raises:
        ValueError: it is none.
    """
    require_whole(2, 1000, knots=number)


class CalibratedNetwork(Spline, FoldNetwork):
    """A network and a linear spline of its log-odds; outside the knots the outer lines go on.

    Args:
        network: gives log-odds, (n,).
        knots: how many the spline has, two at least.
        common: knots of a spline for the mean of the networks of all folds (:func:`mean_output`); 0 for none.
    """

    name: ClassVar[str] = "calibrated"

    def __init__(self, network: FoldNetwork, knots: int, common: int = 0) -> None:
        super().__init__(knots)
        self.network = network
        self.common = Spline(common) if common else None

    @classmethod
    def of(cls, network: FoldNetwork, spline: LinearSpline, common: LinearSpline | None = None) -> Self:
        """Return a network with this spline behind it."""
        calibrated = cls(network, len(spline.knots), len(common.knots) if common else 0).eval()
        calibrated.take(spline)
        if calibrated.common is not None and common is not None:
            calibrated.common.take(common)
        return calibrated

    @property
    def spline(self) -> LinearSpline:
        """The spline, as the module has it."""
        return LinearSpline(*(tuple(np.asarray(part.cpu(), np.float64).tolist()) for part in (self.knots, self.values)))

    def parameters_to_dict(self) -> dict[str, Any]:
        """Return the network and the numbers of knots."""
        common = 0 if self.common is None else len(self.common.knots)
        return {"network": self.network.to_dict(), "knots": len(self.knots), "common": common}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return a module of the same layers."""
        numbers = [data["knots"], *([data["common"]] if data.get("common") else [])]
        for number in numbers:
            require_knots(number)
        return cls(rebuild(data["network"]), *numbers)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the calibrated log-odds, (n,)."""
        return super().forward(self.network(features))

    def signed_posteriors(self, features: torch.Tensor) -> torch.Tensor:
        """Return p₀ and p₁ at a common scale, (n, 2); those of a network that knows signs stay as they are."""
        if type(self.network).signed_posteriors is FoldNetwork.signed_posteriors:
            return super().signed_posteriors(features)
        return self.network.signed_posteriors(features)


def mean_output(networks: Sequence[nn.Module], features: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Return the mean output of the networks of all folds, (n,) or (n, M).

    Where splines move events just across an end of a range, a common one goes behind the mean of the log-odds instead:
    of two networks that differ by their noise, one leaves such an event well below the end, and so would the mean.
    """
    moving = [network for network in networks if isinstance(network, CalibratedNetwork) and network.common is not None]
    inner = [network.network for network in moving] if len(moving) == len(networks) else networks
    mean = torch.stack([network(features) for network in inner]).to(dtype).mean(dim=0)
    common = moving[0].common if len(moving) == len(networks) else None
    return mean if common is None else common(mean)

"""A network of several classes whose probabilities each go through a spline of their log-odds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import torch
from torch import nn

from hepneg._core.linear_spline import LinearSpline
from hepneg.networks.calibrated_network import Spline, require_knots
from hepneg.networks.class_outputs import class_log_odds, with_first_class
from hepneg.networks.fold_network import FoldNetwork, rebuild

__all__ = ["CalibratedClassesNetwork"]


class CalibratedClassesNetwork(FoldNetwork):
    """A network, and for each of K classes a spline of its log-odds against all others; probabilities are normalised.

    The log-odds are those at equal priors of the class and of all others together, by log(K − 1) more than at equal
    priors of all classes.

    Args:
        network: gives log-ratios against the first class, (n, K − 1).
        knots: how many the spline of each class has, two at least.
    """

    name: ClassVar[str] = "calibrated_classes"

    def __init__(self, network: FoldNetwork, knots: Sequence[int]) -> None:
        super().__init__()
        self.network = network
        self.splines = [Spline(number) for number in knots]
        self.listed = nn.ModuleList(self.splines)

    @classmethod
    def of(cls, network: FoldNetwork, splines: Sequence[LinearSpline]) -> Self:
        """Return a network with these splines behind it, one for each class."""
        calibrated = cls(network, [len(spline.knots) for spline in splines]).eval()
        for module, spline in zip(calibrated.splines, splines, strict=True):
            module.take(spline)
        return calibrated

    def parameters_to_dict(self) -> dict[str, Any]:
        """Return the network and the numbers of knots."""
        return {"network": self.network.to_dict(), "knots": [len(spline.knots) for spline in self.splines]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return a module of the same layers."""
        for number in data["knots"]:
            require_knots(number)
        return cls(rebuild(data["network"]), data["knots"])

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the calibrated log-ratios against the first class, (n, K − 1)."""
        logarithms = torch.log_softmax(with_first_class(self.network(features)), dim=1)
        prior = math.log(len(self.splines) - 1)
        odds = zip(self.splines, (class_log_odds(logarithms) + prior).T, strict=True)
        first, *others = (_log_sigmoid(spline(one) - prior) for spline, one in odds)
        return torch.stack(others, dim=1) - first[:, None]

    def signed_posteriors(self, features: torch.Tensor) -> torch.Tensor:
        """Return the densities, (n, K), at a common scale; those of a network that knows signs stay as they are."""
        if type(self.network).signed_posteriors is FoldNetwork.signed_posteriors:
            return super().signed_posteriors(features)
        return self.network.signed_posteriors(features)


def _log_sigmoid(logit: torch.Tensor) -> torch.Tensor:
    """Return log(1/(1 + e^−z)) by an exponential: the sigmoid of other runtimes has few digits where it is small."""
    return torch.clamp(logit, max=0.0) - torch.log(1 + torch.exp(-logit.abs()))

"""A weighted least-squares fit beside the layers of a regression: they learn what a straight line leaves."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hepneg.events import InputLayout
from hepneg.networks.body import Standardise

__all__ = ["LinearPath"]

SIGNED_NOISE = 3.0
"""Under signed weights a direction must spread by so many standard errors of its spread to be fitted."""

Float = NDArray[np.float64]


class LinearPath(nn.Module):
    """From rows of raw inputs, (n, W), to constant + slope·x of each target, (n, T); zero until it is fitted.

    x are the features of the event. Objects of collections have no part in it, and the slopes of categories are zero:
    their values are names. It is not trained further: its few parameters are at the optimum of the squared error
    already, where steps of an optimiser would only add noise.

    Args:
        inputs: how they are laid out; F without collections.
        targets: T.
    """

    slope: torch.Tensor
    constant: torch.Tensor

    def __init__(self, inputs: int | InputLayout, targets: int) -> None:
        super().__init__()
        self.layout = InputLayout.of(inputs)
        self.scaling = Standardise(self.layout.scalars)
        self.register_buffer("slope", torch.zeros(self.layout.scalars, targets))
        self.register_buffer("constant", torch.zeros(targets))

    def fit(self, features: NDArray[np.float32], target: Float, weight: Float) -> None:
        """Minimise Σ v(t − line)².

        Args:
            features: (n, F) raw, those of the events.
            target: (n, T).
            weight: v of each event, (n,), with a positive sum. Where some are negative, directions in which the signed
                spread of the features cannot be told from zero are left out: the squared error may fall without end
                along them.
        """
        self.scaling.fit(features)
        x = self.scaling(torch.from_numpy(np.array(features, order="C"))).double().numpy()
        x[:, list(self.layout.categories)] = 0.0
        slope, constant = _least_squares(x, target, weight)
        with torch.no_grad():
            self.slope.copy_(torch.from_numpy(slope))
            self.constant.copy_(torch.from_numpy(constant))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the line, (n, T)."""
        return torch.addmm(self.constant, self.scaling(features[:, : self.layout.scalars]), self.slope)


def _least_squares(x: Float, target: Float, weight: Float) -> tuple[Float, Float]:
    """Return slopes, (F, T), and constants, (T,), along the directions whose weighted spread is known."""
    share = weight / weight.sum()
    centre, level = share @ x, share @ target
    away, spread = x - centre, 1.0 / np.sum(share**2)
    value, direction = np.linalg.eigh(away.T @ (share[:, None] * away))
    least = SIGNED_NOISE / np.sqrt(spread) if (weight < 0).any() else 1e-6
    along = direction[:, value > least]
    slope = along @ ((along.T @ (away.T @ (share[:, None] * (target - level)))) / value[value > least, None])
    return slope, level - centre @ slope

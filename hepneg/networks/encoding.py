"""Inputs for tables of features: robustly scaled, and as piecewise linear functions between quantiles."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

_NORMAL_QUARTILES = 1.349
"""Distance of the quartiles of a normal distribution, in standard deviations."""
_CLIP = 3.0
_SMALLEST = float(np.finfo(np.float32).tiny)
"""Differences below have no finite reciprocal in single precision, and count as none."""
_FARTHEST = 1e9
"""Beyond, a square is not far from the largest number of single precision."""


class Encoding(nn.Module):
    """Raw features, (n, F), as (n, F·(1 + bins)): each one scaled, then its share of each bin between quantiles.

    A scaled feature is z/√(1 + (z/3)²) with z = (x − median)/(distance of the quartiles/1.349), so that far values end
    at ±3 and do not steer the others. The share of a bin is 0 below it, 1 above, and linear inside; from these shares
    a linear layer makes any function that is linear between the quantiles (arXiv:2203.05556). All is fixed before the
    training, in buffers, so that a saved network needs no preprocessing beside it.

    Args:
        inputs: F.
        bins: between quantiles of each feature; 0 for the scaled features alone.
        of: the collection whose objects it encodes; left out, it encodes the features of the event.
    """

    median: torch.Tensor
    spread: torch.Tensor
    lower: torch.Tensor
    slope: torch.Tensor

    def __init__(self, inputs: int, bins: int, of: str | None = None) -> None:
        super().__init__()
        self.of = of
        self.width = inputs * (1 + bins)
        self.bins = bins
        self.register_buffer("median", torch.zeros(inputs))
        self.register_buffer("spread", torch.ones(inputs))
        self.register_buffer("lower", torch.zeros(inputs, bins))
        self.register_buffer("slope", torch.zeros(inputs, bins))

    def fit(self, features: NDArray[np.float32]) -> None:
        """Take the quantiles from events or objects, (n, F), which count without weights: this estimates nothing."""
        if not len(features):
            return
        median, spread = np.transpose([_robust_scale(column) for column in features.T])
        edges = np.transpose([np.quantile(column, np.linspace(0, 1, self.bins + 1)) for column in features.T])
        width = np.diff(edges, axis=0).T
        with torch.no_grad():
            self.median.copy_(torch.from_numpy(median.astype(np.float32)))
            self.spread.copy_(torch.from_numpy(spread.astype(np.float32)))
            self.lower.copy_(torch.from_numpy(edges[:-1].T.astype(np.float32)))
            # Equal quantiles, as of a feature with few values, leave bins without width: their share is 0 for all.
            slope = np.divide(1.0, width, out=np.zeros_like(width), where=width > _SMALLEST)
            self.slope.copy_(torch.from_numpy(slope.astype(np.float32)))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the encoded inputs, (…, F·(1 + bins))."""
        z = ((features - self.median) / self.spread).clamp(-_FARTHEST, _FARTHEST)
        z = z / torch.sqrt(1 + (z / _CLIP) ** 2)
        if not self.bins:
            return z
        shares = ((features.unsqueeze(-1) - self.lower) * self.slope).clamp(0.0, 1.0)
        return torch.cat([z, shares.flatten(-2)], dim=-1)


def _robust_scale(column: NDArray[np.float32]) -> tuple[float, float]:
    """Return median and spread of a feature; half its range where the quartiles agree, 1 for a constant."""
    low, median, high = np.quantile(column.astype(np.float64), [0.25, 0.5, 0.75])
    candidates = (high - low) / _NORMAL_QUARTILES, float(np.ptp(column.astype(np.float64))) / 2, 1.0
    return float(median), next(spread for spread in candidates if spread > _SMALLEST)

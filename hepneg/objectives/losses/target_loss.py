"""The losses of regressions: sums of one term for each event, in standard deviations of the target."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hepneg._core.estimate import Estimate
from hepneg.events import EventTable
from hepneg.networks.inference import PIECE
from hepneg.networks.regression_network import RegressionNetwork
from hepneg.objectives.losses.objective_loss import ObjectiveLoss
from hepneg.objectives.losses.validation_loss import ValidationLoss

__all__ = ["TargetLoss", "Terms", "huber", "log_cosh", "pinball", "reciprocal", "signed_squared", "squared"]

Terms = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
"""From predictions, (n, M), targets, (n,), both standardised, and the weight times the grade, (n,), to terms, (n,)."""

Float = NDArray[np.float64]


class TargetLoss(ObjectiveLoss):
    """A sum of terms; it has no state.

    The columns of a batch behind the features are the standardised target and the weight times the grade.
    """

    def __init__(self, terms: Terms) -> None:
        super().__init__()
        self.terms = terms

    def forward(self, network: nn.Module, rows: torch.Tensor) -> torch.Tensor:
        """Return the sum of the terms over the rows of a batch."""
        regression = cast(RegressionNetwork, network)
        return self.terms(regression.standardised(rows[:, :-2]), rows[:, -2], rows[:, -1]).sum()

    def validation_loss(self, events: EventTable, weight: Float) -> ValidationLoss:
        """Return Σ terms / Σ weight; NaN once the network gives no finite numbers."""
        strength = weight if events.grade is None else weight * events.grade
        total = float(weight.sum())

        def mean_term(network: nn.Module) -> Estimate:
            terms = self._all_terms(cast(RegressionNetwork, network), events, strength)
            mean = float(terms.sum()) / total
            error = float(np.sqrt(np.square(terms - weight * mean).sum())) / total
            return Estimate(mean, error) if math.isfinite(mean) else Estimate(math.nan, 0.0)

        return mean_term

    def _all_terms(self, network: RegressionNetwork, events: EventTable, strength: Float) -> Float:
        # Copies: torch wants its arrays writable.
        target, size = torch.tensor(network.standardise(events.required_target())), torch.tensor(strength)
        device, parts = network.shift.device, []
        with torch.inference_mode():
            for start in range(0, len(events), PIECE):
                piece = slice(start, start + PIECE)
                features = torch.from_numpy(np.array(events.features[piece], order="C")).to(device)
                output = network.standardised(features).cpu().double()
                parts.append(self.terms(output, target[piece], size[piece]).numpy())
        return np.concatenate(parts)


def squared(output: torch.Tensor, target: torch.Tensor, strength: torch.Tensor) -> torch.Tensor:
    """Return v(t − p)²."""
    return strength * (target - output[:, 0]).square()


def huber(output: torch.Tensor, target: torch.Tensor, strength: torch.Tensor, *, delta: float) -> torch.Tensor:
    """Return v·(r²/2 for |r| ≤ δ, else δ(|r| − δ/2)), r = t − p."""
    size = (target - output[:, 0]).abs()
    inner = size.clamp(max=delta)
    return strength * inner * (size - 0.5 * inner)


def log_cosh(output: torch.Tensor, target: torch.Tensor, strength: torch.Tensor, *, scale: float) -> torch.Tensor:
    """Return v·s²·log cosh(r/s), r = t − p, without overflow."""
    size = ((target - output[:, 0]) / scale).abs()
    return strength * scale**2 * (size + torch.log1p(torch.exp(-2.0 * size)) - math.log(2.0))


def pinball(
    output: torch.Tensor, target: torch.Tensor, strength: torch.Tensor, *, quantiles: tuple[float, ...]
) -> torch.Tensor:
    """Return v·Σ_q max(q·r, (q − 1)·r), r = t − p_q."""
    q = torch.tensor(quantiles, dtype=output.dtype, device=output.device)
    residual = target[:, None] - output
    return strength * torch.maximum(q * residual, (q - 1.0) * residual).sum(dim=1)


def signed_squared(output: torch.Tensor, target: torch.Tensor, strength: torch.Tensor, *, reach: float) -> torch.Tensor:
    """Return v·r² for v > 0 and |v|·a²·exp(−r²/a²) for v < 0, r = t − p and a the reach."""
    square = (target - output[:, 0]).square()
    repelling = reach**2 * torch.exp(-square / reach**2)
    return torch.where(strength > 0, strength * square, -strength * repelling)


def reciprocal(output: torch.Tensor, target: torch.Tensor, strength: torch.Tensor, *, epsilon: float) -> torch.Tensor:
    """Return v·r² for v > 0 and |v|/(r² + ε) for v < 0, r = t − p."""
    square = (target - output[:, 0]).square()
    return torch.where(strength > 0, strength * square, -strength / (square + epsilon))

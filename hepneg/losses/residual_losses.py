"""Losses of a prediction p against a target t: of one target, (n,), or the sum over several, (n, T).

Count both in standard deviations of the target: the parameters have no unit. r = t − p.
"""

from __future__ import annotations

import math
from abc import abstractmethod

import torch

from hepneg.losses.event_loss import EventLoss


class _ResidualLoss(EventLoss):
    """The weight times a function of the residual, of another function where the weight is negative."""

    def terms(self, logit: torch.Tensor, target: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """Return the loss of each event, (n,), from predictions, (n,) or (n, T)."""
        residual = target - logit
        strength = weight if residual.ndim == 1 else weight[:, None]
        terms = self.of_residual(residual, strength)
        return terms if terms.ndim == 1 else terms.sum(dim=1)

    @abstractmethod
    def of_residual(self, residual: torch.Tensor, strength: torch.Tensor) -> torch.Tensor:
        """Return the loss of each residual."""


class SquaredLoss(_ResidualLoss):
    """w·r². With weights of either sign it has no lower bound: bound the output, or take refined weights."""

    def of_residual(self, residual: torch.Tensor, strength: torch.Tensor) -> torch.Tensor:
        """Return w·r²."""
        return strength * residual.square()


class HuberLoss(_ResidualLoss):
    """w·(r²/2 for \\|r\\| ≤ δ, else δ(\\|r\\| − δ/2)).

    Args:
        delta: δ.
    """

    def __init__(self, delta: float = 1.0) -> None:
        super().__init__()
        self.delta = delta

    def of_residual(self, residual: torch.Tensor, strength: torch.Tensor) -> torch.Tensor:
        """Return the loss of each residual."""
        size = residual.abs()
        inner = size.clamp(max=self.delta)
        return strength * inner * (size - 0.5 * inner)


class LogCoshLoss(_ResidualLoss):
    """w·s²·log cosh(r/s), without overflow.

    Args:
        scale: s.
    """

    def __init__(self, scale: float = 0.5) -> None:
        super().__init__()
        self.scale = scale

    def of_residual(self, residual: torch.Tensor, strength: torch.Tensor) -> torch.Tensor:
        """Return the loss of each residual."""
        size = (residual / self.scale).abs()
        return strength * self.scale**2 * (size + torch.log1p(torch.exp(-2.0 * size)) - math.log(2.0))


class SignedSquaredLoss(EventLoss):
    """w·\\|r\\|² for w > 0 and \\|w\\|·a²·exp(−\\|r\\|²/a²) for w < 0: never below 0, their pull saturates.

    Of several targets \\|r\\|² is the sum over them: a counter-example is wrong as a whole, and may be right in some.

    Args:
        reach: a.
    """

    def __init__(self, reach: float = 2.0) -> None:
        super().__init__()
        self.reach = reach

    def terms(self, logit: torch.Tensor, target: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """Return the loss of each event, (n,), from predictions, (n,) or (n, T)."""
        square = _square_distance(logit, target)
        repelling = self.reach**2 * torch.exp(-square / self.reach**2)
        return torch.where(weight > 0, weight * square, -weight * repelling)


class ReciprocalLoss(EventLoss):
    """w·\\|r\\|² for w > 0 and \\|w\\|/(\\|r\\|² + ε) for w < 0: never below 0, counter-examples repel when near.

    Of several targets \\|r\\|² is the sum over them.

    Args:
        epsilon: ε.
    """

    def __init__(self, epsilon: float = 0.3) -> None:
        super().__init__()
        self.epsilon = epsilon

    def terms(self, logit: torch.Tensor, target: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """Return the loss of each event, (n,), from predictions, (n,) or (n, T)."""
        square = _square_distance(logit, target)
        return torch.where(weight > 0, weight * square, -weight / (square + self.epsilon))


def _square_distance(prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return |t − p|², (n,), summed over the targets where there are several."""
    square = (target - prediction).square()
    return square if square.ndim == 1 else square.sum(dim=1)

"""Quantiles that cannot cross, and the loss that they minimise."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from hepneg.losses.event_loss import EventLoss


def central_quantile(quantiles: tuple[float, ...]) -> int:
    """Return the position of the quantile that stands for the prediction: the one nearest to the median."""
    return int(np.argmin([abs(q - 0.5) for q in quantiles])) if quantiles else 0


def quantile_ladder(outputs: int, central: int) -> torch.Tensor:
    """Return the matrix, (M − 1, M), that turns gaps into distances from the central quantile."""
    ladder = torch.zeros(outputs - 1, outputs)
    for gap in range(outputs - 1):
        if gap < central:
            ladder[gap, : gap + 1] = -1.0
        else:
            ladder[gap, gap + 1 :] = 1.0
    return ladder


def ordered_quantiles(outputs: torch.Tensor, ladder: torch.Tensor) -> torch.Tensor:
    """Return increasing quantiles, (…, M): the central one is the first output, softplus of the others the gaps."""
    return outputs[..., :1] + nn.functional.softplus(outputs[..., 1:]) @ ladder


class QuantileLoss(EventLoss):
    """w·Σ_q max(q·r, (q − 1)·r), r = t − p_q, of quantiles that cannot cross; of T targets the sum.

    The network gives M numbers, (n, M), or (n, T, M): :meth:`quantiles` makes them the quantiles, in the loss and in
    use.

    Args:
        probabilities: increasing, between 0 and 1.
        ordered: the outputs are quantiles already.
    """

    ladder: torch.Tensor

    def __init__(self, probabilities: tuple[float, ...] = (0.16, 0.5, 0.84), *, ordered: bool = False) -> None:
        super().__init__()
        self.probabilities, self.ordered = tuple(probabilities), ordered
        ladder = quantile_ladder(len(self.probabilities), central_quantile(self.probabilities))
        self.register_buffer("ladder", ladder, persistent=False)

    def quantiles(self, outputs: torch.Tensor) -> torch.Tensor:
        """Return the quantiles, (…, M), increasing, from what the network gives, (…, M)."""
        return outputs if self.ordered else ordered_quantiles(outputs, self.ladder.to(outputs))

    def terms(self, logit: torch.Tensor, target: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """Return the loss of each event, (n,), from outputs, (n, M) or (n, T, M), and targets, (n,) or (n, T)."""
        q = torch.tensor(self.probabilities, dtype=logit.dtype, device=logit.device)
        residual = target[..., None] - self.quantiles(logit)
        return weight * torch.maximum(q * residual, (q - 1.0) * residual).flatten(1).sum(dim=1)

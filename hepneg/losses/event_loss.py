"""What all losses are: a term for each event, and their mean."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import nn

bce_terms = nn.functional.binary_cross_entropy_with_logits


class EventLoss(nn.Module):
    """A loss that is a sum over events."""

    @abstractmethod
    def terms(self, logit: torch.Tensor, target: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """Return the loss of each event, (n,); a loss with a running state takes the batch in."""

    def running(self) -> dict[str, float]:
        """Return the running state as plain numbers; empty for a loss without one."""
        return {}

    def forward(self, logit: torch.Tensor, target: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """Return the mean loss of a batch.

        Args:
            logit: what the network gives, (n,), or (n, M) where the loss says so.
            target: label, 0 or 1 or the number of a class, or the number to predict, (n,), as floating-point numbers.
            weight: of either sign, (n,).
        """
        return self.terms(logit, target, weight).mean()

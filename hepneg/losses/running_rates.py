"""Running state of losses: rates behind a low-pass filter, and a price that follows them."""

from __future__ import annotations

import torch
from torch import nn

LARGEST_RATE = 0.999
"""Running rates are kept within 1 − LARGEST_RATE and LARGEST_RATE, so that their log-odds are finite."""

LEAST_SUM = 0.02
"""A filtered sum of weights below this share of that of |w| says nothing: the rate is then held."""


class RunningRates(nn.Module):
    """Shares of sums of weights, part / whole, of which both are low-pass filtered over the batches.

    Both sums go through the filter before they are divided, so that a batch whose signed weights happen to sum to
    nothing, or to less, does no more than its share. A newest batch counts ``strength``; at the start all batches so
    far count alike, and so does one batch, made up, as large as the first, whose rates are ½. A rate is held while its
    filtered whole is below LEAST_SUM of the filtered Σ|w|, whatever their scale, and always lies within
    [1 − LARGEST_RATE, LARGEST_RATE].

    Args:
        rates: their number R.
        strength: weight of the newest batch, in (0, 1].
    """

    rates: torch.Tensor
    sums: torch.Tensor
    batches: torch.Tensor

    def __init__(self, rates: int, strength: float) -> None:
        super().__init__()
        self.strength = strength
        self.register_buffer("sums", torch.zeros(3, rates))
        self.register_buffer("rates", torch.full((rates,), 0.5))
        self.register_buffer("batches", torch.zeros(()))

    @property
    def started(self) -> torch.Tensor:
        """1 once the filter is filled, after 1/strength batches; 0 before."""
        return (self.batches * self.strength >= 1).to(self.rates.dtype)

    @torch.no_grad()
    def update(self, parts: torch.Tensor, wholes: torch.Tensor, sizes: torch.Tensor) -> torch.Tensor:
        """Take in a batch, and return which rates are known, (R,).

        Args:
            parts: Σw of what counts, (R,).
            wholes: Σw, (R,).
            sizes: Σ|w|, (R,).
        """
        self.batches += 1
        made_up = torch.stack([0.5 * sizes, sizes, sizes])
        self.sums.copy_(torch.where(self.sums[2] > 0, self.sums, made_up))
        self.sums.lerp_(torch.stack([parts, wholes, sizes]), torch.clamp(1 / (1 + self.batches), min=self.strength))
        known = self.sums[1] > LEAST_SUM * self.sums[2]
        rates = (self.sums[0] / torch.where(known, self.sums[1], 1.0)).clamp(1 - LARGEST_RATE, LARGEST_RATE)
        self.rates.copy_(torch.where(known, rates, self.rates))
        return known


class RunningPrice(nn.Module):
    """A number that grows while an error is positive and falls while it is negative: integral control.

    Where it comes to rest the error is zero, unless a limit is reached first.

    Args:
        gain: change for each batch and unit of the error.
        limit: largest absolute value.
    """

    value: torch.Tensor

    def __init__(self, gain: float, limit: float) -> None:
        super().__init__()
        self.gain, self.limit = gain, limit
        self.register_buffer("value", torch.zeros(()))

    @torch.no_grad()
    def update(self, error: torch.Tensor) -> None:
        """Follow the error of one batch."""
        self.value.add_(self.gain * error).clamp_(-self.limit, self.limit)

"""One network for signed densities by squared errors: its outputs are linear, so densities may be negative."""

from __future__ import annotations

from typing import ClassVar

import torch

from hepneg.networks.mixture_network import MixtureArchitecture, SharedNetwork

__all__ = ["SignedTargetArchitecture", "SignedTargetNetwork"]

SMALLEST = 1e-4
"""Smallest probability of a label: squared errors may take a linear output past 0 or 1."""


class SignedTargetArchitecture(MixtureArchitecture):
    """The same shape as that of the four classes."""

    kind: ClassVar[str] = "signed_target"


class SignedTargetNetwork(SharedNetwork):
    """Conditional means under \\|w\\| at equal priors: of the label, and of the sign among each label's events, 0
    elsewhere.

    The outputs are P(signal | x), f₀ = P(background | x) ĝ₀(x) and f₁ = P(signal | x) ĝ₁(x), each linear in the last
    layer.
    """

    def start(self, mean_signs: torch.Tensor) -> torch.Tensor:
        """Return the outputs that stand for these mean signs and equal priors."""
        return torch.cat([torch.full((1,), 0.5), 0.5 * mean_signs])

    def label_log_odds(self, outputs: torch.Tensor) -> torch.Tensor:
        """Return the log-odds of signal under \\|w\\|, (n,)."""
        signal = outputs[:, 0].clamp(SMALLEST, 1 - SMALLEST)
        return torch.log(signal) - torch.log(1 - signal)

    def signs(self, outputs: torch.Tensor) -> torch.Tensor:
        """Return the local mean sign of background and of signal, (n, 2)."""
        signal = outputs[:, 0].clamp(SMALLEST, 1 - SMALLEST)
        return (outputs[:, 1:] / torch.stack([1 - signal, signal], dim=1)).clamp(-1.0, 1.0)

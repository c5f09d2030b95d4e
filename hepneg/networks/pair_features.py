"""What two objects have to do with one another: kT, momentum fraction, distance and mass of each pair."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn

__all__ = ["PAIR_FEATURES", "Kinematics", "pair_features"]

PAIR_FEATURES = 4
_LEAST = 1e-8
_STEEPEST = 8.0  # pseudorapidity: beyond, an exponential is too large for the product of two
_NAMES = {"pt": ("pt",), "eta": ("eta",), "phi": ("phi",), "mass": ("mass", "m")}


class Kinematics(nn.Module):
    """Takes pT, η, φ and mass out of the features of objects, by their names: (n, L, m) to (n, L, 4).

    A feature ``Jet_pt``, ``jet.pt`` or ``pt`` is the transverse momentum, and so on; without a mass it is 0.

    Args:
        features: m names.
    """

    def __init__(self, features: Sequence[str]) -> None:
        super().__init__()
        found = {key: _find(features, names) for key, names in _NAMES.items()}
        self.places = [found[key] for key in ("pt", "eta", "phi", "mass")]

    @property
    def known(self) -> bool:
        """Whether there are a transverse momentum and both angles."""
        return None not in self.places[:3]

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Return pT, η, φ and mass; zeros where they are not known."""
        zero = torch.zeros_like(values[..., 0])
        return torch.stack([zero if place is None else values[..., place] for place in self.places], dim=-1)


def _find(features: Sequence[str], names: Sequence[str]) -> int | None:
    lasts = [name.replace(".", "_").rpartition("_")[2].lower() for name in features]
    return next((lasts.index(name) for name in names if name in lasts), None)


def pair_features(kinematics: torch.Tensor) -> torch.Tensor:
    """Return ln Δ, ln kT, ln z and ln m² of each pair of objects, (n, L, L, 4).

    Δ is the distance in rapidity and φ, kT = min(pT) Δ, z = min(pT)/Σ pT, and m the mass of the pair
    (arXiv:2202.03772); each is brought to order one.
    With objects of zero pT, as where there is none, the values are finite and mean nothing.

    Args:
        kinematics: pT, η, φ and mass in GeV, (n, L, 4).
    """
    pt, eta, phi, mass = kinematics.unbind(-1)
    transverse = torch.sqrt(pt**2 + mass**2)
    rapidity = torch.asinh(pt * torch.sinh(eta.clamp(-_STEEPEST, _STEEPEST)) / transverse.clamp(min=_LEAST))
    dphi = torch.remainder(_between(phi) + math.pi, 2 * math.pi) - math.pi
    distance = torch.sqrt(_between(rapidity) ** 2 + dphi**2 + _LEAST)
    smaller, total = torch.minimum(pt[:, :, None], pt[:, None]), pt[:, :, None] + pt[:, None]
    # m² from terms that are none of them negative: E² − p² would lose its digits
    across, product = pt[:, :, None] * pt[:, None], transverse[:, :, None] * transverse[:, None]
    opening = product * torch.sinh(0.5 * _between(rapidity)) ** 2 + across * torch.sin(0.5 * dphi) ** 2
    square = mass[:, :, None] ** 2 + mass[:, None] ** 2 + 2 * (product - across) + 4 * opening
    values = (
        torch.log(distance),
        torch.log((smaller * distance).clamp(min=_LEAST)) - 3.0,
        torch.log((smaller / total.clamp(min=_LEAST)).clamp(min=_LEAST)) + 1.0,
        0.5 * torch.log(square.clamp(min=1.0)) - 4.0,
    )
    return torch.stack([value.clamp(-6.0, 6.0) for value in values], dim=-1)


def _between(values: torch.Tensor) -> torch.Tensor:
    """Return the differences of each pair, (n, L, L)."""
    return values[:, :, None] - values[:, None]

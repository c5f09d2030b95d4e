"""The scheme ``mixture``: four classes, label × sign, learnt by one network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from hepneg.schemes.sign_networks import OneNetworkScheme

__all__ = ["Mixture"]


@dataclass(frozen=True)
class Mixture(OneNetworkScheme):
    """Train on \\|w\\| to tell the four classes (label, sign) apart, and combine them with their signs.

    r = (p₁₊ − p₁₋)/(p₀₊ − p₀₋)·s̄₀/s̄₁: the four-class cross-entropy is bounded. The differences are noisy near 0, where
    they are floored.

    Args:
        floor: smallest ĝ in the logarithm; held-out events may ask for a higher floor.
    """

    name: ClassVar[str] = "mixture"
    use: ClassVar[Literal["shared"]] = "shared"

"""The scheme ``factorised``: the densities of |w| and the local mean signs, each learnt on its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from hepneg.schemes.sign_networks import SignTermsScheme

__all__ = ["Factorised"]


@dataclass(frozen=True)
class Factorised(SignTermsScheme):
    """Train on \\|w\\|, and add the logarithm of each label's local mean sign to the log-odds.

    r = (h₁/h₀)·(s₁/s̄₁)/(s₀/s̄₀): three bounded problems, so that the signs can be smoothed more strongly than the
    densities. Noisy where ĝ → 0, where it is floored.

    Args:
        members: sign networks in each ensemble.
        patience: epochs without a better loss before the sign networks' training stops.
        floor: smallest ĝ in the logarithm; held-out events may ask for a higher floor.
    """

    name: ClassVar[str] = "factorised"
    use: ClassVar[Literal["terms"]] = "terms"

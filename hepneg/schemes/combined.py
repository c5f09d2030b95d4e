"""The scheme ``combined``: the mean of ``factorised`` and ``refined``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from hepneg.schemes.sign_networks import SignTermsScheme

__all__ = ["Combined"]


@dataclass(frozen=True)
class Combined(SignTermsScheme):
    """Train on \\|w\\| with sign terms and on \\|w\\|·max(ĝ, 0), and take the mean of the two log-odds.

    The two share their sign networks but not their faults: sign terms are noisy where ĝ → 0, and refined weights
    leave few effective events where ĝ varies much.

    Args:
        members: sign networks in each ensemble.
        patience: epochs without a better loss before the sign networks' training stops.
        floor: smallest ĝ in the logarithm; held-out events may ask for a higher floor.
    """

    name: ClassVar[str] = "combined"
    use: ClassVar[Literal["both"]] = "both"

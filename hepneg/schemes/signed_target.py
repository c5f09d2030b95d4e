"""The scheme ``signed_target``: signed densities by squared errors, so that they may be negative."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from hepneg.schemes.sign_networks import OneNetworkScheme

__all__ = ["SignedTarget"]


@dataclass(frozen=True)
class SignedTarget(OneNetworkScheme):
    """Train on \\|w\\|, with the sign as a target: squared errors, whose minimum is a signed density.

    With t₁ = sign(w) for signal and 0 for background, and t₀ the other way round, the least Σ\\|w\\|(f − t)² at equal
    priors has f₁/f₀ = (p₁ s̄₁)/(p₀ s̄₀), of either sign: the sum is convex in f and never below 0, and unlike a
    cross-entropy it puts no bound on the sign of the outcome (arXiv:2410.10216 and 2512.19913 discuss such losses).
    :meth:`hepneg.Classifier.density_ratio` gives the ratio with its sign. A response must lie in (0, 1): for it, a
    density below ``floor`` of that of \\|w\\| is raised to that; the health report counts the share.

    Args:
        floor: smallest ĝ in the logarithm; held-out events may ask for a higher floor.
    """

    name: ClassVar[str] = "signed_target"
    use: ClassVar[Literal["targets"]] = "targets"

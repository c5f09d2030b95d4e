"""Toys of a response with exactly known signed densities: what templates expect, and data, follow from them.

A score s in (0, 1) has a beta density under |w|; an event is negative with probability 0.3 + 0.2 (s − ⟨s⟩), so that
about 30 % of the weights are negative and the signed density is known.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy.integrate import quad
from scipy.stats import beta

SHAPES = {"signal": (3.0, 1.2), "background": (1.2, 3.0)}
SPREAD = 4.0
"""Shape of the gamma distribution of |w|, whose mean is 1."""


def chance_of_negative(name: str, score):
    a, b = SHAPES[name]
    return np.clip(0.3 + 0.2 * (score - a / (a + b)), 0.0, 0.49)


def draw(name: str, events: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw scores and signed weights, (n,) each."""
    score = rng.beta(*SHAPES[name], events)
    negative = rng.random(events) < chance_of_negative(name, score)
    return score, np.where(negative, -1.0, 1.0) * rng.gamma(SPREAD, 1.0 / SPREAD, events)


def expected(name: str, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return exact Σw and Σw² that one event is expected to bring to each bin."""

    def density(score: float) -> float:
        return float(beta.pdf(score, *SHAPES[name]))

    def signed(score: float) -> float:
        return density(score) * (1.0 - 2.0 * float(chance_of_negative(name, score)))

    pairs = list(pairwise(edges))
    content = np.array([quad(signed, low, high)[0] for low, high in pairs])
    square = (1.0 + 1.0 / SPREAD) * np.array([quad(density, low, high)[0] for low, high in pairs])
    return content, square

"""Toys of the literature, with the densities that they have.

Four in one dimension from arXiv:2505.03724, as its public notebooks define them, and one in two dimensions in the
manner of arXiv:2410.10216.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hepneg import EventTable

Float = NDArray[np.float64]


def normal(x: Float, width: float) -> Float:
    """Return the density of N(0, width)."""
    return np.asarray(np.exp(-0.5 * (x / width) ** 2) / (width * np.sqrt(2 * np.pi)))


@dataclass(frozen=True)
class Line:
    """Signed events on a line.

    Attributes:
        name: in the paper's notebooks.
        low, high: ends of the histogram.
        negative: share of negative weights; their positions are N(0, width), those of the others N(0, 1).
        width: see there.
        spread: of the weights about ±1.
        magnitude: |w| as a function of x, uniform in [low, high]; with it, no weight is negative.
    """

    name: str
    low: float = -3.0
    high: float = 3.0
    negative: float = 0.0
    width: float = 1.0
    spread: float = 0.0
    magnitude: Callable[[Float], Float] | None = None

    def sample(self, rng: np.random.Generator, n: int) -> tuple[Float, Float]:
        """Draw n events: positions and weights, (n,) each."""
        if self.magnitude is not None:
            x = rng.uniform(self.low, self.high, n)
            return x, self.magnitude(x)
        minus = rng.random(n) < self.negative
        x = rng.normal(size=n) * np.where(minus, self.width, 1.0)
        return x, np.where(minus, -1.0, 1.0) * (1 + self.spread * rng.normal(size=n))

    def sign(self, x: Float) -> Float:
        """Return the exact local mean sign, (n,)."""
        if self.magnitude is not None:
            return np.ones(len(x))
        plus, minus = (1 - self.negative) * normal(x, 1.0), self.negative * normal(x, self.width)
        return np.asarray((plus - minus) / (plus + minus))


def _steps_and_bumps(x: Float) -> Float:
    """The weights of ``weight_shape``: a step, a triangle and a parabola on 0.1."""
    step = np.where(x < 0.5, 0.5, 0.0)
    triangle = np.maximum(0.5 - np.abs(x - 1.25), 0.0)
    parabola = np.where(x > 2, 2 * (0.25 - (x - 2.5) ** 2), 0.0)
    return np.asarray(0.1 + step + triangle + parabola)


LINES = (
    Line("gauss_easy", negative=0.25, width=0.5),
    Line("gauss_spread", negative=0.25, width=0.5, spread=0.2),
    Line("gauss_negative", negative=0.2, width=0.2),
    Line("weight_shape", low=0.0, magnitude=_steps_and_bumps),
)

KEPT_SHARE = 0.3258158
"""Of gauss_easy: what resampling keeps, ∫ h ĝ² dx = ∫ (3 N(0, 1) − N(0, ½))² / (3 N(0, 1) + N(0, ½)) dx / 4."""


@dataclass(frozen=True)
class Plane:
    """2 N(0, 2) − N(0, 1.2) in two dimensions, against the same displaced by ``shift`` in x; widths are standard
    deviations.

    Both densities are negative at their core. As the two rings of zero density differ, the exact ratio has poles.
    """

    shift: float = 0.5
    wide: float = 2.0
    narrow: float = 1.2

    def sample(self, rng: np.random.Generator, n: int) -> EventTable:
        """Draw n events of each label."""
        minus = rng.random(2 * n) < 1 / 3
        points = rng.normal(size=(2 * n, 2)) * np.where(minus, self.narrow, self.wide)[:, None]
        label = np.repeat([0, 1], n)
        points[label == 1, 0] += self.shift
        weight, ids = np.where(minus, -1.0, 1.0), np.arange(len(points))
        return EventTable.from_arrays(points, weight, label, feature_names=["x", "y"], event_id=ids)

    def density(self, points: Float, label: int) -> Float:
        """Return the signed density of a label at points, (n, 2)."""
        x, y = points[:, 0] - self.shift * label, points[:, 1]
        wide, narrow = (normal(x, width) * normal(y, width) for width in (self.wide, self.narrow))
        return 2 * wide - narrow

    def ratio(self, points: Float) -> Float:
        """Return p₁/p₀ at points, (n, 2)."""
        points = np.asarray(points, dtype=np.float64)
        return self.density(points, 1) / self.density(points, 0)

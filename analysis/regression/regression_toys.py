"""Toy regressions whose answer is known exactly.

The signed toy: the events come from two components, A with weights +1 and B of which a share NEGATIVE has the weight
−1, as in analysis/closure. Each has its own regression, t = a(x) + noise and t = b(x) + noise, so under the signed
density

    E[t|x] = (α A(x) a(x) + β B(x) b(x)) / (α A(x) + β B(x)),  α = 1 − c, β = c(1 − 2q), c = f/q,

while |w| has β = c and takes the answer of B for that of A.

The counter-example toy: a right target is a(x) + noise, a mistaken one lies at the other solution, a(x) + gap(x) +
noise. Some of the mistakes are recognised and marked, the others look like right targets.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from hepneg import EventTable

Float = NDArray[np.float64]

NEGATIVE = 0.47
"""Share q of negative weights in the second component; below ½, so that the density stays positive."""
FEATURES = 4


@dataclass(frozen=True, eq=False)
class Curve:
    """A smooth function of the features: constant + u·x + ½ sin(2 v·x)."""

    constant: float
    u: Float
    v: Float

    @classmethod
    def draw(cls, rng: np.random.Generator, constant: float = 0.0, slope: float = 1.0) -> Self:
        """Draw the two directions."""
        u, v = rng.normal(size=(2, FEATURES))
        return cls(constant, slope * u / np.linalg.norm(u), v / np.linalg.norm(v))

    def __call__(self, x: Float) -> Float:
        """Return the function at x, (n, F)."""
        return np.asarray(self.constant + x @ self.u + 0.5 * np.sin(2 * x @ self.v))


@dataclass(frozen=True, eq=False)
class SignedToy:
    """Signed events with a target.

    Attributes:
        a: regression of the component with weights +1, which is normal around 0 with width 1.
        b: regression of the mixed component.
        centre: of the mixed component.
        width: of the mixed component.
        negative_fraction: f.
        noise: standard deviation of the target around its component's regression.
    """

    a: Curve
    b: Curve
    centre: Float
    width: float = 1.3
    negative_fraction: float = 0.3
    noise: float = 0.5

    @classmethod
    def make(cls, seed: int, *, displaced: bool = True, constant: float = 0.0) -> Self:
        """Draw a geometry.

        Args:
            seed: of all directions.
            displaced: the mixed component has a regression of its own, or that of the other.
            constant: added to both regressions.
        """
        rng = np.random.default_rng([seed, FEATURES])
        a = Curve.draw(rng, constant)
        b = replace(a, constant=constant + 1.0, u=a.u + 0.5 * Curve.draw(rng).u) if displaced else a
        centre = rng.normal(size=FEATURES)
        return cls(a, b, centre / np.linalg.norm(centre))

    @property
    def mixed_share(self) -> float:
        """The share c of the mixed component among the events."""
        return self.negative_fraction / NEGATIVE

    def sample(self, rng: np.random.Generator, n: int) -> EventTable:
        """Draw n signed events."""
        mixed = rng.random(n) < self.mixed_share
        weight = np.where(mixed & (rng.random(n) < NEGATIVE), -1.0, 1.0)
        return self._events(rng, mixed, weight)

    def sample_unsigned(self, rng: np.random.Generator, n: int) -> EventTable:
        """Draw n events from the physical density itself, all with weight +1."""
        share = self.mixed_share * (1 - 2 * NEGATIVE) / (1 - 2 * self.negative_fraction)
        return self._events(rng, rng.random(n) < share, np.ones(n))

    def exact(self, x: Float) -> Float:
        """Return E[t|x] under the signed density, (n,)."""
        x = np.asarray(x, dtype=np.float64)
        a = (1 - self.mixed_share) * _normal(x)
        b = self.mixed_share * (1 - 2 * NEGATIVE) * _normal((x - self.centre) / self.width) / self.width**FEATURES
        return np.asarray((a * self.a(x) + b * self.b(x)) / (a + b))

    def _events(self, rng: np.random.Generator, mixed: NDArray[np.bool_], weight: Float) -> EventTable:
        x = rng.normal(size=(len(mixed), FEATURES))
        x = np.where(mixed[:, None], self.centre + self.width * x, x)
        target = np.where(mixed, self.b(x), self.a(x)) + self.noise * rng.normal(size=len(mixed))
        return EventTable.from_arrays(x, weight, target=target, event_id=np.arange(len(x)))


@dataclass(frozen=True, eq=False)
class MistakenToy:
    """Events of which some have the target of another solution.

    Attributes:
        a: the regression of right targets.
        marked: share of the events that are marked mistakes.
        unmarked: share of the events that are mistakes without a mark.
        gap: from the right to the other solution.
        noise: standard deviation of the target around its solution.
    """

    a: Curve
    marked: float = 0.2
    unmarked: float = 0.2
    gap: float = 2.0
    noise: float = 0.5

    @classmethod
    def make(cls, seed: int, *, unmarked: float = 0.2) -> Self:
        """Draw a geometry."""
        return cls(Curve.draw(np.random.default_rng([seed, FEATURES, 1])), unmarked=unmarked)

    def sample(self, rng: np.random.Generator, n: int) -> EventTable:
        """Draw n events with grades: −1 for a marked mistake, else 1."""
        x = rng.normal(size=(n, FEATURES))
        kind = rng.random(n)
        marked = kind < self.marked
        wrong = kind < self.marked + self.unmarked
        target = self.a(x) + np.where(wrong, self.gap, 0.0) + self.noise * rng.normal(size=n)
        grade = np.where(marked, -1.0, 1.0)
        return EventTable.from_arrays(x, np.ones(n), target=target, grade=grade, event_id=np.arange(n))


def _normal(z: Float) -> Float:
    return np.asarray(np.exp(-0.5 * (z**2).sum(axis=1)))

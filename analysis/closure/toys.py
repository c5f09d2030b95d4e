"""Toys whose densities are known exactly: the truth that a weight scheme can be held against.

The events of a label come from two components: one whose weights are all +1, and a wider, displaced one of which a
share NEGATIVE has the weight −1. The local mean sign s(x) then falls where the second component takes over, as it does
where subtraction terms populate the edges of phase space, and everything is known in closed form:

    h(x) = (1 − c) A(x) + c B(x)                 density of |w|
    h(x) s(x) = (1 − c) A(x) + c (1 − 2q) B(x)   physical density × (1 − 2f), with f = c q

Both physical densities are positive everywhere, so the exact log-odds log p₁/p₀ is finite.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from hepneg import EventTable

Float = NDArray[np.float64]

NEGATIVE = 0.47
"""Share q of negative weights in the second component; below ½, so that the density stays positive."""

SHAPES = {"equal": (1.0, 0.0), "mild": (1.2, 0.3), "strong": (1.6, 1.5)}
"""Width and displacement of the second component, in units of the first one's width."""


@dataclass(frozen=True, eq=False)
class Gaussian:
    """A normal density: centre, (F,), and lower-triangular root of the covariance, (F, F)."""

    centre: Float
    root: Float

    def log_density(self, x: Float) -> Float:
        """Return log of the density at x, (n, F)."""
        z = np.linalg.solve(self.root, (x - self.centre).T)
        volume = np.log(np.abs(np.linalg.det(self.root)))
        return np.asarray(-0.5 * (z**2).sum(axis=0) - volume - 0.5 * len(self.centre) * np.log(2 * np.pi))

    def sample(self, rng: np.random.Generator, n: int) -> Float:
        """Draw n points, (n, F)."""
        return np.asarray(self.centre + rng.normal(size=(n, len(self.centre))) @ self.root.T)


@dataclass(frozen=True, eq=False)
class SignedMixture:
    """The events of one label.

    Attributes:
        positive: component A, whose weights are all +1.
        mixed: component B, of which a share NEGATIVE has weight −1.
        negative_fraction: f = c·NEGATIVE, below NEGATIVE.
    """

    positive: Gaussian
    mixed: Gaussian
    negative_fraction: float

    def __post_init__(self) -> None:
        if not 0 <= self.negative_fraction < NEGATIVE:
            raise ValueError(f"negative_fraction must be from 0 to below {NEGATIVE}, not {self.negative_fraction}")

    @property
    def mixed_share(self) -> float:
        """The share c of component B among the events."""
        return self.negative_fraction / NEGATIVE

    @property
    def mean_sign(self) -> float:
        """Σw/Σ|w| = 1 − 2f."""
        return 1 - 2 * self.negative_fraction

    def log_parts(self, x: Float) -> tuple[Float, Float]:
        """Return log h(x) and log h(x)s(x), (n,) each."""
        a, b = self.positive.log_density(x), self.mixed.log_density(x)
        share = self.mixed_share
        with np.errstate(divide="ignore"):
            log_a, log_c, log_d = np.log1p(-share), np.log(share), np.log(share * (1 - 2 * NEGATIVE))
        return np.logaddexp(log_a + a, log_c + b), np.logaddexp(log_a + a, log_d + b)

    def sample(self, rng: np.random.Generator, n: int) -> tuple[Float, Float]:
        """Draw n signed events: features (n, F) and weights ±1, (n,)."""
        mixed = rng.random(n) < self.mixed_share
        x = np.where(mixed[:, None], self.mixed.sample(rng, n), self.positive.sample(rng, n))
        return x, np.where(mixed & (rng.random(n) < NEGATIVE), -1.0, 1.0)

    def sample_unsigned(self, rng: np.random.Generator, n: int) -> Float:
        """Draw n events from the physical density itself, (n, F): each with weight +1."""
        share = self.mixed_share * (1 - 2 * NEGATIVE) / self.mean_sign
        mixed = rng.random(n) < share
        return np.where(mixed[:, None], self.mixed.sample(rng, n), self.positive.sample(rng, n))


@dataclass(frozen=True, eq=False)
class Toy:
    """Two labels with exactly known densities; ``labels`` holds background and signal, in this order."""

    labels: tuple[SignedMixture, SignedMixture]

    @classmethod
    def make(
        cls,
        seed: int,
        *,
        shapes: str = "strong",
        negative_fraction: float | tuple[float, float] = 0.3,
        features: int = 6,
    ) -> Self:
        """Draw a geometry.

        Args:
            seed: of the geometry: orientation, widths and displacement of all components.
            shapes: how much negative and positive weights differ: ``equal``, ``mild`` or ``strong``.
            negative_fraction: f, for both labels or for (background, signal).
            features: their number F.
        """
        rng = np.random.default_rng([seed, features])
        width, shift = SHAPES[shapes]
        pair = negative_fraction if isinstance(negative_fraction, tuple) else (negative_fraction, negative_fraction)
        axis = _direction(rng, features)
        labels = []
        for side, fraction in zip((-1, 1), pair, strict=True):
            positive = Gaussian(side * 0.7 * axis, _random_root(rng, features))
            centre = positive.centre + shift * _direction(rng, features)
            labels.append(SignedMixture(positive, Gaussian(centre, width * positive.root), fraction))
        return cls((labels[0], labels[1]))

    def sample(self, rng: np.random.Generator, n: int) -> EventTable:
        """Draw n signed events of each label."""
        (x0, w0), (x1, w1) = (label.sample(rng, n) for label in self.labels)
        x, weight, label = np.concatenate([x0, x1]), np.concatenate([w0, w1]), np.repeat([0, 1], n)
        return EventTable.from_arrays(x, weight, label, event_id=np.arange(2 * n))

    def sample_unsigned(self, rng: np.random.Generator, n: int) -> EventTable:
        """Draw n events of each label from the physical densities, all with weight +1."""
        x0, x1 = (label.sample_unsigned(rng, n) for label in self.labels)
        x, label = np.concatenate([x0, x1]), np.repeat([0, 1], n)
        return EventTable.from_arrays(x, np.ones(2 * n), label, event_id=np.arange(2 * n))

    def exact_logit(self, x: Float) -> Float:
        """Return log p₁(x)/p₀(x), (n,): the log-odds at equal priors."""
        (_, background), (_, signal) = (label.log_parts(np.asarray(x, dtype=np.float64)) for label in self.labels)
        return np.asarray(signal - background - np.log(self.labels[1].mean_sign / self.labels[0].mean_sign))

    def exact_sign(self, x: Float, label: int) -> Float:
        """Return the local mean sign s(x) of a label, (n,)."""
        log_h, log_hs = self.labels[label].log_parts(np.asarray(x, dtype=np.float64))
        return np.asarray(np.exp(log_hs - log_h))


def excess_loss(logit: Float, exact: Float) -> float:
    """Return the cross-entropy in excess of the optimum, in nats, from points of ½(p₀ + p₁).

    It is the mean Kullback–Leibler divergence of the two posteriors: an average over points that are each ≥ 0, and
    not a difference of two losses, so it has little noise.

    Args:
        logit: learnt log-odds, (n,).
        exact: exact log-odds at the same points, (n,).
    """
    posterior = 0.5 * (1 + np.tanh(0.5 * exact))
    gain = np.logaddexp(0, logit) - np.logaddexp(0, exact)
    return float(np.mean(gain - posterior * (logit - exact)))


def _direction(rng: np.random.Generator, features: int) -> Float:
    vector = rng.normal(size=features)
    return np.asarray(vector / np.linalg.norm(vector))


def _random_root(rng: np.random.Generator, features: int) -> Float:
    """A covariance of random orientation, widths from 0.7 to 1.3."""
    rotation, _ = np.linalg.qr(rng.normal(size=(features, features)))
    covariance = rotation @ np.diag(rng.uniform(0.7, 1.3, features) ** 2) @ rotation.T
    return np.asarray(np.linalg.cholesky(covariance))

"""Toys without any difference between positive and negative events, and the settings that they are made in."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from hepneg.events import EventTable

FEATURES = ("normal", "jets", "padded")
WEIGHTS = ("unit", "lognormal")
FRACTIONS = (0.1, 0.3, 0.45)
SIZES = (300, 30_000)
PADDING = -999.0


@dataclass(frozen=True)
class Setting:
    """How the toys of one column of a table are made."""

    weights: str
    fraction: float
    events: int

    def __str__(self) -> str:
        kind = "±1" if self.weights == "unit" else "log-normal"
        return f"{kind}, f = {self.fraction}, n = {self.events}"


def settings(sizes=SIZES):
    return [Setting(*parts) for parts in itertools.product(WEIGHTS, FRACTIONS, sizes)]


def signed_weights(setting: Setting, rng: np.random.Generator) -> np.ndarray:
    """Signs that depend on nothing, |w| of 1 or log-normal with σ = 1."""
    n = setting.events
    magnitude = np.ones(n) if setting.weights == "unit" else np.exp(rng.normal(size=n))
    return np.where(rng.random(n) < setting.fraction, -magnitude, magnitude)


def features(n: int, rng: np.random.Generator) -> np.ndarray:
    """A continuous feature, a count of jets, and one with 40 % of its entries at a padding value."""
    padded = np.where(rng.random(n) < 0.4, PADDING, rng.exponential(size=n))
    return np.column_stack([rng.normal(size=n), rng.poisson(3.0, n), padded])


def table(setting: Setting, rng: np.random.Generator) -> EventTable:
    """One sample of a setting."""
    n = setting.events
    return EventTable.from_arrays(
        features(n, rng), signed_weights(setting, rng), np.zeros(n, int), feature_names=FEATURES
    )

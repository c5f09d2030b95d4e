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
        kind = {"unit": "±1", "lognormal": "log-normal"}.get(self.weights, self.weights)
        return f"{kind}, f = {self.fraction}, n = {self.events}"


def settings(sizes=SIZES):
    return [Setting(*parts) for parts in itertools.product(WEIGHTS, FRACTIONS, sizes)]


def dependent_settings() -> list[Setting]:
    """Nulls in which |w| depends on the sign or on x, or rows on each other."""
    found = [("half", 0.3, 300), ("half", 0.45, 50), ("wide", 0.3, 300), ("merged", 0.2, 1000), ("of x", 0.3, 300)]
    found += [("2 candidates", 0.25, 600), ("3 candidates", 0.25, 600), ("heavy", 0.1, 1000), ("wide", 0.1, 3000)]
    found += [("half", 0.02, 10_000), ("heavy", 0.4, 10_000)]
    return [Setting(*parts) for parts in found]


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


def dependent_table(setting: Setting, rng: np.random.Generator) -> EventTable:
    """One sample of a setting of :func:`dependent_settings`; x is independent of (sign, |w|), but for ``of x``."""
    n = setting.events
    if setting.weights.endswith("candidates"):
        return candidates(setting, int(setting.weights[0]), rng)
    x, negative = features(n, rng), rng.random(n) < setting.fraction
    if setting.weights == "merged":  # a tenth of the events from a sample with large weights and many negative ones
        rare = rng.random(n) < 0.1
        negative = rng.random(n) < np.where(rare, 2 * setting.fraction, setting.fraction / 2)
        magnitude = np.where(rare, 20.0, 1.0)
    elif setting.weights == "of x":
        magnitude = np.exp(x[:, 0])
    elif setting.weights == "half":
        magnitude = np.where(negative, 0.5, 1.0)
    elif setting.weights == "wide":
        magnitude = np.exp(np.where(negative, 1.5, 0.3) * rng.normal(size=n))
    else:
        magnitude = np.where(negative, 1.0 + rng.pareto(1.5, n), 1.0)
    return EventTable.from_arrays(
        x, np.where(negative, -magnitude, magnitude), np.zeros(n, int), feature_names=FEATURES
    )


def candidates(setting: Setting, number: int, rng: np.random.Generator) -> EventTable:
    """Rows of which ``number`` are of one event: they share weight and identifier, and their features are alike."""
    events = setting.events // number
    weight = np.where(rng.random(events) < setting.fraction, -1.0, 1.0)
    x = np.repeat(features(events, rng), number, axis=0)
    x[:, 0] += 0.3 * rng.normal(size=len(x))
    row_id = np.repeat(np.arange(events), number)
    return EventTable.from_arrays(
        x, np.repeat(weight, number), np.zeros(len(x), int), event_id=row_id, feature_names=FEATURES
    )

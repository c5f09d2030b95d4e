"""Toys of several classes, whose densities are known."""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from hepneg.events import EventTable

NAMES = ("ttbar", "wjets", "single_top", "diboson", "drell_yan")


def centres(classes: int) -> np.ndarray:
    """Where the normal densities of the classes are, (K, 3)."""
    angle = 2 * np.pi * np.arange(classes) / classes
    return np.column_stack([np.cos(angle), np.sin(angle), np.zeros(classes)])


def mean_sign(features: np.ndarray, code: int) -> np.ndarray:
    """The local mean sign of a class, (n,): by x₂, whose density is even, so that its mean under \\|w\\| is 0.55."""
    return np.asarray(0.55 + 0.35 * np.tanh(1.5 * features[:, 2] * (-1) ** code))


def class_events(classes: int = 3, events: int = 1500, seed: int = 1, *, signed: bool = True) -> EventTable:
    """Events of K classes: \\|w\\| is normal about :func:`centres`, signs follow :func:`mean_sign` of x₂ alone."""
    rng = np.random.default_rng(seed)
    middle = centres(classes)
    features = [middle[code] + rng.normal(size=(events, 3)) for code in range(classes)]
    weights = [
        np.where(rng.random(events) < 0.5 * (1 + mean_sign(x, code)), 1.0, -1.0) if signed else np.ones(events)
        for code, x in enumerate(features)
    ]
    names = np.repeat(NAMES[:classes], events)
    return EventTable.from_arrays(np.concatenate(features), np.concatenate(weights), names)


def exact_log_probability(features: np.ndarray, classes: int, *, signed: bool = True) -> np.ndarray:
    """The logarithm of each class's probability at equal priors, (n, K)."""
    x = np.asarray(features, np.float64)
    density = np.stack([-0.5 * np.square(x - centre).sum(axis=1) for centre in centres(classes)], axis=1)
    if signed:
        density = density + np.stack([np.log(mean_sign(x, code) / 0.55) for code in range(classes)], axis=1)
    return density - logsumexp(density, axis=1, keepdims=True)

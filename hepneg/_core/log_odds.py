"""From log-odds to the response and back, for two classes and for more."""

from __future__ import annotations

import math

import numpy as np

from hepneg._core.arrays import FloatArray

__all__ = ["class_log_odds", "log_odds", "log_probabilities", "normalised_logarithms", "sigmoid"]


def sigmoid(logit: FloatArray) -> FloatArray:
    """Return 1/(1 + e^−logit), without overflow."""
    half: FloatArray = np.tanh(0.5 * logit)
    return 0.5 * (1.0 + half)


def log_odds(response: float) -> float:
    """Return log(y/(1 − y)) of one response, infinite at 0 and 1."""
    if response in {0, 1}:
        return math.copysign(math.inf, response - 0.5)
    return math.log(response / (1 - response))


def log_probabilities(log_ratios: FloatArray) -> FloatArray:
    """Return the logarithm of each class's probability at equal priors, (n, K).

    Args:
        log_ratios: of the densities against the first class's: (n,) of two classes, (n, K − 1) of more.
    """
    others = log_ratios if log_ratios.ndim == 2 else log_ratios[:, None]
    return normalised_logarithms(np.concatenate([np.zeros((len(others), 1)), others], axis=1))


def normalised_logarithms(logarithms: FloatArray) -> FloatArray:
    """Return logarithms, (n, K), shifted in each row so that their exponentials sum to 1."""
    return np.asarray(logarithms - _log_sum(logarithms)[:, None])


def class_log_odds(logarithms: FloatArray) -> FloatArray:
    """Return the log-odds of each class against all others together, (n, K), from log-probabilities, (n, K)."""
    classes = logarithms.shape[1]
    others = [_log_sum(np.delete(logarithms, number, axis=1)) for number in range(classes)]
    return np.asarray(logarithms - np.stack(others, axis=1))


def _log_sum(logarithms: FloatArray) -> FloatArray:
    largest = logarithms.max(axis=1)
    return np.asarray(largest + np.log(np.exp(logarithms - largest[:, None]).sum(axis=1)))

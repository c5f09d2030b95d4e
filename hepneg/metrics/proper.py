"""Proper scores of a classifier's probabilities, with signed weights: log-loss and Brier score."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hepneg._core.arrays import FloatArray
from hepneg._core.estimate import Estimate
from hepneg.metrics.influence import Influence
from hepneg.metrics.scored import ScoredEvents, SignedClasses, scored_events

__all__ = ["balanced_mean", "brier", "brier_influence", "brier_of", "log_loss", "log_loss_influence", "log_loss_of"]


def log_loss(logit: ArrayLike, label: ArrayLike, weight: ArrayLike) -> Estimate:
    """Measure the cross-entropy of log-odds, the two labels balanced.

    ½ (Σ₁wℓ/W₁ + Σ₀wℓ/W₀) with ℓ = log(1 + e^∓logit). An uninformative classifier (logit 0) has log 2. With signed
    weights an estimate can fall below the best achievable loss, and even below zero.

    Args:
        logit: (n,) log-odds of signal for equal priors.
        label: (n,) of 0 and 1.
        weight: (n,) signed weights.

    Returns:
        The loss in nats and its standard error, the fluctuation of both sums of weights included.

    Raises:
        DataError: unusable columns, or a label with Σw ≤ 0.
    """
    return log_loss_influence(logit, label, weight).estimate()


def log_loss_influence(logit: ArrayLike, label: ArrayLike, weight: ArrayLike) -> Influence:
    """Return the log-loss and each event's contribution to its fluctuation; see :func:`log_loss`."""
    return log_loss_of(scored_events(logit, label, weight))


def log_loss_of(events: ScoredEvents) -> Influence:
    """Return the log-loss of events scored by log-odds, and each event's contribution to its fluctuation.

    Raises:
        DataError: a label with Σw ≤ 0.
    """
    return balanced_mean(events, np.logaddexp(0.0, np.where(events.signal, -events.score, events.score)))


def brier(response: ArrayLike, label: ArrayLike, weight: ArrayLike) -> Estimate:
    """Measure the mean squared error of a response, the two labels balanced.

    ½ (Σ₁w(1−y)²/W₁ + Σ₀wy²/W₀). An uninformative classifier (response ½) has ¼. With signed weights an estimate can
    fall below zero.

    Args:
        response: (n,) in [0, 1], for equal priors.
        label: (n,) of 0 and 1.
        weight: (n,) signed weights.

    Returns:
        The score and its standard error, the fluctuation of both sums of weights included.

    Raises:
        DataError: unusable columns, or a label with Σw ≤ 0.
    """
    return brier_influence(response, label, weight).estimate()


def brier_influence(response: ArrayLike, label: ArrayLike, weight: ArrayLike) -> Influence:
    """Return the Brier score and each event's contribution to its fluctuation; see :func:`brier`."""
    return brier_of(scored_events(response, label, weight))


def brier_of(events: ScoredEvents) -> Influence:
    """Return the Brier score of events scored by a response, and each event's contribution to its fluctuation.

    Raises:
        DataError: a label with Σw ≤ 0.
    """
    return balanced_mean(events, (events.signal - events.score) ** 2)


def balanced_mean(events: SignedClasses, loss: FloatArray) -> Influence:
    """Return the mean over the classes of Σwℓ/Σw, ℓ of each event, (n,), and each event's contribution to it.

    Raises:
        DataError: a class with Σw ≤ 0.
    """
    weighted = events.share * loss
    means = np.array([np.sum(weighted[events.code == code]) for code in range(len(events.sums))])
    contribution = events.share * (loss - means[events.code]) / len(means)
    return Influence(float(means.mean()), contribution, events.cluster)

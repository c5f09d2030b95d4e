"""How well probabilities of several classes tell them apart, with signed weights: areas by pairs, and confusion."""

from __future__ import annotations

import numpy as np

from hepneg._core.arrays import BoolArray, FloatArray
from hepneg._core.estimate import Estimate
from hepneg.errors import DataError
from hepneg.events import cluster_sums
from hepneg.metrics.auc import auc_of
from hepneg.metrics.class_scores import ClassScores
from hepneg.metrics.influence import Influence
from hepneg.metrics.scored import ScoredEvents

__all__ = ["against_rest", "confusion_of", "mean_auc_of", "one_versus_one_of", "one_versus_rest_of", "part_versus_rest"]


def one_versus_one_of(events: ClassScores, first: int, second: int) -> Influence:
    """Return the area under the ROC curve of log p/p' between the events of two classes, by their codes.

    Raises:
        DataError: a class with Σw ≤ 0.
    """
    score = events.log_probability[:, first] - events.log_probability[:, second]
    return _pair(events, score, events.code == first, second)


def one_versus_rest_of(events: ClassScores, code: int) -> Influence:
    """Return the area under the ROC curve of a class's log-odds between its events and all others.

    The others share their prior equally: it is the mean of the areas against each other class.

    Raises:
        DataError: a class with Σw ≤ 0.
    """
    return _versus_rest(events, code, events.code == code, events.log_odds[:, code])


def part_versus_rest(events: ClassScores, part: BoolArray) -> Estimate:
    """Return the area of some events of one class, as of a sample, against all other classes; NaN where undefined.

    Args:
        events: n events.
        part: (n,) true for those of one class.
    """
    code = int(events.code[int(np.argmax(part))])
    try:
        return _versus_rest(events, code, part, events.log_odds[:, code]).estimate()
    except DataError:
        return Estimate(float("nan"), float("nan"))


def mean_auc_of(events: ClassScores, scores: FloatArray | None = None) -> Influence:
    """Return the mean over the classes of their areas against all others.

    Args:
        events: n events.
        scores: of each class, (n, K), higher for its events; left out, its log-odds.

    Raises:
        DataError: a class with Σw ≤ 0.
    """
    given = events.log_odds if scores is None else scores
    codes = range(len(events.classes))
    return Influence.mean([_versus_rest(events, code, events.code == code, given[:, code]) for code in codes])


def confusion_of(events: ClassScores) -> tuple[FloatArray, FloatArray]:
    """Return the share of each class's Σw that goes to each class, the most probable at equal priors, and its error.

    Returns:
        (K, K) each, rows by the own class, which sum to 1; with signed weights a share may leave [0, 1].

    Raises:
        DataError: a class with Σw ≤ 0.
    """
    classes, chosen = len(events.classes), events.log_probability.argmax(axis=1)
    share, error = np.empty((classes, classes)), np.empty((classes, classes))
    for own in range(classes):
        members = events.code == own
        weight, cluster = events.share[members], None if events.cluster is None else events.cluster[members]
        for code in range(classes):
            hit = chosen[members] == code
            share[own, code] = float(weight[hit].sum())
            error[own, code] = np.sqrt(np.sum(cluster_sums(weight * (hit - share[own, code]), cluster) ** 2))
    return share, error


def against_rest(events: ClassScores, code: int) -> ScoredEvents:
    """Return the events with the log-odds of a class against all others, which share the other half of the prior.

    Raises:
        DataError: a class with Σw ≤ 0.
    """
    odds = events.log_odds[:, code] + np.log(len(events.classes) - 1)
    return ScoredEvents(odds, (events.code == code).astype(np.int8), events.share, events.cluster)


def _versus_rest(events: ClassScores, code: int, part: BoolArray, score: FloatArray) -> Influence:
    others = (other for other in range(len(events.classes)) if other != code)
    return Influence.mean([_pair(events, score, part, other) for other in others])


def _pair(events: ClassScores, score: FloatArray, part: BoolArray, other: int) -> Influence:
    """Return the area of a score between some events and another class; the contributions are those of all events."""
    if events.sums[other] <= 0 or float(events.weight[part].sum()) <= 0:
        raise DataError("Σw is not positive: no area is defined")
    both = part | (events.code == other)
    found = auc_of(ScoredEvents(score[both], part[both].astype(np.int8), events.weight[both]))
    contribution = np.zeros(len(score))
    contribution[both] = found.contribution
    return Influence(found.value, contribution, events.cluster)

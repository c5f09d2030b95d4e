"""Which scheme held-out events speak for: by the signed log-loss, or, where a density is negative, the Brier score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from hepneg._core.class_names import TWO_CLASSES
from hepneg._core.estimate import Estimate
from hepneg._core.log_odds import class_log_odds
from hepneg.metrics import Influence, ScoredEvents
from hepneg.metrics.class_scores import ClassScores, output_brier, output_log_loss
from hepneg.metrics.negative_share import NegativeShare, negative_share

__all__ = ["Doubt", "Standing", "doubt_of", "recommended", "standings", "training_noise"]

SIGNIFICANT = 2.0
"""Standard deviations from which two schemes are called different."""
_BEATEN, _OF_GAIN = 3.0, 0.1
"""Standard deviations of the Brier score, and share of what the best gains on a response of ½, within which a scheme
that keeps away from its bound is preferred."""
_TAILS = (0.02, 0.05, 0.1)
_NEGATIVE = -3.0
_AT_BOUND, _NEAR = 0.01, 0.9

HeldOut: TypeAlias = ScoredEvents | ClassScores
"""Events with the log-odds of two classes, or the probabilities of more, by networks that have not seen them."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """Events whose density is negative, or cannot be told from it.

    Attributes:
        where: the sample or label, and how the events were selected.
        found: what they are.
    """

    where: str
    found: NegativeShare

    def __str__(self) -> str:
        return f"the density of {self.where} is negative, or cannot be told from it, in {self.found}"


@dataclass(frozen=True, eq=False, slots=True)
class Standing:
    """One scheme on held-out events.

    Attributes:
        loss: signed log-loss, with the contribution of each event.
        brier: signed Brier score, likewise.
        at_bound: share of Σ|w| whose log-odds are within a tenth of the largest.
    """

    loss: Influence
    brier: Influence
    at_bound: float


def standings(held_out: Mapping[str, HeldOut]) -> dict[str, Standing]:
    """Score every scheme; its events come with log-odds by networks that have not seen them."""
    found = {}
    for name, scored in held_out.items():
        size, far = np.abs(scored.weight), _farthest(scored)
        near = float(size[far >= _NEAR * far.max(initial=0.0)].sum() / size.sum())
        found[name] = Standing(output_log_loss(scored), output_brier(scored), near)
    return found


def _farthest(scored: HeldOut) -> NDArray[np.float64]:
    """Return the largest log-ratio of two classes of each event, (n,)."""
    if isinstance(scored, ScoredEvents):
        return np.abs(scored.score)
    return np.asarray(np.ptp(scored.log_probability, axis=1))


def _likeness(scored: HeldOut, code: int) -> NDArray[np.float64]:
    """Return how like a class events seem, (n,)."""
    if isinstance(scored, ScoredEvents):
        return scored.score if code else -scored.score
    return np.asarray(class_log_odds(scored.log_probability)[:, code])


def doubt_of(held_out: Mapping[str, HeldOut]) -> Doubt | None:
    """Look for a negative density where responses are farthest from a label.

    Of the 2, 5 and 10 % of a label's Σ|w| that a response, which has not seen them, calls least like it; three standard
    deviations below zero say so.

    Returns:
        The most significant; None where there is none.
    """
    worst: Doubt | None = None
    for name, scored in held_out.items():
        for code, label in enumerate(TWO_CLASSES if isinstance(scored, ScoredEvents) else scored.classes):
            own = scored.code == code
            weight, cluster = scored.weight[own], None if scored.cluster is None else scored.cluster[own]
            order = np.argsort(_likeness(scored, code)[own], kind="stable")
            share = np.cumsum(np.abs(weight[order])) / np.abs(weight).sum()
            for tail in _TAILS:
                chosen = np.zeros(len(weight), dtype=bool)
                chosen[order[share <= tail]] = True
                found = negative_share(weight, chosen, cluster)
                if found.p_value < 1 and found.significance < min(_NEGATIVE, worst.found.significance if worst else 0):
                    worst = Doubt(f"the {label}, where {name} sees least of it,", found)
    return worst


def recommended(standing: Mapping[str, Standing], *, bounded: bool, classes: int = 2) -> str:
    """Return the scheme to take.

    Args:
        standing: of every scheme.
        bounded: whether to go by the Brier score. With a negative density the log-loss has no minimum, and whoever runs
            to the bound of the log-odds has the lowest; the Brier score of a response stays bounded. Of the schemes
            within three standard deviations of the best one, or a tenth of its gain on a response of ½, one that does
            not lie at its bound is taken.
        classes: K; equal probabilities have the Brier score (1 − 1/K)/2.
    """
    if not bounded:
        return min(standing, key=lambda name: standing[name].loss.value)
    best = min(standing, key=lambda name: standing[name].brier.value)
    gaps = {name: (one.brier - standing[best].brier).estimate() for name, one in standing.items()}
    gain = _OF_GAIN * (0.5 * (1 - 1 / classes) - standing[best].brier.value)
    near = [name for name, gap in gaps.items() if gap.value <= max(_BEATEN * gap.error, gain)]
    inside = [name for name in near if standing[name].at_bound <= _AT_BOUND]
    return min(inside, key=lambda name: standing[name].brier.value) if inside else best


def training_noise(
    difference: Influence, weight_share: NDArray[np.float64], fold_of: NDArray[np.integer], classes: int = 2
) -> float:
    """Estimate what a paired difference owes to the chance of the trainings, beyond that of the events.

    Each fold has networks of its own. What its difference deviates by from the mean of all folds, beyond the error that
    its events give it, is the noise of training; that of the mean of k folds is smaller by √k.

    Args:
        difference: of two schemes, with the contribution of each of n events.
        weight_share: (n,) share of each event in its label's Σw.
        fold_of: (n,) the fold of each event.
        classes: how many labels there are.

    Returns:
        One standard deviation; from k numbers, so that it is itself uncertain by 1/√(2k − 2) of the total spread. The
        networks of two folds share most of their events, so that it is rather too small.
    """
    folds = np.unique(fold_of)
    values, squares = [], []
    for fold in folds.tolist():
        own = fold_of == fold
        part = replace(difference, contribution=np.where(own, difference.contribution, 0.0))
        share = float(weight_share[own].sum()) / classes
        if share > 0:
            values.append(float(part.contribution.sum()) / share)
            squares.append((part.estimate().error / share) ** 2)
    if len(values) < 2:
        return 0.0
    excess = float(np.var(values, ddof=1)) - float(np.mean(squares))
    return float(np.sqrt(max(excess, 0.0) / len(values)))


def total_error(gap: Estimate, noise: float) -> float:
    """Return the error of a difference with the noise of training."""
    return float(np.hypot(gap.error, noise))

"""A classifier of the sign of the weight from x: finds differences that no single feature shows."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepneg._core.estimate import Estimate
from hepneg._core.output import json_ready
from hepneg._core.progress import SILENT, Progress
from hepneg._core.tables import html_table
from hepneg.binning.subsample import Subsample, SubsampleAccumulator
from hepneg.errors import DataError, HepnegWarning
from hepneg.events import EventTable
from hepneg.metrics.auc import auc_influence, auc_of
from hepneg.metrics.importance import importance_influence
from hepneg.metrics.influence import Influence
from hepneg.metrics.scored import ScoredEvents
from hepneg.shapes.shape_tests.forward_crossfit import (
    Learner,
    ScoredBlock,
    block_bounds,
    combine,
    sign_permutation_p_values,
)

__all__ = [
    "LEAST_EVENTS",
    "MULTIVARIATE_EVENTS",
    "MultivariateShape",
    "check_multivariate",
    "check_multivariate_subsample",
]

MULTIVARIATE_EVENTS = 50_000
"""Most events used; of more, those with the smallest hashes of their identifiers."""
LEAST_EVENTS = 20
"""Least events of each sign."""

_BLOCKS = 5
_LOW_SIGN = 0.1
_REPEATS = 3

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class MultivariateShape:
    """A classifier of positive against negative events of one sample, evaluated on events that it has not seen.

    Attributes:
        sample: its name.
        auc: of positive against negative events, \\|w\\|-weighted, on events that the classifiers have not seen; ½ says
            that nothing was found. A lower bound of what the best classifier could do.
        p_value: probability of so large an AUC by chance; NaN where it cannot be tested.
        importance: by how much the AUC falls when the values of a feature are permuted, largest first.
        blocks: the blocks tested, in order; the first block only trains.
        used: how many events were used.
        seen: of how many.
        p_adjusted: the p-value after the correction for the tests made beside this one; NaN where there are none.
    """

    sample: str
    auc: Estimate
    p_value: float
    importance: dict[str, Estimate]
    blocks: tuple[ScoredBlock, ...]
    used: int
    seen: int
    p_adjusted: float = math.nan

    def __repr__(self) -> str:
        return f"MultivariateShape({self.sample!r}: AUC {self.auc}, p {self.p_value:.3g}, {self.used} events)"

    def _repr_html_(self) -> str:
        caption = f"{self.sample}: AUC of the sign {self.auc}, p = {self.p_value:.2g}"
        return html_table(("feature", "AUC carried"), self.importance.items(), caption)

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain numbers and lists."""
        ready: dict[str, Any] = json_ready(
            {
                "auc": self.auc.value,
                "auc_error": self.auc.error,
                "p_value": self.p_value,
                "p_adjusted": self.p_adjusted,
                "importance": {name: part.to_dict() for name, part in self.importance.items()},
                "blocks": [
                    {
                        "trained_on": block.trained_on,
                        "tested_on": block.tested_on,
                        "auc": block.auc.to_dict(),
                        "p_value": block.p_value,
                    }
                    for block in self.blocks
                ],
                "used": self.used,
                "seen": self.seen,
            }
        )
        return ready


def check_multivariate(
    events: EventTable,
    *,
    most: int = MULTIVARIATE_EVENTS,
    seed: int = 1,
    learner: Learner | None = None,
    progress: Progress = SILENT,
) -> dict[str, MultivariateShape]:
    """Test for every sample whether a classifier can predict the sign of the weight from the features.

    Args:
        events: the events of all samples.
        most: events used of each sample.
        seed: of the subsample, the networks and the permutations.
        learner: trains a classifier of the sign; left out, a small network.
        progress: shows a bar for each sample.

    Returns:
        The outcome by sample.

    Warns:
        HepnegWarning: a sample has fewer than 20 events of a sign and cannot be tested.
    """
    found = {}
    with progress:
        for name in events.sample_names:
            table = events.of_sample(name)
            kept = SubsampleAccumulator(most, seed)
            kept.fill(table.features, table.weight, table.observation_id)
            found[name] = check_multivariate_subsample(
                kept.result(), events.feature_names, sample=name, most=most, seed=seed, learner=learner,
                progress=progress,
            )  # fmt: skip
    return found


def check_multivariate_subsample(
    subsample: Subsample,
    feature_names: Sequence[str],
    *,
    sample: str,
    most: int = MULTIVARIATE_EVENTS,
    seed: int = 1,
    learner: Learner | None = None,
    progress: Progress = SILENT,
) -> MultivariateShape:
    """Test whether a classifier can predict the sign of the weight from x.

    Args:
        subsample: events in the order of the hashes of their identifiers; the first ``most`` are used.
        feature_names: F names.
        sample: name of the sample.
        most: events used.
        seed: of the classifiers and the permutations.
        learner: trains a classifier of the sign; left out, a small network.
        progress: shows a bar.

    The features enter by their ranks (as normal scores), so tails and padding values are harmless. Training and test
    are arranged as :mod:`hepneg.shapes.shape_tests.forward_crossfit` says, in five blocks, so the p-value is valid at
    any size and for any learner where the sign is independent of (x, \\|w\\|), or x of (sign, \\|w\\|). Rows with one
    identifier count together. The AUC is the mean over the blocks, weighted with the inverse variances under no
    difference.

    Warns:
        HepnegWarning: there are fewer than 20 events of a sign: AUC and p-value are NaN.
    """
    drawn = subsample.first(most)
    kept = drawn.weight != 0
    features, weight = drawn.features[kept], drawn.weight[kept]
    cluster = None if drawn.cluster is None else drawn.cluster[kept]
    negative = weight < 0
    if min(np.count_nonzero(negative), np.count_nonzero(~negative)) < LEAST_EVENTS:
        warnings.warn(
            f"sample {sample!r} has fewer than {LEAST_EVENTS} events of a sign: no multivariate check", HepnegWarning,
            stacklevel=2,
        )  # fmt: skip
        return MultivariateShape(sample, _UNDEFINED, math.nan, {}, (), len(weight), subsample.seen)
    trial = _Trial(normal_scores(features), weight, cluster, learner or _network_learner(), seed)
    task = progress.task(f"sign of {sample} from x", _BLOCKS - 1)
    blocks, drops, share, tails = [], [], [], []
    for start, stop in block_bounds(len(weight), _BLOCKS, cluster)[1:]:
        block, drop, p_values = trial.block(start, stop)
        blocks.append(block)
        tails.append(p_values)
        drops.append(drop)
        share.append(trial.information(start, stop))
        task.advance()
    weights = np.array(share) / np.sum(share)
    means = {name: _mean([drop[i] for drop in drops], weights) for i, name in enumerate(feature_names)}
    importance = dict(sorted(means.items(), key=lambda item: -item[1].value))
    auc = _mean([block.auc for block in blocks], weights)
    p_value = max(combine(tail) for tail in zip(*tails, strict=True))  # valid where that of either null is
    return MultivariateShape(sample, auc, p_value, importance, tuple(blocks), len(weight), subsample.seen)


_UNDEFINED = Estimate(math.nan, math.nan)


def normal_scores(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Replace each column by the normal quantile of its ranks, ties in their middle; (n, F)."""
    from scipy.special import ndtri

    scores = np.empty(features.shape, np.float32, order="F")
    for i, column in enumerate(features.T):
        _, place, count = np.unique(column, return_inverse=True, return_counts=True)
        middle = np.cumsum(count) - 0.5 * count
        scores[:, i] = ndtri(middle / len(column))[place]
    return scores


def _network_learner() -> Learner:
    from hepneg.shapes.shape_tests.sign_classifier import learn_sign

    return learn_sign


def _mean(parts: Sequence[Estimate], weights: Floats) -> Estimate:
    value, error = np.array([(part.value, part.error) for part in parts]).T
    return Estimate(float(weights @ value), float(np.sqrt(np.sum((weights * error) ** 2))))


@dataclass(frozen=True, eq=False, slots=True)
class _Trial:
    """The events of one check, and who learns from them."""

    features: NDArray[np.float32]
    weight: Floats
    cluster: NDArray[np.intp] | None
    learner: Learner
    seed: int

    @property
    def negative(self) -> NDArray[np.bool_]:
        return self.weight < 0

    @property
    def magnitude(self) -> Floats:
        return np.abs(self.weight)

    def information(self, start: int, stop: int) -> float:
        """Return the inverse variance of a block's AUC under no difference, up to a constant; 0 without both signs."""
        inverse = 0.0
        for sign in (self.negative[start:stop], ~self.negative[start:stop]):
            size = self.magnitude[start:stop][sign]
            if not len(size):
                return 0.0
            inverse += float(np.sum(size**2) / np.sum(size) ** 2)
        return 1.0 / inverse

    def block(self, start: int, stop: int) -> tuple[ScoredBlock, list[Estimate], tuple[float, float]]:
        """Train on what comes before the block, test on it, and measure the importance of each feature there.

        The two p-values are of permuted signs and of permuted weights.
        """
        score = self._learnt(start)
        x, positive, size = self.features[start:stop], ~self.negative[start:stop], self.magnitude[start:stop]
        rng = np.random.default_rng([abs(self.seed), start])
        scores = np.asarray(score(x), np.float64)
        cluster = None if self.cluster is None else self.cluster[start:stop]
        p_values = sign_permutation_p_values(scores, self.weight[start:stop], rng, cluster=cluster)
        try:
            base = auc_of(ScoredEvents(scores, positive.astype(np.int8), size, cluster))
        except DataError:  # a sign is missing in a small block: it has no say
            chance = Estimate(0.5, 0.0)
            return ScoredBlock(start, stop - start, chance, 0.5), [Estimate(0.0, 0.0)] * x.shape[1], (0.5, 0.5)
        low = self._low_sign(scores, start, size)
        drops = [self._drop(score, x, column, positive, size, base, rng) for column in range(x.shape[1])]
        return ScoredBlock(start, stop - start, base.estimate(), max(p_values), low), drops, p_values

    def _low_sign(self, scores: Floats, start: int, size: Floats) -> float:
        """Return the share of a block with a low local mean sign, as the events before it teach."""
        positive, negative = (
            float(self.magnitude[:start][mask[:start]].sum()) for mask in (~self.negative, self.negative)
        )
        if not min(positive, negative) > 0:
            return 0.0
        sign = np.tanh(0.5 * (scores + math.log(positive / negative)))
        return float(size[sign < _LOW_SIGN].sum() / size.sum())

    def _learnt(self, start: int) -> Callable[[NDArray[np.float32]], NDArray[np.floating]]:
        """Train on the events before a block; without both signs among them there is nothing to learn."""
        negative = self.negative[:start]
        if negative.all() or not negative.any():
            return lambda x: np.zeros(len(x))
        return self.learner(self.features[:start], negative, self.magnitude[:start], self.seed + start)

    @staticmethod
    def _drop(
        score: Any, x: NDArray[np.float32], column: int, positive: NDArray[np.bool_], size: Floats, base: Influence,
        rng: np.random.Generator,
    ) -> Estimate:  # fmt: skip
        return importance_influence(score, x, column, positive, size, base, auc_influence, _REPEATS, rng).estimate()

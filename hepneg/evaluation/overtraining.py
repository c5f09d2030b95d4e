"""The test of overtraining: held-out against trained response, on events that the two do not share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import hist
import numpy as np

from hepneg._core.arrays import BoolArray, FloatArray
from hepneg._core.log_odds import sigmoid
from hepneg.errors import DataError
from hepneg.evaluation.histograms import histogram_dict, project, response_axis, signed_histogram
from hepneg.evaluation.per_sample import SampleWeights
from hepneg.events import LABELS
from hepneg.metrics.class_scores import ClassScores
from hepneg.metrics.class_separation import against_rest
from hepneg.metrics.ks import KSTest, ks_two_sample_of
from hepneg.metrics.scored import ScoredEvents
from hepneg.shapes.shape_tests.holm import weighted_holm

__all__ = ["NodeOvertraining", "Overtraining", "node_overtraining", "overtraining"]

MAX_TEST_EVENTS = 200_000
"""Events of a label in the test; of more, a hash of the identifier picks so many."""

Histogram: TypeAlias = "hist.Hist[Any]"


@dataclass(frozen=True, eq=False, slots=True)
class Overtraining:
    """Held-out against trained response of one label, on two disjoint halves of its events.

    Attributes:
        test: two-sample KS test of the halves; NaN where a half's weights do not sum to a positive number.
        held_out: response of one half, by networks that have not seen those events.
        trained: response of the other half, by networks that were trained on those events.
    """

    test: KSTest
    held_out: Histogram
    trained: Histogram

    def to_dict(self) -> dict[str, Any]:
        """Return the test and both histograms as dictionaries of lists."""
        return {
            **self.test.to_dict(),
            "held_out": histogram_dict(self.held_out),
            "trained": histogram_dict(self.trained),
        }


@dataclass(frozen=True, eq=False, slots=True)
class NodeOvertraining:
    """Held-out against trained response of one of K classes, of its own events and of those of all other classes.

    Both tests are made of each node, 2K in all; adjusted p-values are those of Holm's correction for their number.

    Attributes:
        own: of the events of the class.
        others: of the events of all other classes, which share their weight equally.
        own_p_adjusted: adjusted p-value of ``own``; NaN where there is none.
        others_p_adjusted: likewise of ``others``.
    """

    own: Overtraining
    others: Overtraining
    own_p_adjusted: float
    others_p_adjusted: float

    def to_dict(self) -> dict[str, Any]:
        """Return both tests with their histograms, ``p_adjusted`` among them."""
        return {
            "own": {**self.own.to_dict(), "p_adjusted": self.own_p_adjusted},
            "others": {**self.others.to_dict(), "p_adjusted": self.others_p_adjusted},
        }


def node_overtraining(
    held_out: ClassScores, trained: ClassScores, weights: SampleWeights, half: FloatArray, *, bins: int, seed: int
) -> dict[str, NodeOvertraining]:
    """Test the response of each class against all others, for its own events and for theirs.

    Args:
        held_out: n events with probabilities by networks that have not seen them.
        trained: the same events with probabilities by networks that were trained on them.
        weights, half, bins, seed: as for :func:`overtraining`.
    """
    nodes = {}
    for code, name in enumerate(held_out.classes):
        one, other = against_rest(held_out, code), against_rest(trained, code)
        shared = replace(weights, weight=one.weight)
        nodes[name] = overtraining(one, other, shared, half, bins=bins, seed=seed)
    tests = [(name, label) for name in nodes for label in ("signal", "background")]
    p_values = [nodes[name][label].test.p_value for name, label in tests]
    adjusted = dict(zip(tests, _adjusted(p_values), strict=True))
    return {
        name: NodeOvertraining(
            both["signal"], both["background"], adjusted[name, "signal"], adjusted[name, "background"]
        )
        for name, both in nodes.items()
    }


def _adjusted(p_values: list[float]) -> list[float]:
    """Correct those that are there for their number."""
    there = [number for number, p_value in enumerate(p_values) if np.isfinite(p_value)]
    found = [float("nan")] * len(p_values)
    for number, p_value in zip(there, weighted_holm([p_values[number] for number in there]), strict=True):
        found[number] = p_value
    return found


def overtraining(
    held_out: ScoredEvents, trained: ScoredEvents, weights: SampleWeights, half: FloatArray, *, bins: int, seed: int
) -> dict[str, Overtraining]:
    """Test each label on two halves that share no event: the same events under both responses are not independent.

    Args:
        held_out: n events with log-odds by networks that have not seen them.
        trained: the same events with log-odds by networks that were trained on them.
        weights: theirs, by sample.
        half: (n,) uniform in [0, 1), the same for rows of one event: below ½ is the first half of the events.
        bins: of the histograms.
        seed: of the permutations.
    """
    return {
        name: _of_label(held_out, trained, weights, held_out.code == code, half, bins, seed)
        for name, code in LABELS.items()
    }


def _of_label(
    held_out: ScoredEvents,
    trained: ScoredEvents,
    weights: SampleWeights,
    own: BoolArray,
    half: FloatArray,
    bins: int,
    seed: int,
) -> Overtraining:
    first, second = own & (half < 0.5), own & (half >= 0.5)
    share = min(1.0, MAX_TEST_EVENTS / max(1, int(np.count_nonzero(own))))
    tested = (held_out.select(first & (half < 0.5 * share)), trained.select(second & (half < 0.5 + 0.5 * share)))
    try:
        test = ks_two_sample_of(*tested, seed=seed)
    except DataError:
        test = KSTest(float("nan"), float("nan"), 0)
    shown = (_histogram(logit.score, weights, part, bins) for logit, part in ((held_out, first), (trained, second)))
    return Overtraining(test, *shown)


def _histogram(logit: FloatArray, weights: SampleWeights, part: BoolArray, bins: int) -> Histogram:
    return project(signed_histogram(sigmoid(logit[part]), weights.select(part), response_axis(bins)))

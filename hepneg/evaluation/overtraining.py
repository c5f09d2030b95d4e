"""The test of overtraining: held-out against trained response, on events that the two do not share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import hist
import numpy as np

from hepneg._core.arrays import BoolArray, FloatArray
from hepneg._core.log_odds import sigmoid
from hepneg.errors import DataError
from hepneg.evaluation.histograms import histogram_dict, project, response_axis, signed_histogram
from hepneg.evaluation.per_sample import SampleWeights
from hepneg.events import LABELS
from hepneg.metrics.ks import KSTest, ks_two_sample_of
from hepneg.metrics.scored import ScoredEvents

__all__ = ["Overtraining", "overtraining"]

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

"""The events whose learnt local mean sign is below zero: tested where networks have not seen them, and as cuts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepneg._core.json_values import json_object
from hepneg.binning.negative_intervals import SIGNIFICANCE
from hepneg.events import EventTable
from hepneg.metrics.negative_share import NegativeShare, negative_share
from hepneg.shapes.negative.cut_tree import tree_cuts
from hepneg.shapes.negative.pair_cells import Cut, NegativeBox, box_of, events_inside
from hepneg.shapes.shape_tests.forward_crossfit import Learner, block_bounds

__all__ = ["LearntRegion", "learnt_region", "out_of_fold_sign"]

FOLDS = 5
_MEMBERS = 2
_LIMIT = 0.5 * math.erfc(SIGNIFICANCE / math.sqrt(2.0))

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class LearntRegion:
    """Where networks take the density of a sample for negative, and whether it is.

    Attributes:
        selected: the events with ĝ < 0, their share of Σ|w| and their Σw.
        boxes: cuts of a shallow tree that describe them, largest first. They were found with one half of the events,
            in which their Σw is below zero; ``confirmed`` is the Σw of the other.
    """

    selected: NegativeShare
    boxes: tuple[NegativeBox, ...]

    @property
    def significant(self) -> bool:
        """Whether Σw is as far below zero as three standard deviations are."""
        return self.selected.p_value <= _LIMIT

    @property
    def where(self) -> str:
        """The cuts, readable."""
        return " or ".join(f"({box.where})" for box in self.boxes) or "no simple cuts"

    def __str__(self) -> str:
        return f"ĝ < 0 in {self.selected}; {self.where}"

    def to_dict(self) -> dict[str, Any]:
        """Return the region as plain numbers."""
        content = {"where": self.where, **self.selected.to_dict(), "boxes": self.boxes}
        del content["sum_weights_error"]
        return json_object({**content, "sum_weights": self.selected.sum_weights})


def learnt_region(events: EventTable, sign: Floats, *, folds: int = FOLDS) -> LearntRegion:
    """Test the events that networks take for negative, and describe them.

    Args:
        events: n events of one sample.
        sign: ĝ of each by networks that have not seen it, (n,), without any floor.
        folds: of the networks.
    """
    cluster, weight = events.clusters(), events.weight
    chosen = (sign < 0) & (weight != 0)
    first = (np.arange(len(weight)) if cluster is None else cluster) % 2 == 0
    leaves = tree_cuts(events.features[first], chosen[first], np.abs(weight[first]))
    cuts = [tuple(Cut(events.feature_names[i], *bounds) for i, bounds in sorted(leaf.items())) for leaf in leaves]
    negative = [each for each in cuts if weight[first & events_inside(events, each)].sum() < 0]
    boxes = tuple(box_of(events, each, ~first, cluster) for each in negative)
    return LearntRegion(negative_share(weight, chosen, cluster, folds=folds), boxes)


def out_of_fold_sign(
    features: NDArray[np.float32],
    weight: Floats,
    learner: Learner,
    *,
    cluster: NDArray[np.intp] | None = None,
    seed: int = 1,
) -> Floats:
    """Learn the local mean sign ĝ of events by five-fold cross-validation, (n,).

    Args:
        features: (n, F), of similar spread in every column, events in random order, rows of one event together.
        weight: (n,) signed, none 0.
        learner: trains a classifier of the sign, the two signs balanced.
        cluster: (n,) the event of each row.
        seed: of the classifiers.
    """
    negative, size, found = weight < 0, np.abs(weight), np.ones(len(weight))
    for start, stop in block_bounds(len(weight), FOLDS, cluster):
        seen = np.ones(len(weight), dtype=bool)
        seen[start:stop] = False
        sums = [float(size[seen & mask].sum()) for mask in (~negative, negative)]
        if min(sums) > 0:
            prior = math.log(sums[0] / sums[1])
            scores = (
                learner(features[seen], negative[seen], size[seen], seed + start + 7919 * member)(features[start:stop])
                for member in range(_MEMBERS)
            )
            found[start:stop] = np.mean([np.tanh(0.5 * (np.asarray(s, np.float64) + prior)) for s in scores], axis=0)
    return found

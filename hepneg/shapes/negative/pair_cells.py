"""Where the signed density of several features is below zero, as readable cuts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepneg._core.estimate import Estimate
from hepneg._core.hashing import uniform_events
from hepneg._core.output import json_ready
from hepneg.binning.negative_intervals import SIGNIFICANCE, interval_text
from hepneg.events import EventTable, cluster_sums, clusters
from hepneg.shapes.negative.boxes import CODES, Box, candidate_boxes, significance_of

__all__ = ["Cut", "NegativeBox", "box_of", "events_inside", "negative_boxes"]

_MOST_BOXES = 8
_LEAST_EFFECTIVE = 10.0
_MOST_SEARCHED = 500_000
_PLANNED_FROM = 100_000
_LIMIT = 0.5 * math.erfc(SIGNIFICANCE / math.sqrt(2.0))

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cut:
    """An interval of one feature, low ≤ x < high; −inf or inf where nothing bounds it."""

    feature: str
    low: float
    high: float

    def __str__(self) -> str:
        return interval_text(self.feature, self.low, self.high)


@dataclass(frozen=True, slots=True)
class NegativeBox:
    """A box of feature space in which Σw is significantly below zero.

    Attributes:
        cuts: the conditions, all of which hold inside.
        entries: events inside, of all events.
        sum_weights: Σw ± √Σw² of all events inside. Those that the box was found with make it a little too low.
        confirmed: the same of the other events, outside the boxes found before, without that bias.
        significance: Σw/√Σw² of those other events, negative.
        p_value: probability of so low a value in any of the boxes tested, were the density zero there.
    """

    cuts: tuple[Cut, ...]
    entries: int
    sum_weights: Estimate
    confirmed: Estimate
    significance: float
    p_value: float

    @property
    def where(self) -> str:
        """The cuts, readable."""
        return " and ".join(map(str, self.cuts)) or "everywhere"

    def __str__(self) -> str:
        return f"{self.where}: Σw = {self.sum_weights} ({self.significance:.1f} σ in events not used to find it)"

    def to_dict(self) -> dict[str, Any]:
        """Return the box as plain numbers; open ends are null."""
        ready: dict[str, Any] = json_ready(
            {
                "where": self.where,
                "cuts": [{"feature": cut.feature, "low": cut.low, "high": cut.high} for cut in self.cuts],
                "entries": self.entries,
                "sum_weights": self.sum_weights.to_dict(),
                "confirmed": self.confirmed.to_dict(),
                "significance": self.significance,
                "p_value": self.p_value,
            }
        )
        return ready


def negative_boxes(events: EventTable, *, most: int = _MOST_BOXES, seed: int = 1) -> tuple[NegativeBox, ...]:
    """Find boxes of the feature space in which the signed density is significantly negative.

    Args:
        events: of one sample.
        most: how many boxes to look for.
        seed: of the parts.

    Returns:
        The significant boxes, most significant first, described by cuts on as few features as they need.

    Boxes are searched for in one half of the events (by a hash of the identifiers; of more than 10⁶ events, in half a
    million) and tested in the others, so the search itself cannot make one significant. A box counts if Σw/√Σw² of the
    others is so low that the probability to find that in any of the boxes tested is below the one of −3 standard
    deviations (Bonferroni). Events of a box are left out of those found after it. The normal approximation of Σw/√Σw²
    needs the ten effective events that are asked for.

    Rows with one identifier (candidates of one event) are in the same half, and add up before Σw² is taken.

    Regions of less than a few hundred events, or negative only jointly in features that show nothing one by one (a
    chessboard), may be missed.
    """
    chosen = uniform_events(events.observation_id, seed, "negative boxes") < min(
        0.5, _MOST_SEARCHED / max(1, len(events))
    )
    if not chosen.any():
        return ()
    searched = events.features.T[:, chosen]
    edges = [_quantile_edges(column) for column in searched]
    codes = np.array([np.searchsorted(edge, x, side="right") for edge, x in zip(edges, searched, strict=True)])
    candidates = candidate_boxes(codes, events.weight[chosen], most)
    found = [_cuts(box, edges, events.feature_names) for box in candidates]
    free, boxes, cluster = ~chosen, [], clusters(events.observation_id)
    for cuts in found:
        box = box_of(events, cuts, free, cluster, tests=len(found))
        if box.p_value <= _LIMIT:
            boxes.append(box)
        free &= ~events_inside(events, cuts)
    return tuple(sorted(boxes, key=lambda one: one.significance))


def _quantile_edges(column: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return at most 255 increasing inner edges, each a value of the column but the lowest."""
    values = np.quantile(column[:_PLANNED_FROM], np.arange(1, CODES) / CODES, method="inverted_cdf")
    return np.unique(values[values > column.min()]).astype(np.float32)


def _cuts(box: Box, edges: list[NDArray[np.float32]], names: tuple[str, ...]) -> tuple[Cut, ...]:
    cuts = []
    for name, edge, first, last in zip(names, edges, box.low, box.high, strict=True):
        low = float(edge[first - 1]) if first > 0 else -math.inf
        high = float(edge[last]) if last < len(edge) else math.inf
        if math.isfinite(low) or math.isfinite(high):
            cuts.append(Cut(name, low, high))
    return tuple(cuts)


def events_inside(events: EventTable, cuts: tuple[Cut, ...]) -> NDArray[np.bool_]:
    """Mark the events, (n,), that pass all cuts."""
    kept = np.ones(len(events), np.bool_)
    for cut in cuts:
        column = events.feature(cut.feature)
        kept &= (column >= cut.low) & (column < cut.high)
    return kept


def box_of(
    events: EventTable,
    cuts: tuple[Cut, ...],
    free: NDArray[np.bool_],
    cluster: NDArray[np.intp] | None,
    *,
    tests: int = 1,
) -> NegativeBox:
    """Measure the events that pass cuts.

    Args:
        events: n events of one sample.
        cuts: all of them hold inside.
        free: (n,) the events that the cuts were not found with.
        cluster: (n,) the event of each row; None where each row is an event of its own.
        tests: boxes that are tested, for the p-value.
    """
    from scipy.special import ndtr

    members = events_inside(events, cuts)
    every, tested = (
        sums[sums != 0]
        for sums in (cluster_sums(np.where(mask, events.weight, 0.0), cluster) for mask in (members, members & free))
    )
    enough = float(np.abs(tested).sum()) ** 2 >= _LEAST_EFFECTIVE * float(tested @ tested)
    significance = significance_of(tested) if enough else 0.0
    p_value = min(1.0, tests * float(ndtr(significance)))
    return NegativeBox(cuts, int(np.count_nonzero(members)), _sum(every), _sum(tested), significance, p_value)


def _sum(weight: Floats) -> Estimate:
    return Estimate(float(weight.sum()), math.sqrt(float(weight @ weight)))

"""Where the signed density of a sample is below zero: intervals of one feature, and boxes of several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hepneg.binning.bin_plan import plan_bins
from hepneg.binning.binned_sums import SignedSums
from hepneg.binning.negative_intervals import NegativeRegion, significant_regions
from hepneg.events import EventTable
from hepneg.shapes.negative.learnt_region import LearntRegion
from hepneg.shapes.negative.pair_cells import NegativeBox, events_inside, negative_boxes

__all__ = ["NegativeDensity", "further_boxes", "negative_density"]


@dataclass(frozen=True, eq=False, slots=True)
class NegativeDensity:
    """The regions of one sample where Σw is significantly below zero.

    Attributes:
        intervals: of one feature, most significant first.
        boxes: cuts on several features that the intervals do not explain, most significant first.
        share: of Σ|w| that lies in any of them.
        learnt: the events with a learnt local mean sign below zero, where there are any.
    """

    intervals: tuple[NegativeRegion, ...]
    boxes: tuple[NegativeBox, ...]
    share: float
    learnt: LearntRegion | None = None

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __iter__(self) -> Iterator[NegativeRegion | NegativeBox | LearntRegion]:
        yield from self.intervals
        yield from self.boxes
        if self.learnt is not None and self.learnt.significant:
            yield self.learnt

    def to_dict(self) -> dict[str, Any]:
        """Return the regions as plain numbers."""
        return {
            "intervals": [one.to_dict() for one in self.intervals],
            "boxes": [one.to_dict() for one in self.boxes],
            "share": self.share,
            "learnt": self.learnt.to_dict() if self.learnt else None,
        }


def negative_density(events: EventTable, *, seed: int = 1) -> NegativeDensity:
    """Find where the density of one sample is significantly negative.

    Args:
        events: of one sample.
        seed: of the halves in which boxes are searched for and tested.

    Limits of validity: those of :func:`hepneg.binning.negative_intervals.significant_regions` and
    :func:`hepneg.shapes.negative.pair_cells.negative_boxes`; each names a region by chance in 0.13 % of the samples at
    most.
    """
    if not len(events):
        return NegativeDensity((), (), 0.0)
    sums = SignedSums(plan_bins([events.features], events.feature_names))
    sums.fill(events.features, events.weight)
    intervals = significant_regions(sums.result())
    boxes = further_boxes(events, intervals, seed=seed) if len(events.feature_names) > 1 else ()
    return NegativeDensity(intervals, boxes, _share(events, intervals, boxes))


def further_boxes(events: EventTable, intervals: Sequence[NegativeRegion], *, seed: int) -> tuple[NegativeBox, ...]:
    """Return the negative boxes most of whose events lie outside the intervals that are known to be negative."""
    known = _inside_any(events, intervals)
    boxes = negative_boxes(events, seed=seed)
    inside = [events_inside(events, box.cuts) for box in boxes]
    return tuple(
        box
        for box, members in zip(boxes, inside, strict=True)
        if 2 * np.count_nonzero(known & members) <= np.count_nonzero(members)
    )


def _inside_any(events: EventTable, intervals: Sequence[NegativeRegion]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    covered = np.zeros(len(events), np.bool_)
    for interval in intervals:
        column = events.feature(interval.feature)
        covered |= (column >= interval.low) & (column < interval.high)
    return covered


def _share(events: EventTable, intervals: Sequence[NegativeRegion], boxes: Sequence[NegativeBox]) -> float:
    covered, size = _inside_any(events, intervals), np.abs(events.weight)
    for box in boxes:
        covered |= events_inside(events, box.cuts)
    return float(size[covered].sum() / size.sum()) if size.any() else 0.0

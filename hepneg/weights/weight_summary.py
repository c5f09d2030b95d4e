"""The weight summary of one sample or one label."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from hepneg._core.formatting import count, estimate, percent
from hepneg._core.json_values import json_object
from hepneg.binning.negative_intervals import NegativeRegion, negative_runs
from hepneg.weights.accumulator import WeightAccumulator
from hepneg.weights.batch_risk import batch_risk
from hepneg.weights.spectrum import WeightSpectrum

__all__ = ["WeightSummary", "summarize"]

# The ten largest weights of a well-behaved sample carry next to nothing of Σ|w|.
_OUTLIER_SHARE = 0.05
_OUTLIER_RATIO = 20.0
_NAMED_REGIONS = 10


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class WeightSummary:
    """Sums over the weights of one sample or label.

    Attributes:
        name: of the sample or label.
        entries: events before the selection.
        selected: events that passed it.
        sum_weights: Σw.
        error: √Σw², the uncertainty of Σw.
        sum_abs_weights: Σ|w|.
        negative_fraction: f = Σ|w|(w<0)/Σ|w|.
        negative_fraction_counted: n(w<0)/n.
        n_eff: (Σw)²/Σw², the number of unsigned, equally weighted events with the same relative uncertainty, if all
            rows are independent.
        n_eff_events: the same with Σw² over the events, (Σw)²/Σ(Σw of the rows of an event)²: rows that share an
            `event_id` (candidates) fluctuate together. Equal to ``n_eff`` without such rows; of more than 100 000 rows
            estimated.
        dilution: (1 − 2f)².
        largest: up to ten signed weights, largest |w| first.
        largest_share_abs: their part of Σ|w|.
        largest_share: their part of Σw; NaN where Σw = 0.
        outliers: whether a handful of weights carries the sample: the ten largest hold over 5 % of Σ|w| while the
            largest is over 20 times the mean |w|.
        negative_regions: runs of bins of a feature with Σw < 0, most significant first, at most ten.
        spectrum: distribution of |w| by sign.
        mean_powers: means of w, w² and w³ over the selected events.
        magnitudes: smallest and largest |w|.
    """

    name: str
    entries: int
    selected: int
    sum_weights: float
    error: float
    sum_abs_weights: float
    negative_fraction: float
    negative_fraction_counted: float
    n_eff: float
    n_eff_events: float
    dilution: float
    largest: tuple[float, ...]
    largest_share_abs: float
    largest_share: float
    outliers: bool
    negative_regions: tuple[NegativeRegion, ...]
    spectrum: WeightSpectrum
    mean_powers: tuple[float, float, float]
    magnitudes: tuple[float, float]

    @property
    def sum_weights_error(self) -> float:
        """√Σw², the uncertainty of Σw."""
        return self.error

    def __repr__(self) -> str:
        total, share = estimate(self.sum_weights, self.error), percent(self.negative_fraction)
        return (
            f"WeightSummary({self.name!r}: {self.selected} of {self.entries} entries, Σw {total}, f {share}, "
            f"n_eff {count(self.n_eff)})"
        )

    @property
    def outlier_sentence(self) -> str:
        """Which share of Σ|w| the largest weights have and what to do about it; empty without outliers."""
        if not self.outliers:
            return ""
        share, number = abs(self.largest[0]) / self.sum_abs_weights, len(self.largest)
        others = f", and the {number} largest are {self.largest_share_abs:.1%}" if number > 1 else ""
        return (
            f"Outliers in {self.name}: the largest weight, {self.largest[0]:.6g}, is {share:.1%} of Σ|w|{others}; "
            "check these events, and leave them out by `selection:` if they are wrong, or generate more events"
        )

    def batch_risk(self, batch_size: int, share: float = 1.0) -> float:
        """Return the probability that these events have Σw ≤ 0 in a random batch.

        Args:
            batch_size: events in a batch.
            share: counted share of these events among all that batches are drawn from.

        See :func:`hepneg.weights.batch_risk.batch_risk` for the model.
        """
        positive = 1.0 - self.negative_fraction_counted
        return batch_risk(batch_size, share, positive, self.mean_powers, self.magnitudes)

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain numbers and lists."""
        return json_object(
            {
                "entries": self.entries,
                "selected": self.selected,
                "sum_weights": self.sum_weights,
                "sum_weights_error": self.error,
                "sum_abs_weights": self.sum_abs_weights,
                "negative_fraction": self.negative_fraction,
                "negative_fraction_counted": self.negative_fraction_counted,
                "n_eff": self.n_eff,
                "n_eff_events": self.n_eff_events,
                "dilution": self.dilution,
                "largest_weights": self.largest,
                "largest_share_abs": self.largest_share_abs,
                "largest_share": self.largest_share,
                "outliers": self.outliers,
                "negative_regions": self.negative_regions,
                "spectrum": self.spectrum,
            }
        )


def summarize(name: str, accumulator: WeightAccumulator, clustering: float = 1.0) -> WeightSummary:
    """Turn the sums of a sample or label into figures; scale the accumulator first where weights are raw.

    Args:
        name: of the sample or label.
        accumulator: its sums.
        clustering: Σ(Σw)² over the events by Σw² of the rows.
    """
    sums = accumulator.power_sums
    selected = accumulator.selected
    sum_weights, sum_abs = float(sums[0, 0] - sums[1, 0]), float(sums[:, 0].sum())
    square, cube = float(sums[:, 1].sum()), float(sums[0, 2] - sums[1, 2])
    fraction = _over(float(sums[1, 0]), sum_abs)
    largest = accumulator.largest
    share_abs = _over(float(np.abs(largest).sum()), sum_abs)
    high = accumulator.range[1]
    return WeightSummary(
        name=name,
        entries=accumulator.entries,
        selected=selected,
        sum_weights=sum_weights,
        error=math.sqrt(square),
        sum_abs_weights=sum_abs,
        negative_fraction=fraction,
        negative_fraction_counted=_over(accumulator.negative, selected),
        n_eff=_over(sum_weights**2, square),
        n_eff_events=_over(sum_weights**2, square * clustering),
        dilution=(1.0 - 2.0 * fraction) ** 2,
        largest=tuple(float(weight) for weight in largest),
        largest_share_abs=share_abs,
        largest_share=_over(float(largest.sum()), sum_weights),
        outliers=share_abs > _OUTLIER_SHARE and high * selected > _OUTLIER_RATIO * sum_abs,
        negative_regions=_regions(accumulator),
        spectrum=WeightSpectrum.from_cells(accumulator.spectrum),
        mean_powers=(_over(sum_weights, selected), _over(square, selected), _over(cube, selected)),
        magnitudes=accumulator.range,
    )


def _regions(accumulator: WeightAccumulator) -> tuple[NegativeRegion, ...]:
    if accumulator.sums is None:
        return ()
    regions = [region for bins in accumulator.sums.result() for region in negative_runs(bins)]
    return tuple(sorted(regions, key=lambda region: region.significance)[:_NAMED_REGIONS])


def _over(part: float, whole: float) -> float:
    return part / whole if whole else math.nan

"""One quantity of all samples in the same bins, with data beside it: what a stack shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import hist
import numpy as np
from numpy.typing import ArrayLike

from hepneg._core.arrays import BoolArray, FloatArray
from hepneg._core.json_values import json_ready
from hepneg.config.systematic_settings import stem_and_side
from hepneg.errors import DataError
from hepneg.evaluation.classification import Evaluation
from hepneg.evaluation.histograms import BinRatio, bin_errors, histogram_dict, project, signed_histogram
from hepneg.evaluation.per_sample import SampleWeights
from hepneg.events import EventTable
from hepneg.metrics.garwood import garwood_interval
from hepneg.metrics.scored import column_of

__all__ = ["Stack", "make_stack"]

Histogram: TypeAlias = "hist.Hist[Any]"


@dataclass(frozen=True, eq=False, slots=True)
class Stack:
    """Σw and √Σw² of one quantity for every sample, and the counts of data, in the same bins.

    Attributes:
        quantity: its name.
        samples: one-dimensional histogram with ``Weight()`` storage of each simulated sample.
        labels: of each.
        data: counts, with ``Weight()`` storage; None without data. Blinded events are not in it.
        hidden: (bins,) true where data are blinded.
        left_out: the condition under which events of data and simulation are left out, as blinding by another quantity
            asks; empty for none.
        systematics: V names of systematic variations.
        varied: Σw of each sample under each of them, (V, bins).
        region: name of the part of the analysis that it is in; empty for all of it.
    """

    quantity: str
    samples: Mapping[str, Histogram]
    labels: Mapping[str, str]
    data: Histogram | None = None
    hidden: BoolArray = field(default_factory=lambda: np.zeros(0, bool))
    left_out: str = ""
    systematics: tuple[str, ...] = ()
    varied: Mapping[str, FloatArray] = field(default_factory=dict)
    region: str = ""

    @classmethod
    def of_evaluation(cls, evaluation: Evaluation) -> Stack:
        """Return the response of the simulated samples as it was evaluated."""
        samples = {row.sample: project(evaluation.response, row.sample) for row in evaluation.samples}
        return cls("response", samples, {row.sample: row.label for row in evaluation.samples})

    @property
    def edges(self) -> FloatArray:
        """Edges of the bins, (bins + 1,)."""
        return np.asarray(next(iter(self.samples.values())).axes[0].edges, np.float64)

    def of_label(self, label: str) -> tuple[str, ...]:
        """Return the samples of a label, in order."""
        return tuple(name for name in self.samples if self.labels[name] == label)

    def total(self, *names: str) -> Histogram:
        """Return the sum of some samples, of all where none are named."""
        first, *others = (self.samples[name] for name in names or self.samples)
        return sum(others, start=first.copy())

    def band(self, *names: str) -> tuple[FloatArray, FloatArray]:
        """Return how far the sum of some samples, or of all, may lie lower and higher, (bins,) each.

        √Σw² and the systematic variations, in quadrature. Of a pair ``…up`` and ``…down`` the larger shift to either
        side counts, a variation without its pair counts to both sides.
        """
        total = self.total(*names)
        low = high = np.asarray(total.variances(), np.float64)
        if self.systematics:
            varied = np.sum([self.varied[name] for name in names or self.samples], axis=0)
            for group in _paired(self.systematics):
                shifts = varied[group] - total.values()
                both = np.concatenate([shifts, -shifts]) if len(group) == 1 else shifts
                low = low + np.minimum(both.min(axis=0), 0.0) ** 2
                high = high + np.maximum(both.max(axis=0), 0.0) ** 2
        return np.sqrt(low), np.sqrt(high)

    def counts(self) -> FloatArray:
        """Return the data, (bins,), NaN where they are blinded.

        Raises:
            DataError: there are none.
        """
        if self.data is None:
            raise DataError(f"the stack of {self.quantity} has no data")
        counts = np.asarray(self.data.values(), np.float64).copy()
        if len(self.hidden):
            counts[self.hidden] = np.nan
        return counts

    def count_errors(self) -> FloatArray:
        """Return how far Garwood's intervals of the data reach down and up, (2, bins), NaN where they are blinded."""
        counts = self.counts()
        low, high = garwood_interval(np.nan_to_num(counts))
        return np.stack([counts - low, high - counts])

    def data_over(self, *names: str, min_significance: float = 2.0) -> tuple[BinRatio, FloatArray]:
        """Return data over the sum of some samples, or of all, where that sum is above so many standard errors.

        Returns:
            The ratio, whose error is the upper one of the data alone, and both its errors, (2, bins). The sum has its
            own band (:meth:`band`); with signed weights it can be next to zero where there are many events.
        """
        total = self.total(*names)
        values, counts = np.asarray(total.values(), np.float64), self.counts()
        shown = (values > min_significance * bin_errors(total)) & np.isfinite(counts)
        safe = np.where(shown, values, np.nan)
        errors = self.count_errors() / safe
        return BinRatio(np.asarray(total.axes[0].centers), counts / safe, errors[1], shown), errors

    def negative_bins(self) -> dict[str, int]:
        """Return how many bins with Σw < 0 each sample has."""
        return {name: int(np.count_nonzero(part.values() < 0)) for name, part in self.samples.items()}

    def __repr__(self) -> str:
        data = "" if self.data is None else f"; {np.sum(self.data.values()):.0f} events of data"
        return f"Stack({self.quantity!r}: {', '.join(self.samples)} in {len(self.edges) - 1} bins{data})"

    def histograms(self) -> dict[str, Histogram]:
        """Return the histograms for a ROOT file: ``stack_<region>_<quantity>_<sample>``, and ``…_data`` without the
        bins that are blinded; without ``<region>_`` for the whole selection."""
        stem = "_".join(part for part in ("stack", self.region, self.quantity) if part)
        named = {f"{stem}_{name}": part for name, part in self.samples.items()}
        if self.data is not None:
            data = self.data.copy()
            contents: Any = data.view()
            if len(self.hidden):
                contents["value"][self.hidden], contents["variance"][self.hidden] = 0.0, 0.0
            named[f"{stem}_data"] = data
        return named

    def to_dict(self) -> dict[str, Any]:
        """Return everything that the figure shows, JSON-ready; blinded data are null."""
        samples = {name: histogram_dict(part, edges=False) for name, part in self.samples.items()}
        return {
            "schema_version": 1,
            "quantity": self.quantity,
            "region": self.region,
            "edges": self.edges.tolist(),
            "samples": {name: {"label": self.labels[name], **part} for name, part in samples.items()},
            "data": None if self.data is None else json_ready(self.counts()),
            "left_out": self.left_out,
            "band": json_ready(self.band()),
        }


def _paired(systematics: Sequence[str]) -> list[list[int]]:
    """Return the places of variations, those of ``…up`` and ``…down`` together."""
    groups: dict[tuple[str, bool], list[int]] = {}
    for place, name in enumerate(systematics):
        stem, side = stem_and_side(name)
        groups.setdefault((stem, bool(side)), []).append(place)
    return list(groups.values())


def make_stack(
    values: ArrayLike,
    events: EventTable,
    *,
    bins: int | Sequence[float] | hist.axis.AxesMixin = 40,
    data: ArrayLike | None = None,
    hidden: ArrayLike | None = None,
    quantity: str = "response",
) -> Stack:
    """Fill a quantity of all events, and of data.

    Args:
        values: (n,) finite, one for each event.
        events: n simulated events.
        bins: how many of equal width in [0, 1], increasing edges, or an axis of hist.
        data: the same quantity of measured events, which count 1 each.
        hidden: (bins,) true where the data are blinded.
        quantity: its name.

    Raises:
        DataError: numbers that are not finite, or not one for each event.
    """
    column = column_of(events, values, quantity)
    axis = _axis(bins, quantity)
    weights = SampleWeights.of(events)
    filled = signed_histogram(column, weights, axis)
    present = [name for name, _ in weights.with_events()]
    labels = {name: events.label_of_sample(name) for name in present}
    mask = np.zeros(len(axis), bool) if hidden is None else np.asarray(hidden, bool)
    if len(mask) != len(axis):
        raise DataError(f"hidden has {len(mask)} entries for {len(axis)} bins; give one for each bin")
    counts = None if data is None else _counted(data, axis, quantity)
    return Stack(quantity, {name: project(filled, name) for name in present}, labels, counts, mask)


def _axis(bins: Any, quantity: str) -> Any:
    if isinstance(bins, int):
        return hist.axis.Regular(bins, 0.0, 1.0, name=quantity)
    return hist.axis.Variable(list(bins), name=quantity) if isinstance(bins, Sequence | np.ndarray) else bins


def _counted(data: ArrayLike, axis: Any, quantity: str) -> Histogram:
    values = np.asarray(data, np.float64)
    if values.ndim != 1 or not np.isfinite(values).all():
        raise DataError(f"the data of {quantity} must be one finite number for each event")
    counts = hist.Hist(axis, storage=hist.storage.Weight())
    counts.fill(np.where(values == axis.edges[-1], np.nextafter(values, -np.inf), values))
    return counts

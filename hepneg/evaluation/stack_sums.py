"""Sums of weights of one quantity by sample, systematic variation and bin, filled in chunks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import hist
import numpy as np

from hepneg._core.arrays import BoolArray, FloatArray, IndexArray
from hepneg.evaluation.stack import Stack
from hepneg.events import cluster_squares

__all__ = ["StackSums"]


@dataclass(eq=False, slots=True)
class StackSums:
    """What a stack is made of, while it is filled.

    Attributes:
        quantity: its name.
        edges: (bins + 1,) increasing.
        region: name of the part of the analysis that it is in; empty for all of it.
        hidden: (bins,) true where data are blinded.
        left_out: the condition under which events are left out.
        systematics: V names of systematic variations of the weight.
        sums: Σw, Σw² and Σw of each variation, (2 + V, bins), by sample.
        counts: of data, (bins,); None without data.
        others: Σw, (bins,), of the samples that other variations change, by variation and sample.
    """

    quantity: str
    edges: FloatArray
    region: str
    hidden: BoolArray
    left_out: str = ""
    systematics: tuple[str, ...] = ()
    sums: dict[str, FloatArray] = field(default_factory=dict)
    counts: FloatArray | None = None
    others: dict[str, dict[str, FloatArray]] = field(default_factory=dict)

    def without_events(self) -> StackSums:
        """Return the same bins with nothing in them, for a variation that is of other events."""
        return StackSums(self.quantity, self.edges, self.region, self.hidden, self.left_out)

    def content(self, sample: str) -> FloatArray:
        """Return Σw of a sample, (bins,)."""
        return self.sums[sample][0] if sample in self.sums else np.zeros(len(self.edges) - 1)

    def fill(
        self,
        sample: str,
        values: FloatArray,
        weight: FloatArray,
        variations: FloatArray,
        events: IndexArray | None = None,
    ) -> None:
        """Add events of a sample.

        Args:
            sample: its name.
            values: (n,) of the quantity; those outside the edges are not counted.
            weight: (n,) signed.
            variations: (n, V) signed weights of the systematic variations.
            events: (n,) which event each row is of, as :func:`hepneg.events.clusters` numbers them, where an event has
                several rows: those in one bin are added up before they are squared.
        """
        code, inside = self._codes(values)
        bins = len(self.edges) - 1
        clusters = None if events is None else events[inside]
        total, *varied = (np.bincount(code, row[inside], bins) for row in (weight, *variations.T))
        added = [total, cluster_squares(weight[inside], code, bins, clusters), *varied]
        self.sums[sample] = np.asarray(self.sums.get(sample, 0.0) + np.stack(added), np.float64)

    def fill_data(self, values: FloatArray) -> None:
        """Count measured events, (n,), those that are not blinded."""
        code, _ = self._codes(values)
        counted = np.bincount(code, minlength=len(self.edges) - 1).astype(np.float64)
        self.counts = counted if self.counts is None else self.counts + counted

    def scale(self, sample: str, factor: float) -> None:
        """Multiply the weights of a sample, if it has any."""
        if sample in self.sums:
            sums = self.sums[sample]
            self.sums[sample] = np.concatenate([sums[:1] * factor, sums[1:2] * factor**2, sums[2:] * factor])

    def stack(self, labels: Mapping[str, str]) -> Stack:
        """Return the stack of the samples that have events.

        Args:
            labels: of each sample.
        """
        samples = {name: self._histogram(sums[0], sums[1]) for name, sums in self.sums.items()}
        data = None if self.counts is None else self._histogram(self.counts, self.counts)
        varied = {name: np.stack([*sums[2:], *self._others(name)]) for name, sums in self.sums.items() if self._names}
        of_labels = {name: labels[name] for name in samples}
        shown = (self.hidden, self.left_out, self._names, varied, self.region)
        return Stack(self.quantity, samples, of_labels, data, *shown)

    @property
    def _names(self) -> tuple[str, ...]:
        return (*self.systematics, *self.others)

    def _others(self, sample: str) -> list[FloatArray]:
        """Return Σw of a sample under the other variations; one that is not of the sample leaves it as it is."""
        return [by_sample.get(sample, self.content(sample)) for by_sample in self.others.values()]

    def _codes(self, values: FloatArray) -> tuple[Any, BoolArray]:
        """Return the bin of each event inside the edges, and which these are, (n,); the last edge is inside."""
        inside = (values >= self.edges[0]) & (values <= self.edges[-1])
        code = np.searchsorted(self.edges, values[inside], side="right") - 1
        return np.minimum(code, len(self.edges) - 2), inside

    def _histogram(self, values: Sequence[float] | FloatArray, variances: FloatArray) -> hist.Hist[Any]:
        axis: Any = hist.axis.Variable(self.edges, name="quantity", label=self.quantity)
        histogram = hist.Hist(axis, storage=hist.storage.Weight())
        contents: Any = histogram.view()
        contents["value"], contents["variance"] = values, variances
        return histogram

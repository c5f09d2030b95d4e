"""The signed weights of events by sample: what histograms and every table of results start from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hepneg._core.arrays import BoolArray, FloatArray, IndexArray
from hepneg._core.estimate import Estimate
from hepneg.events import EventTable, cluster_sums, clusters

__all__ = ["UNDEFINED", "SampleWeights", "sum_of_weights"]

UNDEFINED = Estimate(float("nan"), float("nan"))


@dataclass(frozen=True, eq=False, slots=True)
class SampleWeights:
    """The sample and the signed weight of each of n events.

    Attributes:
        names: of the samples.
        code: (n,) index into the names.
        weight: (n,) signed.
        cluster: (n,) number of the event that each row is of; None where each row is an event of its own.
    """

    names: tuple[str, ...]
    code: NDArray[np.integer]
    weight: FloatArray
    cluster: IndexArray | None = None

    @classmethod
    def of(cls, events: EventTable) -> SampleWeights:
        """Take the columns of a table."""
        return cls(events.sample_names, events.sample, events.weight, events.clusters())

    def select(self, mask: BoolArray) -> SampleWeights:
        """Return the events for which ``mask`` (n,) is true."""
        cluster = None if self.cluster is None else clusters(self.cluster[mask])
        return SampleWeights(self.names, self.code[mask], self.weight[mask], cluster)

    def with_events(self) -> Iterator[tuple[str, BoolArray]]:
        """Yield the name of each sample that has events, and which events are its own, (n,)."""
        for code, name in enumerate(self.names):
            own = self.code == code
            if own.any():
                yield name, own


def sum_of_weights(weight: FloatArray, cluster: IndexArray | None = None) -> Estimate:
    """Return Σw with its error √Σ(Σw)², over events.

    Args:
        weight: (n,) signed.
        cluster: (n,) the event of each row; None where each row is an event of its own.
    """
    return Estimate(float(weight.sum()), float(np.sqrt(np.sum(cluster_sums(weight, cluster) ** 2))))

"""The samples of a table one by one, and what every table of results holds of each."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hepneg._core.arrays import BoolArray, FloatArray, IndexArray
from hepneg._core.estimate import Estimate
from hepneg.events import EventTable, cluster_sums

__all__ = ["UNDEFINED", "samples_with_events", "sum_of_weights"]

UNDEFINED = Estimate(float("nan"), float("nan"))


def samples_with_events(events: EventTable) -> Iterator[tuple[str, BoolArray]]:
    """Yield the name of each sample that has events, and which events are its own, (n,)."""
    for code, name in enumerate(events.sample_names):
        own = events.sample == code
        if own.any():
            yield name, own


def sum_of_weights(weight: FloatArray, cluster: IndexArray | None = None) -> Estimate:
    """Return Σw with its error √Σ(Σw)², over events.

    Args:
        weight: (n,) signed.
        cluster: (n,) the event of each row; None where each row is an event of its own.
    """
    return Estimate(float(weight.sum()), float(np.sqrt(np.sum(cluster_sums(weight, cluster) ** 2))))

"""A uniform subsample of bounded size that does not depend on the order of events and can be merged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from hepneg._core.hashing import hash_events
from hepneg.events import EventTable, clusters

__all__ = ["SUBSAMPLE_SIZE", "Subsample", "SubsampleAccumulator", "draw_subsample"]

SUBSAMPLE_SIZE = 100_000


@dataclass(frozen=True, eq=False, slots=True)
class Subsample:
    """Events drawn uniformly, blind to features and weights.

    Attributes:
        features: (m, F) float32, stored column by column.
        weight: (m,) signed weights.
        seen: how many events it was drawn from.
        cluster: of each row, (m,): rows of one identifier are neighbours and have one number, and all rows of an
            identifier are in or none; None where no identifier repeats.
        key: hash of each row's identifier, (m,), increasing; the seed decides which events have small ones.
    """

    features: NDArray[np.float32]
    weight: NDArray[np.float64]
    seen: int
    cluster: NDArray[np.intp] | None = None
    key: NDArray[np.uint64] | None = None

    @property
    def complete(self) -> bool:
        """Whether every event seen is in it."""
        return len(self.weight) == self.seen

    def first(self, most: int) -> Subsample:
        """Return about that many rows, uniformly drawn too: the first ones, no cluster cut in two."""
        if len(self.weight) <= most:
            return self
        if self.cluster is not None:
            most = int(np.searchsorted(self.cluster, self.cluster[most])) or most
        cluster = None if self.cluster is None else self.cluster[:most]
        key = None if self.key is None else self.key[:most]
        return Subsample(self.features[:most], self.weight[:most], self.seen, cluster, key)

    def __repr__(self) -> str:
        return f"Subsample({len(self.weight)} of {self.seen} events, {self.features.shape[1]} features)"


@dataclass(frozen=True, slots=True)
class Part:
    key: NDArray[np.uint64]
    weight: NDArray[np.float64]
    columns: NDArray[np.float32]

    def select(self, mask: NDArray[np.bool_] | NDArray[np.intp]) -> Part:
        """Return the events that a mask or an array of indices picks."""
        return Part(self.key[mask], self.weight[mask], self.columns[:, mask])


class SubsampleAccumulator:
    """Keeps the ``size`` events with the smallest hashes of their identifiers (bottom-k sampling).

    The hash knows the identifier only, so the events kept are the same whatever the chunking, the order of the files
    or the way in which parts are merged. Events that share the largest hash kept are all kept.

    Args:
        size: how many events to keep.
        seed: any integer; parts to merge must share it.
    """

    def __init__(self, size: int = SUBSAMPLE_SIZE, seed: int = 1) -> None:
        self.size = size
        self.seed = seed
        self.seen = 0
        self.parts: list[Part] = []
        self._held = 0
        self._ceiling = np.uint64(0xFFFFFFFFFFFFFFFF)

    def fill(self, features: NDArray[np.float32], weight: NDArray[np.float64], event_id: NDArray[np.integer]) -> None:
        """Offer events.

        Args:
            features: (n, F) numbers.
            weight: (n,) signed weights.
            event_id: (n,) or (n, m) integers.
        """
        if not len(weight):
            return
        key = hash_events(event_id, self.seed, "subsample")
        self.seen += len(key)
        keep = np.flatnonzero(key <= self._ceiling)
        self.add(Part(key[keep], weight[keep], features.T[:, keep]))

    def add(self, part: Part) -> None:
        """Take over hashed events."""
        self.parts.append(part)
        self._held += len(part.key)
        if self._held > 2 * self.size:
            self._compact()

    def _compact(self) -> Part | None:
        """Join the parts and drop what is above the ``size``-th smallest hash."""
        if not self.parts:
            return None
        joined = Part(
            np.concatenate([part.key for part in self.parts]),
            np.concatenate([part.weight for part in self.parts]),
            np.concatenate([part.columns for part in self.parts], axis=1),
        )
        if len(joined.key) > self.size:
            self._ceiling = np.partition(joined.key, self.size - 1)[self.size - 1]
            joined = joined.select(joined.key <= self._ceiling)
        self.parts, self._held = [joined], len(joined.key)
        return joined

    def merge(self, other: Self) -> Self:
        """Return the accumulator of both sets of events.

        Raises:
            ValueError: the two were made with another size or seed.
        """
        if (self.size, self.seed) != (other.size, other.seed):
            raise ValueError("only subsamples of the same size and seed can be merged")
        total = type(self)(self.size, self.seed)
        for part in (*self.parts, *other.parts):
            total.add(part)
        total.seen = self.seen + other.seen
        return total

    __add__ = merge

    def result(self) -> Subsample:
        """Return the events kept, ordered by hash (then weight and features, where identifiers repeat)."""
        part = self._compact()
        if part is None:
            return Subsample(np.empty((0, 0), np.float32), np.empty(0), self.seen)
        part = part.select(np.lexsort((*part.columns[::-1], part.weight, part.key)))
        return Subsample(part.columns.T, part.weight, self.seen, clusters(part.key), part.key)


def draw_subsample(events: EventTable, seed: int, size: int = SUBSAMPLE_SIZE) -> Subsample:
    """Draw the subsample of a table in memory."""
    accumulator = SubsampleAccumulator(size, seed)
    accumulator.fill(events.features, events.weight, events.observation_id)
    return accumulator.result()

"""How the events of an epoch are cut into batches: index permutations, in numpy alone.

A batch of signed events is only useful when the weights of each label sum to something positive in it: a batch whose
signal sums to less than zero pushes the network away from the signal. :class:`StratifiedBatches` and
:class:`CellBatches` guarantee it for every batch of every epoch; :class:`ShuffledBatches` is for weights >= 0.

Events of weight zero never enter a batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hepneg._core.class_names import TWO_CLASSES
from hepneg.errors import TrainingError

__all__ = ["Batches", "CellBatches", "Epoch", "ShuffledBatches", "StratifiedBatches"]

SEVERAL, SMALLEST = 16, 64
"""Batches of an epoch for which batches are made smaller, and events that each has left then."""

Float = NDArray[np.float64]
Index = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Epoch:
    """One pass over the events, cut into batches.

    Attributes:
        order: event indices, (m,) int64; batch b holds ``order[offsets[b]:offsets[b + 1]]``.
        offsets: ends of the batches, (B + 1,) int64, from 0 to m.
    """

    order: Index
    offsets: Index

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __iter__(self) -> Iterator[Index]:
        for start, stop in zip(self.offsets[:-1], self.offsets[1:], strict=True):
            yield self.order[start:stop]


class Batches(Protocol):
    """A way to cut a fixed set of events into batches, anew in each epoch."""

    @property
    def count(self) -> int:
        """Number of batches in an epoch."""

    def epoch(self, rng: np.random.Generator) -> Epoch:
        """Return a random epoch."""


@dataclass(frozen=True, eq=False)
class ShuffledBatches:
    """Events at random, in batches whose sizes differ by one at most.

    Args:
        weight: (n,) of any sign; zeros are left out.
        batch_size: events in a batch, about.
    """

    weight: Float
    batch_size: int

    @classmethod
    def several(cls, weight: Float, most: int) -> ShuffledBatches:
        """Return batches of at most so many events, smaller ones where an epoch would have fewer than SEVERAL.

        Few steps an epoch would leave a network of a small sample untrained at its last one.
        """
        return cls(weight, min(most, max(SMALLEST, int(np.count_nonzero(weight)) // SEVERAL)))

    @property
    def count(self) -> int:
        """Number of batches in an epoch."""
        return max(1, round(np.count_nonzero(self.weight) / self.batch_size))

    def epoch(self, rng: np.random.Generator) -> Epoch:
        """Return a random epoch."""
        order = rng.permutation(np.flatnonzero(self.weight))
        return Epoch(order, np.arange(self.count + 1) * len(order) // self.count)


class StratifiedBatches:
    """Each batch has the sample's own share of positive and negative events of each label, and of large weights.

    The events of a stratum (label × sign) are ranked by \\|w\\| and cut into blocks of B = number of batches; each
    batch draws one event of every block. Its sum then differs from another batch's by less than the largest weight of
    the stratum. B is the largest number up to n / batch_size for which even the unluckiest draw leaves every label's
    sum positive in every batch; the guarantee needs no luck and no second try.

    Args:
        weight: (n,) signed.
        label: (n,) codes of the classes.
        batch_size: events in a batch, about; batches are larger where positivity asks for it.
        classes: names of the classes, for messages.

    Raises:
        TrainingError: a label's weights do not sum to something positive.
    """

    def __init__(
        self, weight: Float, label: NDArray[np.int8], batch_size: int, classes: Sequence[str] = TWO_CLASSES
    ) -> None:
        self._strata: list[Index] = []
        for code in np.unique(label):
            _require_positive(weight[label == code], classes[code])
            for side in (weight > 0, weight < 0):
                members = np.flatnonzero(side & (label == code))
                self._strata.append(members[np.argsort(-np.abs(weight[members]), kind="stable")])
        self._weight = weight
        wanted = max(1, round(np.count_nonzero(weight) / batch_size))
        self._count = _largest_safe_count([weight[stratum] for stratum in self._strata], wanted)

    @property
    def count(self) -> int:
        """Number of batches in an epoch."""
        return self._count

    def epoch(self, rng: np.random.Generator) -> Epoch:
        """Return a random epoch."""
        # Dealing whole blocks in turn: row = block, column = batch; -1 fills the last block of a stratum.
        deals = [_deal(_shuffle_ties(s, self._weight, rng), self._count, rng) for s in self._strata]
        table = np.concatenate(deals, axis=0).T
        filled = table >= 0
        offsets = np.concatenate([[0], np.cumsum(filled.sum(axis=1))]).astype(np.int64)
        return Epoch(table[filled], offsets)


def _require_positive(weight: Float, name: str) -> None:
    if weight.sum() <= 0:
        raise TrainingError(f"the weights of the {name} sum to {weight.sum():.6g}: no batch can have a positive sum")


def _shuffle_ties(stratum: Index, weight: Float, rng: np.random.Generator) -> Index:
    """Shuffle events of equal weight, so that blocks of a constant \\|w\\| are drawn anew in every epoch."""
    if len(stratum) == 0:
        return stratum
    if weight[stratum[0]] == weight[stratum[-1]]:
        return rng.permutation(stratum)
    return stratum[np.lexsort((rng.random(len(stratum)), -np.abs(weight[stratum])))]


def _deal(stratum: Index, count: int, rng: np.random.Generator) -> Index:
    """Lay a ranked stratum out in rows of one block, each row shuffled over the batches, filled up with -1."""
    rows = -(-len(stratum) // count)
    table = np.full(rows * count, -1, dtype=np.int64)
    table[: len(stratum)] = stratum
    return rng.permuted(table.reshape(rows, count), axis=1)


def _worst_sum(weights: Sequence[Float], count: int) -> float:
    """Return the smallest sum that a batch of one label can get: the least positive and most negative of each block."""
    positive, negative = weights
    whole = len(positive) // count
    least = positive[: whole * count].reshape(whole, count).min(axis=1, initial=np.inf).sum()
    return float(least + negative[::count].sum())


def _largest_safe_count(strata: Sequence[Float], wanted: int) -> int:
    """Return the largest number of batches, up to ``wanted``, that leaves every label's sum positive in each."""
    labels = [strata[i : i + 2] for i in range(0, len(strata), 2)]
    count = wanted
    while count > 1 and any(_worst_sum(label, count) <= 0 for label in labels):
        # The margin falls about like 1/count, so steps of a few per cent lose little.
        count = min(count - 1, int(count * 0.97))
    return count


class CellBatches:
    """Whole cells are kept together: a batch is a set of cells of each label.

    Every cell has a positive sum, so every batch has one, for each label.

    Args:
        cell: (n,) the cell of each event, −1 to leave an event out; a cell holds events of one label.
        label: (n,) codes of the classes.
        batch_size: events in a batch, about; at least the largest cell of each label fits into a batch.
    """

    def __init__(self, cell: NDArray[np.integer], label: NDArray[np.int8], batch_size: int) -> None:
        self._labels = [_Cells.of(cell, np.flatnonzero((label == code) & (cell >= 0))) for code in np.unique(label)]
        wanted = max(1, round(np.count_nonzero(cell >= 0) / batch_size))
        self._count = min([wanted, *(cells.most_batches for cells in self._labels)])

    @property
    def count(self) -> int:
        """Number of batches in an epoch."""
        return self._count

    def epoch(self, rng: np.random.Generator) -> Epoch:
        """Return a random epoch."""
        parts = [cells.shuffled(self._count, rng) for cells in self._labels]
        batch = np.concatenate([batches for _, batches in parts])
        order = np.concatenate([events for events, _ in parts])[np.argsort(batch, kind="stable")]
        return Epoch(
            order, np.concatenate([[0], np.cumsum(np.bincount(batch, minlength=self._count))]).astype(np.int64)
        )


@dataclass(frozen=True, eq=False)
class _Cells:
    """The cells of one label: ``members`` cell after cell, and how many events each holds."""

    members: Index
    sizes: Index

    @classmethod
    def of(cls, cell: NDArray[np.integer], events: Index) -> _Cells:
        members = events[np.argsort(cell[events], kind="stable")]
        _, sizes = np.unique(cell[members], return_counts=True)
        return cls(members, sizes)

    @property
    def most_batches(self) -> int:
        """The largest number of batches none of which can be without a cell."""
        return max(1, len(self.members) // int(self.sizes.max(initial=1)))

    def shuffled(self, count: int, rng: np.random.Generator) -> tuple[Index, Index]:
        """Return the events, cells in random order, and the batch of each.

        A cell goes to the batch in whose share of the events it starts. Shares are at least as long as the largest
        cell, so at least one cell starts in each.
        """
        turn = rng.permutation(len(self.sizes))
        sizes = self.sizes[turn]
        starts = np.cumsum(sizes) - sizes
        batch_of_cell = starts * count // len(self.members)
        first = (np.cumsum(self.sizes) - self.sizes)[turn]
        place = np.repeat(first - starts, sizes) + np.arange(len(self.members))
        return self.members[place], np.repeat(batch_of_cell, sizes)

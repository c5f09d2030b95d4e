"""Two ways to rearrange signed weights among events with fixed features: each is exact under its own null.

Permuted *signs* keep (x, |w|) of each event: exact where the sign does not depend on (x, |w|). Permuted *weights* keep
(sign, |w|) together and move them to other x: exact where x does not depend on (sign, |w|), whatever |w| is in either
sign. Neither null contains the other. The larger of both p-values is valid under either.

Rows of a cluster (candidates of one event) are one observation. Their sign is permuted as one, and their weights move
together to the rows of another cluster of the same size.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from hepneg.events import cluster_sums

__all__ = ["BLOCK_VALUES", "Observations"]

BLOCK_VALUES = 1 << 20
"""Numbers that are rearranged at a time."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class Observations:
    """The signed weights of one sample, grouped by what is independent of each other.

    Attributes:
        weight: signed, none 0, (n,).
        unit: of each row, (n,): rows of one cluster and sign.
        size: rows of each unit, (U,).
        negative: whether its weights are, (U,).
        square: (Σ|w|)² of each unit, (U,): what it adds to the variance of a sum.
    """

    weight: Floats
    unit: NDArray[np.intp]
    size: NDArray[np.intp]
    negative: NDArray[np.bool_]
    square: Floats

    @classmethod
    def of(cls, weight: Floats, cluster: NDArray[np.intp] | None = None) -> Self:
        """Group rows by cluster and sign; left out, every row is an observation.

        Args:
            weight: (n,) signed weights, none 0.
            cluster: of each row, (n,).
        """
        negative = weight < 0
        if cluster is None:
            return cls(weight, np.arange(len(weight)), np.ones(len(weight), np.intp), negative, weight**2)
        codes, unit, size = np.unique(2 * cluster + negative, return_inverse=True, return_counts=True)
        return cls(weight, unit, size, (codes & 1).astype(bool), cluster_sums(np.abs(weight), unit) ** 2)

    @property
    def alike(self) -> bool:
        """Whether all units have the same |w| and size, so that permuted signs and permuted weights are the same."""
        return bool(np.ptp(np.abs(self.weight)) == 0 and np.ptp(self.size) == 0)

    @property
    def clustered(self) -> bool:
        """Whether any unit has more than one row."""
        return len(self.size) < len(self.weight)

    @property
    def rarer(self) -> NDArray[np.intp]:
        """The units of the rarer sign."""
        rarer = self.negative if 2 * self.negative.sum() <= len(self.negative) else ~self.negative
        return np.flatnonzero(rarer)

    @property
    def square_negative(self) -> float:
        """Σ of ``square`` over the negative units."""
        return float(self.square[self.negative].sum())

    def negative_units(self, rng: np.random.Generator, permutations: int) -> Iterator[tuple[NDArray[np.bool_], Floats]]:
        """Yield which units are negative, in blocks (p, U), and Σ of ``square`` over them, (p,)."""
        for rows in self._blocks(permutations):
            negative = rng.permuted(np.broadcast_to(self.negative, (rows, len(self.negative))), axis=1)
            yield negative, negative @ self.square

    def permuted_signs(self, rng: np.random.Generator, permutations: int) -> Iterator[tuple[Floats, Floats]]:
        """Yield signed weights in blocks (p, n), and Σ of ``square`` over the negative units of each, (p,)."""
        magnitude = np.abs(self.weight)
        for negative, square in self.negative_units(rng, permutations):
            yield np.where(negative[:, self.unit], -magnitude, magnitude), square

    def permuted_weights(self, rng: np.random.Generator, permutations: int) -> Iterator[tuple[Floats, Floats]]:
        """Yield the same with weights moved to other rows; the sums over the negative units are those of the events."""
        members = np.argsort(self.unit, kind="stable")
        sorted_size = self.size[self.unit[members]]
        groups = [members[sorted_size == size].reshape(-1, size) for size in np.unique(self.size)]
        for rows in self._blocks(permutations):
            signed = np.empty((rows, len(self.weight)))
            for group in groups:
                origin = rng.permuted(np.broadcast_to(np.arange(len(group)), (rows, len(group))), axis=1)
                signed[:, group] = self.weight[group][origin]
            yield signed, np.full(rows, self.square_negative)

    def _blocks(self, permutations: int) -> Iterator[int]:
        block = max(1, BLOCK_VALUES // len(self.weight))
        for start in range(0, permutations, block):
            yield min(block, permutations - start)

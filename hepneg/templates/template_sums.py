"""The sums behind templates: filled by chunks, merged from parts with ``+``, bounded whatever the number of events."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from fractions import Fraction
from typing import Self

import numpy as np
from numpy.typing import NDArray

from hepneg._core.arrays import BoolArray, FloatArray
from hepneg.binning.sign_sums import SignSums

GROUPS = 64
"""Of events, by a hash of their identifier: what differs between two sets of the same events follows from these."""
VALUE, SQUARE, CROSS = 0, 1, 2
_BLOCK = 4096
"""Events whose weights under hundreds of variations are added up while they are in the processor's cache."""


@dataclass(eq=False)
class TemplateSums:
    """Sums of one sample over R regions, F fine bins, the sign of the nominal weight, and V variations of the weight.

    Attributes:
        moments: (3, 1 + V, R, 2, F) Σw_v, Σw_v² and Σw_v·w of the events that fill the templates, nominal first.
        choice: (2, R, 2, F) Σ\\|w\\| and Σw² of the other events, on which edges are chosen.
        groups: (R, G, F) Σw of the events that fill, by group; G is 0 where no sum is to be paired.
        outside: (R, 2) Σw below and above all bins.
        members: (R, R) events inside all bins that are in both of two regions; on the diagonal, in one.
        selected: events, whether in a region or not.
        entries: events before the selection.
        dropped: selected events left out because the variable is not finite.
        sum_weights_all: Σ of the raw nominal weights before the selection, exact.
    """

    moments: FloatArray
    choice: FloatArray
    groups: FloatArray
    outside: FloatArray
    members: FloatArray
    selected: int = 0
    entries: int = 0
    dropped: int = 0
    sum_weights_all: Fraction = field(default_factory=Fraction)

    @classmethod
    def empty(cls, regions: int, bins: int, variations: int, groups: int) -> Self:
        """Begin a sample."""
        return cls(
            np.zeros((3, 1 + variations, regions, 2, bins)),
            np.zeros((2, regions, 2, bins)),
            np.zeros((regions, groups, bins)),
            np.zeros((regions, 2)),
            np.zeros((regions, regions)),
        )

    def fill(
        self,
        place: NDArray[np.integer],
        regions: BoolArray,
        weight: FloatArray,
        variations: FloatArray,
        choosing: BoolArray | None = None,
        group: NDArray[np.integer] | None = None,
    ) -> None:
        """Add events.

        Args:
            place: (n,) fine bin, −1 below all and F above.
            regions: (n, R) which events each region holds.
            weight: (n,) signed.
            variations: (n, V) signed.
            choosing: (n,) which events are for choosing edges only; None for none.
            group: (n,) of each event; needed where sums are to be paired.
        """
        bins = self.moments.shape[-1]
        inside = (place >= 0) & (place < bins)
        cell = place + bins * (weight < 0)
        self.outside += np.stack([weight[away] @ regions[away] for away in (place < 0, place >= bins)], axis=1)
        held = regions & inside[:, None]
        self.members += held.T @ held.astype(np.float64)
        if choosing is not None:
            self._choose(held & choosing[:, None], cell, weight)
            held &= ~choosing[:, None]
        for start in range(0, len(weight), _BLOCK):
            part = slice(start, start + _BLOCK)
            self._fill_moments(held[part], cell[part], weight[part], variations[part])
        if group is not None and self.groups.shape[1]:
            for region, member in enumerate(held.T):
                at = group[member] * bins + place[member]
                self.groups[region] += np.bincount(at, weight[member], self.groups[region].size).reshape(-1, bins)

    def _choose(self, held: BoolArray, cell: NDArray[np.integer], weight: FloatArray) -> None:
        shape = self.choice.shape[2:]
        for region, member in enumerate(held.T):
            for power in (1, 2):
                part = np.bincount(cell[member], np.abs(weight[member]) ** power, shape[0] * shape[1])
                self.choice[power - 1, region] += part.reshape(shape)

    def _fill_moments(
        self, held: BoolArray, cell: NDArray[np.integer], weight: FloatArray, variations: FloatArray
    ) -> None:
        """Add the moments of all weights in all regions as products of two matrices.

        One is sparse and tells the cells of each event, the other holds its weights.
        """
        from scipy.sparse import csr_array

        event, region = np.nonzero(held)
        cells = 2 * self.moments.shape[-1]
        at = (cell[event] + cells * region, event)
        shape = (cells * held.shape[1], len(weight))
        once, weighted = (csr_array((part, at), shape) for part in (np.ones(len(event)), weight[event]))
        varied = np.empty((len(weight), self.moments.shape[1]))
        varied[:, 0], varied[:, 1:] = weight, variations
        products = {VALUE: once @ varied, CROSS: weighted @ varied}
        np.square(varied, out=varied)
        for moment, product in {**products, SQUARE: once @ varied}.items():
            self.moments[moment] += product.T.reshape(self.moments.shape[1:])

    def merge(self, other: Self) -> Self:
        """Return the sums of both sets of events.

        Raises:
            ValueError: other regions, bins or variations.
        """
        if (self.moments.shape, self.groups.shape) != (other.moments.shape, other.groups.shape):
            raise ValueError("only sums with the same regions, bins and variations can be merged")
        return type(self)(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))

    __add__ = merge

    def scaled(self, factor: float) -> Self:
        """Return the sums after every weight is multiplied by a positive factor."""
        powers = np.array([factor, factor**2, factor**2]).reshape(3, 1, 1, 1, 1)
        choice = self.choice * powers[:2, 0]
        rest = (self.selected, self.entries, self.dropped, self.sum_weights_all)
        sums = (self.moments * powers, choice, self.groups * factor, self.outside * factor)
        return type(self)(*sums, self.members, *rest)

    def signs(self, region: int, variation: int = 0) -> SignSums:
        """Return the sums of one region by sign, of the nominal weight or of a variation.

        Those of a variation are split by the sign of the nominal weight: where it keeps the sign they are its own.
        """
        value, square, _ = self.moments[:, variation, region]
        return SignSums(value * np.array([[1.0], [-1.0]]), square)

    def choosing(self, region: int) -> SignSums:
        """Return the sums of the events on which edges are chosen."""
        return SignSums(*self.choice[:, region])

"""The sums behind templates: filled by chunks, merged from parts with ``+``, bounded whatever the number of events."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Self

import numpy as np
from numpy.typing import NDArray

from hepneg._core.arrays import BoolArray, FloatArray
from hepneg.binning.sign_sums import SignSums

GROUPS = 64
"""Of events, by a hash of their identifier: what differs between two sets of the same events follows from these."""
VALUE, SQUARE, CROSS = 0, 1, 2


@dataclass(eq=False)
class TemplateSums:
    """Sums of one sample over R regions, F fine bins, the sign of the nominal weight, and V variations of the weight.

    Attributes:
        moments: (3, 1 + V, R, 2, F) Σw_v, Σw_v² and Σw_v·w of the events that fill the templates, nominal first.
        choice: (2, R, 2, F) Σ\\|w\\| and Σw² of the other events, on which edges are chosen.
        groups: (R, G, F) Σw of the events that fill, by group; G is 0 where no sum is to be paired.
        outside: (R, 2) Σw below and above all bins.
        selected: events, whether in a region or not.
        entries: events before the selection.
        dropped: selected events left out because the variable is not finite.
        sum_weights_all: Σ of the raw nominal weights before the selection, exact.
    """

    moments: FloatArray
    choice: FloatArray
    groups: FloatArray
    outside: FloatArray
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
        for region, member in enumerate(regions.T):
            self.outside[region] += [weight[member & away].sum() for away in (place < 0, place >= bins)]
            held = member & inside
            if choosing is not None:
                self._choose(region, np.flatnonzero(held & choosing), cell, weight)
                held &= ~choosing
            self._fill_region(region, np.flatnonzero(held), cell, weight, variations)
            if group is not None and self.groups.shape[1]:
                at = group[held] * bins + place[held]
                self.groups[region] += np.bincount(at, weight[held], self.groups[region].size).reshape(-1, bins)

    def _choose(self, region: int, events: NDArray[np.intp], cell: NDArray[np.integer], weight: FloatArray) -> None:
        at, w = cell[events], weight[events]
        for power in (1, 2):
            self.choice[power - 1, region] += self._by_cell(at, np.abs(w) ** power)

    def _fill_region(
        self,
        region: int,
        events: NDArray[np.intp],
        cell: NDArray[np.integer],
        weight: FloatArray,
        variations: FloatArray,
    ) -> None:
        at, nominal = cell[events], weight[events]
        whole = len(events) == len(weight)
        for row in range(self.moments.shape[1]):
            varied = nominal if row == 0 else variations[:, row - 1] if whole else variations[events, row - 1]
            products = (varied, varied * varied, varied * nominal)
            for moment, product in enumerate(products):
                self.moments[moment, row, region] += self._by_cell(at, product)

    def _by_cell(self, cell: NDArray[np.integer], values: FloatArray) -> FloatArray:
        shape = self.choice.shape[2:]
        return np.asarray(np.bincount(cell, values, shape[0] * shape[1]), np.float64).reshape(shape)

    def merge(self, other: Self) -> Self:
        """Return the sums of both sets of events.

        Raises:
            ValueError: other regions, bins or variations.
        """
        if (self.moments.shape, self.groups.shape) != (other.moments.shape, other.groups.shape):
            raise ValueError("only sums with the same regions, bins and variations can be merged")
        names = ("moments", "choice", "groups", "outside", "selected", "entries", "dropped", "sum_weights_all")
        return type(self)(*(getattr(self, name) + getattr(other, name) for name in names))

    __add__ = merge

    def scaled(self, factor: float) -> Self:
        """Return the sums after every weight is multiplied by a positive factor."""
        powers = np.array([factor, factor**2, factor**2]).reshape(3, 1, 1, 1, 1)
        choice = self.choice * powers[:2, 0]
        rest = (self.selected, self.entries, self.dropped, self.sum_weights_all)
        return type(self)(self.moments * powers, choice, self.groups * factor, self.outside * factor, *rest)

    def signs(self, region: int, variation: int = 0) -> SignSums:
        """Return the sums of one region by sign, of the nominal weight or of a variation.

        Those of a variation are split by the sign of the nominal weight: where it keeps the sign they are its own.
        """
        value, square, _ = self.moments[:, variation, region]
        return SignSums(value * np.array([[1.0], [-1.0]]), square)

    def choosing(self, region: int) -> SignSums:
        """Return the sums of the events on which edges are chosen."""
        return SignSums(*self.choice[:, region])

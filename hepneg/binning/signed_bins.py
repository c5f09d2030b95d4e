"""Sums of weights by bin and sign of one feature: what every binned comparison starts from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepneg._core.json_values import json_object

__all__ = ["NEGATIVE", "POSITIVE", "SignedBins"]

POSITIVE, NEGATIVE = 0, 1


@dataclass(frozen=True, eq=False, slots=True)
class SignedBins:
    """One feature of one sample, positive and negative events apart.

    Attributes:
        name: of the feature.
        edges: (B + 1,) increasing, in the unit of the feature.
        view: the range worth drawing.
        count: (2, B) events of positive (row 0) and negative (row 1) weight.
        magnitude: (2, B) Σ|w|.
        square: (2, B) Σw².
    """

    name: str
    edges: NDArray[np.float64]
    view: tuple[float, float]
    count: NDArray[np.int64]
    magnitude: NDArray[np.float64]
    square: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.edges) - 1

    def __repr__(self) -> str:
        return f"SignedBins({self.name!r}, {len(self)} bins, Σw {self.net.sum():.6g}, Σ|w| {self.total.sum():.6g})"

    @property
    def net(self) -> NDArray[np.float64]:
        """Σw in each bin, (B,)."""
        return np.asarray(self.magnitude[POSITIVE] - self.magnitude[NEGATIVE])

    @property
    def total(self) -> NDArray[np.float64]:
        """Σ|w| in each bin, (B,)."""
        return np.asarray(self.magnitude.sum(axis=0))

    @property
    def n_eff(self) -> NDArray[np.float64]:
        """Effective events (Σ|w|)²/Σw² of the positive and of the negative ones, (2,); 0 without events."""
        square = self.square.sum(axis=1)
        return np.asarray(self.magnitude.sum(axis=1) ** 2 / np.where(square > 0, square, 1.0))

    def merged(self, starts: NDArray[np.intp]) -> SignedBins:
        """Join runs of bins.

        Args:
            starts: the first bin of each run, increasing, the first one 0.
        """
        return SignedBins(
            self.name,
            np.append(self.edges[starts], self.edges[-1]),
            self.view,
            np.add.reduceat(self.count, starts, axis=1),
            np.add.reduceat(self.magnitude, starts, axis=1),
            np.add.reduceat(self.square, starts, axis=1),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return edges and sums as plain lists."""
        return json_object(
            {
                "edges": self.edges,
                "count": {"positive": self.count[POSITIVE], "negative": self.count[NEGATIVE]},
                "sum_abs_weights": {"positive": self.magnitude[POSITIVE], "negative": self.magnitude[NEGATIVE]},
                "sum_squared_weights": {"positive": self.square[POSITIVE], "negative": self.square[NEGATIVE]},
            }
        )

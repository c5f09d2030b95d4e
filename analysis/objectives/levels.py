"""An enumerable input space: five inputs of three levels each, 243 cells with known densities of both labels."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hepneg import EventTable

Float = NDArray[np.float64]

INPUTS, NEGATIVE = 5, 0.2


@dataclass(frozen=True)
class Levels:
    """All cells of the input space.

    Attributes:
        cells: (243, 5) inputs, each −1, 0 or 1.
        signal: P(cell | signal), (243,).
        background: P(cell | background), (243,).
    """

    cells: NDArray[np.float32]
    signal: Float
    background: Float

    @property
    def mass(self) -> Float:
        """Weighted share of each cell in the input space, labels alike, (243,)."""
        return 0.5 * (self.signal + self.background)

    def share(self, response: Float, low: float) -> float:
        """Return the share of the input space with a response of at least ``low``."""
        return float(self.mass[response >= low].sum())

    def cross_entropy(self, response: Float) -> float:
        """Return the exact cross-entropy of a response, labels alike, in nats."""
        return float(-0.5 * (self.signal * np.log(response) + self.background * np.log1p(-response)).sum())

    @property
    def best(self) -> Float:
        """The exact response, (243,)."""
        return self.signal / (self.signal + self.background)

    def events(self, count: int, seed: int) -> EventTable:
        """Draw events of both labels, 20 % of them with the weight −1, whatever the cell."""
        rng = np.random.default_rng(seed)
        label = np.arange(count) % 2
        cell = np.where(label, *(rng.choice(len(self.cells), count, p=p) for p in (self.signal, self.background)))
        weight = np.where(rng.random(count) < NEGATIVE, -1.0, 1.0)
        return EventTable.from_arrays(self.cells[cell], weight, label, event_id=np.arange(len(cell)))


def levels(seed: int = 2) -> Levels:
    """Return the input space: Gaussian-like densities with an interaction, smooth but not separable."""
    rng = np.random.default_rng(seed)
    cells = np.array(list(itertools.product((-1.0, 0.0, 1.0), repeat=INPUTS)), dtype=np.float32)
    linear, pairs = rng.normal(0, 0.45, INPUTS), rng.normal(0, 0.25, (INPUTS, INPUTS))
    log_ratio = cells @ linear + np.einsum("ni,ij,nj->n", cells, pairs, cells)
    base = np.exp(-0.4 * (cells.astype(float) ** 2).sum(axis=1))
    signal, background = base * np.exp(0.5 * log_ratio), base * np.exp(-0.5 * log_ratio)
    return Levels(cells, signal / signal.sum(), background / background.sum())


def frontier(space: Levels, low: float) -> tuple[Float, Float]:
    """Return the least cross-entropy of any response for each share above a threshold, as corners of a convex curve.

    Moving a cell just across the threshold costs its cross-entropy there less that of its exact response; cells are
    moved in the order of the cost for each unit of share.

    Args:
        space: the input space.
        low: threshold of the response.

    Returns:
        Shares, rising, and cross-entropies, (244,) each.
    """
    best, mass = space.best, space.mass
    at_low = -0.5 * (space.signal * np.log(low) + space.background * np.log1p(-low))
    at_best = -0.5 * (space.signal * np.log(best) + space.background * np.log1p(-best))
    price = (at_low - at_best) / mass * np.where(best >= low, -1.0, 1.0)  # negative: what keeping a cell above saves
    order = np.argsort(price)
    shares = np.concatenate([[0.0], np.cumsum(mass[order])])
    steps = np.concatenate([[0.0], np.cumsum((price * mass)[order])])
    return shares, steps - steps.min() + space.cross_entropy(best)

"""Which fine bins each feature gets: planned once from a subsample of x, then found by a table lookup.

A value is shifted by the median of its feature and its float32 pattern is cut to the sign, the exponent and the first
nine bits of the mantissa. These *cells* are ordered like the values and resolve 0.2 % of the distance from the median,
so a table from cell to bin serves any range and any tail at a few nanoseconds a value. A bin is a run of cells.

The workflow for events that do not fit into memory has two passes: the first draws the subsamples, the second fills
the bins planned from them. The plan knows x only, never the signs, so it biases no test of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepneg.errors import DataError

__all__ = ["FINE_BINS", "BinPlan", "FeatureBins", "plan_bins"]

FINE_BINS = 2048
_SHIFT = 14
_HALF = 1 << (31 - _SHIFT)
_CELLS = 2 * _HALF
_SPIKE_SHARE = 0.01
_MOST_SPIKES = 16
_HEAVY_SHARE = 0.05
_FAR = 0.25


def _cells(column: NDArray[np.float32], offset: np.float32) -> NDArray[np.int32]:
    """Return the cell of each value: monotone in the value, 0 to ``_CELLS`` − 1."""
    with np.errstate(over="ignore"):
        shifted = column - offset
    shifted += np.float32(0.0)  # −0.0 becomes 0.0
    bits = shifted.view(np.int32)
    bits ^= (bits >> 31) & np.int32(0x7FFFFFFF)
    bits >>= _SHIFT
    bits += _HALF
    return bits


def _cell_starts(cells: NDArray[np.int64], offset: np.float32) -> NDArray[np.float64]:
    """Return the smallest value of each cell (the inverse of :func:`_cells`)."""
    bits = ((cells - _HALF) << _SHIFT).astype(np.int32)
    bits ^= (bits >> 31) & np.int32(0x7FFFFFFF)
    return bits.view(np.float32).astype(np.float64) + float(offset)


@dataclass(frozen=True, eq=False, slots=True)
class FeatureBins:
    """The fine bins of one feature. The first and the last are open: they take what lies beyond the subsample.

    Attributes:
        name: of the feature.
        edges: (B + 1,) increasing; the outermost ones are those of the subsample.
        view: the range worth drawing: the central 99 %, without far-off padding values.
        offset: what is subtracted before the lookup.
        table: bin of each cell, int16.
        spikes: (value, bin) of values that fill a bin of their own inside a cell that others use too.
    """

    name: str
    edges: NDArray[np.float64]
    view: tuple[float, float]
    offset: np.float32
    table: NDArray[np.int16]
    spikes: tuple[tuple[np.float32, int], ...]

    def __len__(self) -> int:
        return len(self.edges) - 1

    def __repr__(self) -> str:
        return f"FeatureBins({self.name!r}, {len(self)} bins from {self.edges[0]:.6g} to {self.edges[-1]:.6g})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel between processes with the runs of the table, a hundredth of its size."""
        first = np.flatnonzero(np.diff(self.table, prepend=np.int16(-1)))
        return _unpacked, (self.name, self.edges, self.view, self.offset, first, self.table[first], self.spikes)

    def codes(self, column: NDArray[np.float32]) -> NDArray[np.int16]:
        """Return the bin of each value, (n,)."""
        codes: NDArray[np.int16] = self.table.take(_cells(column, self.offset), mode="clip")
        for value, code in self.spikes:
            codes[column == value] = code
        return codes


def _unpacked(
    name: str,
    edges: NDArray[np.float64],
    view: tuple[float, float],
    offset: np.float32,
    first: NDArray[np.intp],
    bins: NDArray[np.int16],
    spikes: tuple[tuple[np.float32, int], ...],
) -> FeatureBins:
    """Rebuild the table from the first cell of each run and its bin."""
    table = np.repeat(bins, np.diff(first, append=_CELLS))
    return FeatureBins(name, edges, view, offset, table, spikes)


@dataclass(frozen=True, eq=False, slots=True)
class BinPlan:
    """The fine bins of every feature; accumulators with the same plan can be merged."""

    features: tuple[FeatureBins, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the features."""
        return tuple(bins.name for bins in self.features)

    def __repr__(self) -> str:
        return f"BinPlan({', '.join(f'{bins.name}: {len(bins)}' for bins in self.features)})"

    def same_as(self, other: BinPlan) -> bool:
        """Whether both plans put every value into the same bin."""
        if self is other:
            return True
        return self.names == other.names and all(
            a.offset == b.offset and a.spikes == b.spikes and np.array_equal(a.table, b.table)
            for a, b in zip(self.features, other.features, strict=True)
        )


def plan_bins(features: Sequence[NDArray[np.float32]], names: Sequence[str], bins: int = FINE_BINS) -> BinPlan:
    """Plan fine bins of about equal population.

    Args:
        features: the features of one subsample for each sample, each (m, F); all get the same say, whatever their m.
        names: F names.
        bins: at most how many bins of equal population a feature gets; spikes may add a few.

    Returns:
        The plan. A value that holds 1 % of the events or more has a bin of its own; where there are fewer distinct
        values than bins (a count of jets), so has each of them.

    Raises:
        DataError: there is no event to plan from.
    """
    filled = [block for block in features if len(block)]
    if not filled:
        raise DataError("no events: the bins of the features cannot be planned")
    share = np.concatenate([np.full(len(block), 1.0 / len(block) / len(filled)) for block in filled])
    columns = (np.concatenate([block[:, i] for block in filled]) for i in range(len(names)))
    return BinPlan(tuple(_plan_feature(name, x, share, bins) for name, x in zip(names, columns, strict=True)))


def _plan_feature(name: str, column: NDArray[np.float32], share: NDArray[np.float64], bins: int) -> FeatureBins:
    values, inverse = np.unique(column + np.float32(0.0), return_inverse=True)
    population = np.bincount(inverse, weights=share).astype(np.float64, copy=False)
    spiky = _spikes(population)
    offset = _weighted_median(values, np.where(spiky, 0.0, population))
    cells = _cells(values, offset).astype(np.int64)
    group = _groups(cells, population, spiky, bins)
    first = np.flatnonzero(np.diff(group, prepend=-1))
    last = np.append(first[1:], len(values)) - 1
    starts = _boundaries(values, cells, first, last, offset)
    table = np.searchsorted(starts, np.arange(_CELLS), side="right").astype(np.int16)
    spikes = _own_bins(values, cells, first, np.flatnonzero(first == last), table)
    edges = _edges(values, first, last, starts, offset)
    return FeatureBins(name, edges, _view(values, population, group, edges), offset, table, spikes)


def _own_bins(
    values: NDArray[np.float32],
    cells: NDArray[np.int64],
    first: NDArray[np.intp],
    lone: NDArray[np.intp],
    table: NDArray[np.int16],
) -> tuple[tuple[np.float32, int], ...]:
    """Find bins of one value whose cell other values share, and point the cell to a bin beside them in ``table``."""
    shared = (np.diff(cells, prepend=-1) == 0) | (np.diff(cells, append=-1) == 0)
    spikes = tuple((values[first[i]], int(i)) for i in lone if shared[first[i]])
    for value, code in spikes:
        cell = cells[np.searchsorted(values, value)]
        if table[cell] == code:
            table[cell] = code - 1
    return spikes


def _spikes(population: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Mark the values that hold at least ``_SPIKE_SHARE`` of all events, at most ``_MOST_SPIKES`` of them."""
    spiky = population >= _SPIKE_SHARE
    if spiky.sum() > _MOST_SPIKES:
        spiky &= population >= np.sort(population)[-_MOST_SPIKES]
    return spiky


def _weighted_median(values: NDArray[np.float32], population: NDArray[np.float64]) -> np.float32:
    cumulative = np.cumsum(population)
    if cumulative[-1] <= 0:
        return np.float32(values[len(values) // 2])
    return np.float32(values[np.searchsorted(cumulative, 0.5 * cumulative[-1])])


def _groups(
    cells: NDArray[np.int64], population: NDArray[np.float64], spiky: NDArray[np.bool_], bins: int
) -> NDArray[np.intp]:
    """Number the values by bin: runs of whole cells of about equal population, spikes alone."""
    if len(cells) <= bins:
        new = np.diff(cells, prepend=-1) > 0
    else:
        # A cell stays whole: all its values get the quantile of its first one.
        before = np.cumsum(population) - population
        quantile = np.floor(before * bins)[np.searchsorted(cells, cells)]
        new = np.diff(quantile, prepend=-1.0) > 0
    after_spike = np.append(False, spiky[:-1])
    return np.cumsum(new | spiky | after_spike) - 1


def _boundaries(
    values: NDArray[np.float32],
    cells: NDArray[np.int64],
    first: NDArray[np.intp],
    last: NDArray[np.intp],
    offset: np.float32,
) -> NDArray[np.int64]:
    """Return the first cell of every bin but the lowest: half-way between the values on both sides."""
    below, above = values[last[:-1]], values[first[1:]]
    middle = _cells((0.5 * below + 0.5 * above).astype(np.float32), offset).astype(np.int64)
    low = np.minimum(cells[last[:-1]] + 1, cells[first[1:]])
    return np.asarray(np.clip(middle, low, cells[first[1:]]))


def _edges(
    values: NDArray[np.float32],
    first: NDArray[np.intp],
    last: NDArray[np.intp],
    starts: NDArray[np.int64],
    offset: np.float32,
) -> NDArray[np.float64]:
    """Return increasing edges; a lone outermost value gets as much room outside as it has inside."""
    inner = _cell_starts(starts, offset)
    low, high = float(values[0]), float(values[-1])
    reach = [inner[0] - low, high - inner[-1]] if len(inner) else [0.5, 0.5]
    low -= reach[0] if first[0] == last[0] else 0.0
    high += reach[1] if first[-1] == last[-1] else 0.0
    edges = np.concatenate([[low], inner, [high]])
    # Bins that share a cell with a spike have no width of their own: give them the least one that a float can tell.
    for i in range(1, len(edges)):
        edges[i] = max(edges[i], np.nextafter(edges[i - 1], np.inf))
    return edges


def _view(
    values: NDArray[np.float32], population: NDArray[np.float64], group: NDArray[np.intp], edges: NDArray[np.float64]
) -> tuple[float, float]:
    """Return the central 99 %, half a step beyond the last values, without heavy far values (padding such as −999)."""
    cumulative = np.cumsum(population)
    first, last = np.searchsorted(cumulative, [0.005, 0.995]).clip(max=len(values) - 1)
    for _ in range(_MOST_SPIKES):
        far = _FAR * float(values[last] - values[first])
        if last - first < 3:
            break
        if population[first] >= _HEAVY_SHARE and values[first + 1] - values[first] > far:
            first += 1
        elif population[last] >= _HEAVY_SHARE and values[last] - values[last - 1] > far:
            last -= 1
        else:
            break
    if first == last:
        return float(edges[group[first]]), float(edges[group[last] + 1])
    below, above = values[first] - values[first + 1], values[last] - values[last - 1]
    return (
        max(float(edges[group[first]]), float(values[first] + 0.5 * below)),
        min(float(edges[group[last] + 1]), float(values[last] + 0.5 * above)),
    )

"""ROC curve with signed weights, its errors and its monotone envelope."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from hepneg._core.arrays import FloatArray, IndexArray
from hepneg._core.json_values import JsonResult
from hepneg.events import nested_sums
from hepneg.metrics.scored import ScoredEvents, scored_events

__all__ = ["RocCurve", "roc_curve", "roc_curve_of"]


@dataclass(frozen=True, eq=False, slots=True)
class RocCurve(JsonResult):
    """Efficiencies of the cut ``score >= threshold``, from the tightest cut to none.

    Attributes:
        threshold: (m,) decreasing; the first is infinite and keeps nothing.
        signal_efficiency: (m,) share of Σw of the signal; with signed weights neither monotone nor within [0, 1].
        background_efficiency: (m,) the same for the background.
        signal_error: (m,) standard error of the signal efficiency at that threshold.
        background_error: (m,) the same for the background.
        band: (m,) standard error of the signal efficiency at fixed background efficiency.
    """

    threshold: FloatArray
    signal_efficiency: FloatArray
    background_efficiency: FloatArray
    signal_error: FloatArray
    background_error: FloatArray
    band: FloatArray

    def __len__(self) -> int:
        return len(self.threshold)

    def __repr__(self) -> str:
        return f"RocCurve({len(self)} points)"

    def envelope(self) -> RocCurve:
        """Return the monotone envelope: running maxima of both efficiencies, kept within [0, 1]."""
        signal, background = (
            np.clip(np.maximum.accumulate(part), 0.0, 1.0)
            for part in (self.signal_efficiency, self.background_efficiency)
        )
        return replace(self, signal_efficiency=signal, background_efficiency=background)


def roc_curve(
    score: ArrayLike, label: ArrayLike, weight: ArrayLike, *, points: int | None = 200, seed: int = 1
) -> RocCurve:
    """Trace signal against background efficiency.

    Args:
        score: (n,), higher for signal.
        label: (n,) of 0 and 1.
        weight: (n,) signed weights.
        points: keep about so many thresholds, evenly spaced in Σ|w|; None keeps every distinct score.
        seed: of the replicas behind the band.

    Returns:
        The curve as it is. The errors at a threshold are those of a ratio of signed sums. The band is half the central
        68 % interval of 200 replicas, in which the sum of weights between two kept thresholds fluctuates normally with
        variance Σw²: the first two moments of a Poisson bootstrap.

    Raises:
        DataError: unusable columns, or a label with Σw ≤ 0.
    """
    return roc_curve_of(scored_events(score, label, weight), points=points, seed=seed)


def roc_curve_of(events: ScoredEvents, *, points: int | None = 200, seed: int = 1) -> RocCurve:
    """Trace signal against background efficiency of scored events; see :func:`roc_curve`.

    Raises:
        DataError: a label with Σw ≤ 0.
    """
    thresholds = events.ranks.values[::-1]
    rank = len(thresholds) - 1 - events.ranks.rank
    kept = _kept_points(events, rank, len(thresholds), points)
    segment = np.searchsorted(kept, rank)
    sums, squares = _segment_sums(events, segment, len(kept))
    efficiency = np.cumsum(sums, axis=1)
    errors = _efficiency_errors(efficiency, *_kept_squares(events, segment, squares))
    band = _band(sums, _noise(events, segment, squares), seed)
    threshold = np.concatenate([[np.inf], thresholds[kept]])
    return RocCurve(threshold, *(np.concatenate([[0.0], part]) for part in (*efficiency, *errors, band)))


def _kept_points(events: ScoredEvents, rank: IndexArray, distinct: int, points: int | None) -> IndexArray:
    """Positions among the distinct scores at which the curve is kept; the last always is."""
    if points is None or distinct <= points:
        return np.arange(distinct)
    size = np.cumsum(np.bincount(rank, np.abs(events.share), distinct))
    wanted = np.searchsorted(size, size[-1] * np.arange(1, points) / points)
    return np.unique(np.append(np.minimum(wanted, distinct - 1), distinct - 1))


def _segment_sums(events: ScoredEvents, segment: IndexArray, segments: int) -> tuple[FloatArray, FloatArray]:
    """Σ and Σ² of the normalised weights between kept thresholds, (2, segments): signal, background."""
    share = events.share
    masks = (events.signal, ~events.signal)
    sums = [np.bincount(segment[mask], share[mask], segments) for mask in masks]
    squares = [np.bincount(segment[mask], share[mask] ** 2, segments) for mask in masks]
    return np.array(sums), np.array(squares)


def _kept_squares(events: ScoredEvents, segment: IndexArray, squares: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return ΣK² and ΣK·S over the events of each label at every threshold, (2, segments).

    K is what a cut keeps of an event's share and S the whole; both are Σ of squares where each row is an event.
    """
    running = np.cumsum(squares, axis=1)
    if events.cluster is None:
        return running, running
    sums = np.empty((2, *running.shape))
    for row, mask in enumerate((events.signal, ~events.signal)):
        order = np.flatnonzero(mask)[np.argsort(segment[mask], kind="stable")]
        last = np.searchsorted(segment[order], np.arange(running.shape[1]), side="right")
        parts = nested_sums(events.share[order], events.cluster[order])
        sums[:, row] = [np.append(0.0, part)[last] for part in parts]
    return sums[0], sums[1]


def _efficiency_errors(efficiency: FloatArray, inside: FloatArray, cross: FloatArray) -> FloatArray:
    """Error of Σ(kept)/Σ(all): different events inside and outside the cut fluctuate independently."""
    both = 2.0 * efficiency * (inside - cross)
    variance = inside * (1.0 - efficiency) ** 2 + (inside[:, -1:] - inside) * efficiency**2 + both
    return np.sqrt(np.maximum(variance, 0.0))


def _noise(
    events: ScoredEvents, segment: IndexArray, squares: FloatArray
) -> Callable[[np.random.Generator], FloatArray]:
    """Return what draws normal fluctuations of the segments' sums, (2, segments): one number for each event."""
    shape = squares.shape
    if events.cluster is None:
        return lambda rng: np.sqrt(squares) * rng.standard_normal(shape)
    cluster, column = events.cluster, segment + shape[1] * ~events.signal
    number = int(cluster.max(initial=0)) + 1

    def drawn(rng: np.random.Generator) -> FloatArray:
        fluctuation = events.share * rng.standard_normal(number)[cluster]
        return np.asarray(np.bincount(column, fluctuation, squares.size).reshape(shape), np.float64)

    return drawn


def _band(
    sums: FloatArray, noise: Callable[[np.random.Generator], FloatArray], seed: int, replicas: int = 200
) -> FloatArray:
    rng = np.random.default_rng(seed)
    at = np.maximum.accumulate(np.cumsum(sums[1]))
    curves = np.empty((replicas, sums.shape[1]))
    for replica in range(replicas):
        varied = sums + noise(rng)
        signal, background = np.cumsum(varied, axis=1) / varied.sum(axis=1, keepdims=True)
        curves[replica] = np.interp(at, np.maximum.accumulate(background), signal, left=0.0)
    low, high = np.quantile(curves, [0.15865, 0.84135], axis=0)
    return np.asarray(0.5 * (high - low))

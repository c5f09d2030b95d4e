"""Loss, Brier score and AUC from sums that can be filled in chunks and merged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hepneg._core.estimate import Estimate
from hepneg.errors import DataError
from hepneg.metrics.scored import Floats, labelled_events, positive_sums

__all__ = ["BinnedAuc", "BinnedAucAccumulator", "BrierAccumulator", "LogLossAccumulator"]


class _BalancedMeanAccumulator:
    """Σw, Σwℓ, Σw², Σw²ℓ and Σw²ℓ² of each label, with ℓ counted from an origin so that the squares keep digits."""

    _ORIGIN: ClassVar[float]

    def __init__(self) -> None:
        self.sums = np.zeros((2, 5))

    @staticmethod
    def _loss(score: Floats, signal: NDArray[np.bool_]) -> Floats:
        raise NotImplementedError

    def fill(self, score: ArrayLike, label: ArrayLike, weight: ArrayLike) -> None:
        """Add events: score (n,), label (n,) of 0 and 1, weight (n,) signed.

        Raises:
            DataError: unusable columns.
        """
        scores, signal, w = labelled_events(score, label, weight)
        loss = self._loss(scores, signal) - self._ORIGIN
        terms = np.stack([w, w * loss, w**2, w**2 * loss, w**2 * loss**2])
        self.sums += np.stack([terms[:, ~signal].sum(axis=1), terms[:, signal].sum(axis=1)])

    def merge(self, other: Self) -> Self:
        """Return the accumulator of both sets of events."""
        total = type(self)()
        total.sums = self.sums + other.sums
        return total

    __add__ = merge

    def result(self) -> Estimate:
        """Return the value and its error, those of the function on all events at once up to rounding.

        Raises:
            DataError: a label with Σw ≤ 0.
        """
        positive_sums(float(self.sums[1, 0]), float(self.sums[0, 0]))
        w, wl, w2, w2l, w2l2 = self.sums.T
        mean = wl / w
        variance = np.maximum(w2l2 - 2.0 * mean * w2l + mean**2 * w2, 0.0) / w**2
        return Estimate(self._ORIGIN + 0.5 * float(mean.sum()), 0.5 * float(np.sqrt(variance.sum())))


class LogLossAccumulator(_BalancedMeanAccumulator):
    """The log-loss of log-odds in chunks; see :func:`hepneg.metrics.log_loss`."""

    _ORIGIN = float(np.log(2.0))

    @staticmethod
    def _loss(score: Floats, signal: NDArray[np.bool_]) -> Floats:
        return np.logaddexp(0.0, np.where(signal, -score, score))


class BrierAccumulator(_BalancedMeanAccumulator):
    """The Brier score of a response in chunks; see :func:`hepneg.metrics.brier`."""

    _ORIGIN = 0.25

    @staticmethod
    def _loss(score: Floats, signal: NDArray[np.bool_]) -> Floats:
        return np.asarray((signal - score) ** 2)


@dataclass(frozen=True, slots=True)
class BinnedAuc:
    """An area under the ROC curve in which events of one bin count as ties.

    Attributes:
        estimate: value and statistical error.
        binning: the unbinned value differs by no more than this: ½ Σ|w|₁Σ|w|₀/(W₁W₀) over the bins.
    """

    estimate: Estimate
    binning: float

    def to_dict(self) -> dict[str, float]:
        """Return ``{"value": …, "error": …, "binning": …}``."""
        return {**self.estimate.to_dict(), "binning": self.binning}


class BinnedAucAccumulator:
    """The area under the ROC curve in chunks, with fine bins of the score.

    Args:
        edges: increasing edges of the bins, what lies beyond counts into the outermost ones; left out, 2000 bins in [0,
            1]. Accumulators of the same edges can be merged.
    """

    def __init__(self, edges: ArrayLike | None = None) -> None:
        self.edges = np.linspace(0.0, 1.0, 2001) if edges is None else np.asarray(edges, np.float64)
        if self.edges.ndim != 1 or len(self.edges) < 2 or (np.diff(self.edges) <= 0).any():
            raise DataError("the edges of the bins must increase, and there must be at least two")
        self.sums = np.zeros((3, 2, len(self.edges) - 1))

    def fill(self, score: ArrayLike, label: ArrayLike, weight: ArrayLike) -> None:
        """Add events: score (n,), label (n,) of 0 and 1, weight (n,) signed.

        Raises:
            DataError: unusable columns.
        """
        scores, signal, w = labelled_events(score, label, weight)
        bins = len(self.edges) - 1
        place = np.searchsorted(self.edges[1:-1], scores, side="right") + bins * signal
        self.sums += np.array([np.bincount(place, part, 2 * bins).reshape(2, bins) for part in (w, np.abs(w), w * w)])

    def merge(self, other: Self) -> Self:
        """Return the accumulator of both sets of events.

        Raises:
            ValueError: the two have different edges.
        """
        if not np.array_equal(self.edges, other.edges):
            raise ValueError("only accumulators with the same edges can be merged")
        total = type(self)(self.edges)
        total.sums = self.sums + other.sums
        return total

    __add__ = merge

    def result(self) -> BinnedAuc:
        """Return the area, its error and the bound on what the bins change.

        Raises:
            DataError: a label with Σw ≤ 0.
        """
        totals = self.sums[0].sum(axis=1)
        positive_sums(float(totals[1]), float(totals[0]))
        net, size = self.sums[0] / totals[:, None], self.sums[1] / totals[:, None]
        square = self.sums[2] / totals[:, None] ** 2
        below = np.cumsum(net, axis=1) - 0.5 * net
        area = float(net[1] @ below[0])
        variance = square[1] @ (below[0] - area) ** 2 + square[0] @ (1.0 - below[1] - area) ** 2
        return BinnedAuc(Estimate(area, float(np.sqrt(variance))), 0.5 * float(size[0] @ size[1]))

"""Quantiles of a signed distribution, with errors, and a flag where its cumulative distribution is not monotone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hepneg._core.arrays import FloatArray, IndexArray
from hepneg._core.json_values import JsonResult
from hepneg.errors import DataError
from hepneg.events import nested_sums
from hepneg.metrics.scored import finite_column, row_clusters

__all__ = ["Quantiles", "quantiles"]


@dataclass(frozen=True, eq=False, slots=True)
class Quantiles(JsonResult):
    """Quantiles of one quantity.

    Attributes:
        probability: (m,) in (0, 1).
        value: (m,) where the signed cumulative distribution reaches the probability.
        error: (m,) half the width of the 68 % interval.
        low: (m,) its lower end.
        high: (m,) its upper end.
        unique: (m,) false where the cumulative distribution crosses the probability more than once by 3 standard
            deviations each time, so that there is no one quantile: the value is the middle of the first and the last
            crossing, and the interval spans them.
    """

    probability: FloatArray
    value: FloatArray
    error: FloatArray
    low: FloatArray
    high: FloatArray
    unique: NDArray[np.bool_]

    def __repr__(self) -> str:
        parts = ", ".join(f"{p:.3g}: {v:.6g}" for p, v in zip(self.probability, self.value, strict=True))
        return f"Quantiles({parts})"


SIGNIFICANCE = 3.0
_TOLERANCE = 1e-12


def quantiles(
    x: ArrayLike, weight: ArrayLike, probability: ArrayLike, *, event_id: ArrayLike | None = None
) -> Quantiles:
    """Return quantiles of a signed distribution.

    Args:
        x: (n,) finite numbers.
        weight: (n,) signed weights with a positive sum.
        probability: (m,) or one number, in (0, 1).
        event_id: (n,) or (n, m) integers; rows of equal ones, the candidates of an event, are one observation.

    Returns:
        The quantiles: x at which F(x) = Σw(≤x)/Σw reaches p, midway where it reaches it exactly at an event (the usual
        median for equal weights). The interval inverts F ± its error √(Σ(w(1[≤x] − p))²)/Σw (Woodruff, J. Am. Stat.
        Assoc. 47 (1952) 635), so it needs no density and may be lopsided.

    Raises:
        DataError: unusable columns, Σw ≤ 0, or a probability outside (0, 1).

    With negative weights F is not monotone: by chance everywhere, which the interval covers, and where the density is
    negative, which ``unique`` tells. For few events of either sign the interval is approximate.
    """
    values, weights = finite_column(x, "x"), finite_column(weight, "weight")
    wanted = np.atleast_1d(np.asarray(probability, np.float64))
    if values.shape != weights.shape:
        raise DataError(f"x and weight have shapes {values.shape} and {weights.shape}; give one of each per event")
    if not ((wanted > 0) & (wanted < 1)).all():
        raise DataError("probabilities must lie between 0 and 1, both excluded")
    total = float(weights.sum())
    if total <= 0:
        raise DataError(
            f"the weights sum to {total:.6g}: there are no quantiles; use more events or a looser selection"
        )
    curve = _Curve.of(values, weights / total, row_clusters(event_id, len(values)))
    columns = np.array([curve.quantile(float(p)) for p in wanted])
    value, low, high, unique = columns.T
    return Quantiles(wanted, value, 0.5 * (high - low), low, high, unique > 0)


@dataclass(frozen=True, eq=False, slots=True)
class _Curve:
    """The cumulative distribution at the distinct values, and running sums over events of their shares K up to there.

    ``square`` is ΣK², ``cross`` ΣK·S with S the whole share of an event; both are Σ of squared shares where each row is
    an event.
    """

    x: FloatArray
    cumulative: FloatArray
    square: FloatArray
    cross: FloatArray

    @classmethod
    def of(cls, x: FloatArray, share: FloatArray, cluster: IndexArray | None) -> _Curve:
        """Sum up the events by distinct value."""
        distinct, rank = np.unique(x, return_inverse=True)
        steps = [np.bincount(rank, part, len(distinct)) for part in (share, share**2)]
        cumulative, square = (np.asarray(np.cumsum(step), np.float64) for step in steps)
        if cluster is None:
            return cls(distinct, cumulative, square, square)
        order = np.argsort(rank, kind="stable")
        last = np.searchsorted(rank[order], np.arange(len(distinct)), side="right") - 1
        return cls(distinct, cumulative, *(part[last] for part in nested_sums(share[order], cluster[order])))

    def quantile(self, p: float) -> tuple[float, float, float, bool]:
        """Return value, lower and upper end, and whether no other crossing is significant."""
        first, last = self._crossings(p)
        # Up to x: Σ(w(1 − p))² of the events, beyond it: Σ(wp)²; rows of one event on both sides add up before.
        both = 2.0 * p * (self.square - self.cross)
        error = np.sqrt(self.square * (1.0 - p) ** 2 + (self.square[-1] - self.square) * p**2 + both)
        gap = self.cumulative - p
        compatible = np.flatnonzero(np.abs(gap) <= error)
        low, high = first, last
        if len(compatible):
            low = min(first, float(self.x[compatible[0]]))
            high = max(last, float(self.x[min(compatible[-1] + 1, len(self.x) - 1)]))
        return 0.5 * (first + last), low, high, _turns(gap, error) <= 1

    def _crossings(self, p: float) -> tuple[float, float]:
        """Return the first value with F ≥ p, and the value after the last one with F ≤ p."""
        first = int(np.argmax(self.cumulative >= p - _TOLERANCE))
        below = np.flatnonzero(self.cumulative <= p + _TOLERANCE)
        last = int(below[-1]) + 1 if len(below) else 0
        return float(self.x[first]), float(self.x[min(last, len(self.x) - 1)])


def _turns(gap: FloatArray, error: FloatArray) -> int:
    """Count how often the gap changes from significantly below zero to significantly above, or back."""
    sides = np.sign(gap)[np.abs(gap) > SIGNIFICANCE * error]
    return int(np.count_nonzero(np.diff(sides, prepend=-1.0)))

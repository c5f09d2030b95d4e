"""Means, variances and correlations of features under signed weights: mergeable sums, guarded results with errors."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import comb
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hepneg._core.arrays import FloatArray, IndexArray
from hepneg._core.estimate import Estimate
from hepneg._core.json_values import JsonResult, json_object
from hepneg.errors import DataError
from hepneg.metrics.scored import finite_column, row_clusters

__all__ = [
    "CorrelationAccumulator",
    "CorrelationDifference",
    "Correlations",
    "PairDifference",
    "correlations",
    "sign_correlations",
]

SIGNIFICANCE = 3.0
"""A signed variance must lie so many standard deviations above 0 for a correlation to be given."""


@dataclass(frozen=True, eq=False, slots=True)
class Correlations(JsonResult):
    """Signed means and correlations of F features.

    Attributes:
        names: of the features.
        mean: (F,) Σwx/Σw.
        mean_error: (F,).
        variance: (F,) Σw(x − mean)²/Σw; may be negative.
        variance_error: (F,).
        matrix: (F, F) correlations, NaN where one of the variances is not defined.
        error: (F, F) standard errors.
        defined: (F,) whether the variance is at least 3 standard deviations above 0.
        entries: number of events.
    """

    names: tuple[str, ...]
    mean: FloatArray
    mean_error: FloatArray
    variance: FloatArray
    variance_error: FloatArray
    matrix: FloatArray
    error: FloatArray
    defined: NDArray[np.bool_]
    entries: int

    def __repr__(self) -> str:
        undefined = len(self.names) - int(self.defined.sum())
        note = f", {undefined} without a significant variance" if undefined else ""
        return f"Correlations({len(self.names)} features, {self.entries} events{note})"


class CorrelationAccumulator:
    """Sums of w and w² times powers of one and two features, from which correlations and their errors follow.

    Feature values are shifted by an origin near their mean and divided by a scale, so that the products keep their
    digits; accumulators of the same origin and scale can be merged. The sums are some 5F² numbers.

    Args:
        names: F names.
        origin: (F,) numbers near the means, for instance those of a first chunk.
        scale: (F,) numbers near the standard deviations, positive.
    """

    def __init__(self, names: Sequence[str], origin: ArrayLike, scale: ArrayLike) -> None:
        self.names = tuple(names)
        self.origin = np.asarray(origin, np.float64)
        self.scale = np.asarray(scale, np.float64)
        if self.origin.shape != (len(self.names),) or self.scale.shape != self.origin.shape or (self.scale <= 0).any():
            raise DataError("origin and scale must hold one finite number per feature, the scale positive")
        self.entries = 0
        count = len(self.names)
        self.sum_weights = 0.0
        self.first = np.zeros((1 + count, count))  # Σ w z_b, and Σ w z_a z_b
        self.single = np.zeros((5, count))  # Σ w² z_aⁱ for i of 0 to 4
        self.double = np.zeros((len(_POWERS), count, count))  # Σ w² z_aⁱ z_bʲ

    def fill(self, features: NDArray[np.floating], weight: ArrayLike) -> None:
        """Add events: features (n, F), weight (n,) signed.

        Raises:
            DataError: shapes that do not fit or numbers that are not finite.
        """
        weights = finite_column(weight, "weight")
        if features.shape != (len(weights), len(self.names)):
            raise DataError(f"features have shape {features.shape}; give ({len(weights)}, {len(self.names)})")
        for start in range(0, len(weights), 8192):
            self._fill_piece(features[start : start + 8192], weights[start : start + 8192])
        self.entries += len(weights)

    def _fill_piece(self, features: NDArray[np.floating], weight: FloatArray) -> None:
        z = (features - self.origin) / self.scale
        if not np.isfinite(z).all():
            raise DataError("NaN or infinite features; remove those events first")
        self.sum_weights += float(weight.sum())
        self.first[0] += weight @ z
        self.first[1:] += z.T @ (weight[:, None] * z)
        powers = [np.repeat(weight[:, None], z.shape[1], axis=1)]  # w zⁱ
        for _ in range(3):
            powers.append(powers[-1] * z)
        self.single[:4] += [np.sum(powers[0] * power, axis=0) for power in powers]
        self.single[4] += np.sum(powers[2] ** 2, axis=0)
        self.double += [powers[i].T @ powers[j] for i, j in _POWERS]

    def merge(self, other: Self) -> Self:
        """Return the accumulator of both sets of events.

        Raises:
            ValueError: the two differ in features, origin or scale.
        """
        same = np.array_equal(self.origin, other.origin) and np.array_equal(self.scale, other.scale)
        if self.names != other.names or not same:
            raise ValueError("only accumulators of the same features, origin and scale can be merged")
        total = type(self)(self.names, self.origin, self.scale)
        total.entries = self.entries + other.entries
        total.sum_weights = self.sum_weights + other.sum_weights
        total.first = self.first + other.first
        total.single = self.single + other.single
        total.double = self.double + other.double
        return total

    __add__ = merge

    def result(self) -> Correlations:
        """Return means, variances and correlations with linear errors.

        The contribution of an event to the fluctuation of a correlation r of features a and b with unit variances and
        zero means is w(ab − ½r(a² + b²))/Σw.

        Raises:
            DataError: Σw ≤ 0.
        """
        total = self.sum_weights
        if total <= 0:
            raise DataError(f"the weights sum to {total:.6g}: there are no correlations; use more events")
        mean = self.first[0] / total
        covariance = self.first[1:] / total - np.outer(mean, mean)
        single, double = self._central(mean)
        variance = covariance.diagonal().copy()
        variance_error = _root(single[4] - 2.0 * variance * single[2] + variance**2 * single[0])
        defined = variance > SIGNIFICANCE * variance_error
        matrix, error = _standardised(covariance, single[4], double, defined)
        return Correlations(
            names=self.names,
            mean=self.origin + self.scale * mean,
            mean_error=self.scale * _root(single[2]),
            variance=self.scale**2 * variance,
            variance_error=self.scale**2 * variance_error,
            matrix=matrix,
            error=error,
            defined=defined,
            entries=self.entries,
        )

    def _central(self, mean: FloatArray) -> tuple[FloatArray, dict[tuple[int, int], FloatArray]]:
        """Return Σ w² (a − μ)ⁱ and Σ w² (a − μ)ⁱ(b − ν)ʲ over (Σw)², by the binomial theorem from the sums around 0."""
        scale = self.sum_weights**2
        raw = {powers: sums / scale for powers, sums in zip(_POWERS, self.double, strict=True)}
        moments = self.single / scale
        for i in range(5):
            raw[i, 0] = np.broadcast_to(moments[i][:, None], raw[1, 1].shape)
            raw[0, i] = np.broadcast_to(moments[i][None, :], raw[1, 1].shape)
        raw[1, 2] = raw[2, 1].T
        central = {powers: _shifted(raw, powers, mean) for powers in ((2, 2), (3, 1))}
        single = [
            np.sum([comb(i, k) * moments[k] * (-mean) ** (i - k) for k in range(i + 1)], axis=0) for i in range(5)
        ]
        return np.array(single), central


_POWERS = ((1, 1), (2, 1), (2, 2), (3, 1))
"""Powers of two features of which sums are kept."""


def _shifted(raw: Mapping[tuple[int, int], FloatArray], powers: tuple[int, int], mean: FloatArray) -> FloatArray:
    """Return Σ w² (a − μ)ⁱ(b − ν)ʲ from the same around 0."""
    i, j = powers
    total = np.zeros_like(raw[powers])
    for k in range(i + 1):
        for m in range(j + 1):
            factor = comb(i, k) * comb(j, m) * np.multiply.outer((-mean) ** (i - k), (-mean) ** (j - m))
            total += factor * raw[k, m]
    return total


def _standardised(
    covariance: FloatArray, fourth: FloatArray, double: Mapping[tuple[int, int], FloatArray], defined: NDArray[np.bool_]
) -> tuple[FloatArray, FloatArray]:
    """Return the correlations and their errors; exactly 1 and 0 on the diagonal."""
    width = np.sqrt(np.where(defined, covariance.diagonal(), np.nan))
    norm = np.multiply.outer(width, width)
    r = covariance / norm
    own = fourth / width**4
    both = double[2, 2] / norm**2
    odd = double[3, 1] / np.multiply.outer(width**3, width)
    variance = both - r * (odd + odd.T) + 0.25 * r**2 * (own[:, None] + own[None, :] + 2.0 * both)
    error = _root(variance)
    diagonal = np.where(defined, 1.0, np.nan)
    np.fill_diagonal(r, diagonal)
    np.fill_diagonal(error, 0.0 * diagonal)
    return r, error


def _root(variance: FloatArray) -> FloatArray:
    return np.sqrt(np.maximum(variance, 0.0))


def correlations(
    features: NDArray[np.floating], weight: ArrayLike, names: Sequence[str], *, event_id: ArrayLike | None = None
) -> Correlations:
    """Return means, variances and correlations under signed weights.

    Args:
        features: (n, F).
        weight: (n,) signed weights with a positive sum.
        names: F names.
        event_id: (n,) or (n, m) integers; rows of equal ones, the candidates of an event, are one observation.

    Returns:
        The matrix and its errors, linear in the fluctuations of the events. A feature whose signed variance is not at
        least three standard deviations above zero has NaN correlations, for the signed density has no such spread to
        speak of.

    Raises:
        DataError: unusable columns, or Σw ≤ 0.
    """
    matrix = np.asarray(features, np.float64)
    origin, spread = matrix.mean(axis=0), matrix.std(axis=0)
    sums = CorrelationAccumulator(names, origin, np.where(spread > 0, spread, 1.0))
    sums.fill(matrix, weight)
    result, cluster = sums.result(), row_clusters(event_id, len(matrix))
    return result if cluster is None else _by_event(result, matrix, np.asarray(weight, np.float64), cluster)


def _by_event(result: Correlations, features: FloatArray, weight: FloatArray, cluster: IndexArray) -> Correlations:
    """Return the same with errors whose contributions are added up over the rows of an event before they are squared.

    See :meth:`CorrelationAccumulator.result` for what a row contributes.
    """
    from scipy.sparse import csr_array

    rows = np.arange(len(weight))
    of_event = csr_array((weight / weight.sum(), (cluster, rows)), shape=(int(cluster.max(initial=0)) + 1, len(weight)))

    def error(contribution: FloatArray) -> FloatArray:
        return _root(np.sum((of_event @ contribution) ** 2, axis=0))

    deviation = features - result.mean
    squares = deviation**2
    with np.errstate(invalid="ignore", divide="ignore"):
        z = np.where(result.defined, deviation / np.sqrt(result.variance), np.nan)
    half = 0.5 * z**2
    errors = [
        error(z[:, [a]] * z - result.matrix[a] * (half[:, [a]] + half)) if result.defined[a] else result.error[a]
        for a in range(len(result.names))
    ]
    matrix_error = np.array(errors)
    np.fill_diagonal(matrix_error, result.error.diagonal())
    return replace(
        result, mean_error=error(deviation), variance_error=error(squares - result.variance), error=matrix_error
    )


@dataclass(frozen=True, slots=True)
class PairDifference:
    """How the correlation of two features differs between positive and \\|negative\\| events.

    Attributes:
        features: their names.
        positive: correlation of events with positive weight.
        negative: of events with negative weight.
        difference: negative − positive.
        p_adjusted: probability of so large a difference by chance, times the number of pairs; the error is taken for
            normal.
    """

    features: tuple[str, str]
    positive: Estimate
    negative: Estimate
    difference: Estimate
    p_adjusted: float

    def __str__(self) -> str:
        first, second = self.features
        return f"{first} and {second}: {self.positive} with w > 0, {self.negative} with w < 0"

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain numbers."""
        return json_object(asdict(self))


@dataclass(frozen=True, eq=False, slots=True)
class CorrelationDifference(JsonResult):
    """Correlations of positive and of \\|negative\\| events, and their difference.

    Attributes:
        positive: of events with positive weight.
        negative: of events with negative weight, with \\|w\\|.
        difference: (F, F) negative − positive.
        error: (F, F) of the difference; the two sets of events are independent.
        significance: (F, F) difference over error; NaN on the diagonal and where one is not defined.
    """

    positive: Correlations
    negative: Correlations
    difference: FloatArray
    error: FloatArray
    significance: FloatArray

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the features."""
        return self.positive.names

    def __repr__(self) -> str:
        largest = float(np.nanmax(np.abs(self.significance))) if np.isfinite(self.significance).any() else float("nan")
        return f"CorrelationDifference({len(self.names)} features, largest difference {largest:.1f} σ)"

    def pairs(self, most: int = 10) -> tuple[PairDifference, ...]:
        """Return the pairs of features that differ most significantly, at most so many, the most significant first."""
        rows, columns = np.triu_indices(len(self.names), 1)
        size = np.abs(self.significance[rows, columns])
        known = np.flatnonzero(np.isfinite(size))
        leading = known[np.argsort(-size[known], kind="stable")][:most]
        return tuple(self._pair(int(rows[i]), int(columns[i]), len(known)) for i in leading)

    def _pair(self, row: int, column: int, tested: int) -> PairDifference:
        def entry(matrix: FloatArray, error: FloatArray) -> Estimate:
            return Estimate(float(matrix[row, column]), float(error[row, column]))

        p_value = math.erfc(abs(float(self.significance[row, column])) / math.sqrt(2.0))
        return PairDifference(
            features=(self.names[row], self.names[column]),
            positive=entry(self.positive.matrix, self.positive.error),
            negative=entry(self.negative.matrix, self.negative.error),
            difference=entry(self.difference, self.error),
            p_adjusted=min(1.0, tested * p_value),
        )

    def summary(self) -> dict[str, Any]:
        """Return how many events and features there are, and the pairs that differ most, without the matrices."""
        return {
            "entries": self.positive.entries + self.negative.entries,
            "features": list(self.names),
            "largest": [pair.to_dict() for pair in self.pairs()],
        }


def sign_correlations(
    features: NDArray[np.floating], weight: ArrayLike, names: Sequence[str], *, event_id: ArrayLike | None = None
) -> CorrelationDifference:
    """Compare the correlations of positive and \\|negative\\| events.

    Args:
        features: (n, F).
        weight: (n,) signed weights; both signs must occur.
        names: F names.
        event_id: (n,) or (n, m) integers; rows of equal ones, the candidates of an event, are one observation.

    Raises:
        DataError: unusable columns, or a sign without events.
    """
    weights = finite_column(weight, "weight")
    ids = None if event_id is None else np.asarray(event_id)
    parts = [
        correlations(features[mask], np.abs(weights[mask]), names, event_id=None if ids is None else ids[mask])
        for mask in _masks(weights)
    ]
    difference = parts[1].matrix - parts[0].matrix
    error = np.hypot(parts[0].error, parts[1].error)
    significance = np.divide(difference, error, out=np.full_like(difference, np.nan), where=error > 0)
    return CorrelationDifference(parts[0], parts[1], difference, error, significance)


def _masks(weight: FloatArray) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    masks = weight > 0, weight < 0
    for mask, sign in zip(masks, ("positive", "negative"), strict=True):
        if not mask.any():
            raise DataError(f"there are no events with {sign} weight: nothing to compare")
    return masks

"""Means, variances and correlations of features under signed weights: mergeable sums, guarded results with errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hepneg.errors import DataError
from hepneg.metrics.scored import Floats, finite_column
from hepneg.output import json_ready

__all__ = ["CorrelationAccumulator", "CorrelationDifference", "Correlations", "correlations", "sign_correlations"]

SIGNIFICANCE = 3.0
"""A signed variance must lie so many standard deviations above 0 for a correlation to be given."""


@dataclass(frozen=True, eq=False, slots=True)
class Correlations:
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
    mean: Floats
    mean_error: Floats
    variance: Floats
    variance_error: Floats
    matrix: Floats
    error: Floats
    defined: NDArray[np.bool_]
    entries: int

    def __repr__(self) -> str:
        undefined = len(self.names) - int(self.defined.sum())
        note = f", {undefined} without a significant variance" if undefined else ""
        return f"Correlations({len(self.names)} features, {self.entries} events{note})"

    def to_dict(self) -> dict[str, Any]:
        """Return names, columns and matrices as lists."""
        ready: dict[str, Any] = json_ready({name: getattr(self, name) for name in self.__slots__})
        return ready


class CorrelationAccumulator:
    """Sums of w and w² times products of up to four features, from which correlations and their errors follow.

    Feature values are shifted by an origin near their mean and divided by a scale, so that the products keep their digits;
    accumulators of the same origin and scale can be merged. The sums of products of four features hold one row and
    column for each pair of features: F²(F + 1)²/4 numbers, 1.6 million for 50 features.

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
        self._rows, self._columns = np.triu_indices(len(self.names))
        terms = 1 + len(self.names) + len(self._rows)
        self.first = np.zeros(terms)
        self.second = np.zeros((terms, terms))

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

    def _fill_piece(self, features: NDArray[np.floating], weight: Floats) -> None:
        z = (features - self.origin) / self.scale
        if not np.isfinite(z).all():
            raise DataError("NaN or infinite features; remove those events first")
        terms = np.concatenate([np.ones((len(z), 1)), z, z[:, self._rows] * z[:, self._columns]], axis=1)
        self.first += weight @ terms
        terms *= weight[:, None]
        self.second += terms.T @ terms

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
        total.first = self.first + other.first
        total.second = self.second + other.second
        return total

    __add__ = merge

    def result(self) -> Correlations:
        """Return means, variances and correlations with linear errors.

        The contribution of an event to the fluctuation of a correlation r of features a and b with unit variances and
        zero means is w(ab − ½r(a² + b²))/Σw.

        Raises:
            DataError: Σw ≤ 0.
        """
        total = float(self.first[0])
        if total <= 0:
            raise DataError(f"the weights sum to {total:.6g}: there are no correlations; use more events")
        count = len(self.names)
        first, second = self.first / total, self.second / total**2
        mean = first[1 : 1 + count]
        covariance = np.empty((count, count))
        covariance[self._rows, self._columns] = first[1 + count :] - mean[self._rows] * mean[self._columns]
        covariance[self._columns, self._rows] = covariance[self._rows, self._columns]
        influence, mean_influence = self._influences(mean, covariance)
        spread = influence @ second @ influence.T  # covariance of the elements of the covariance matrix
        diagonal = np.flatnonzero(self._rows == self._columns)
        variance, variance_error = covariance.diagonal(), _root(spread.diagonal()[diagonal])
        defined = variance > SIGNIFICANCE * variance_error
        matrix, error = self._matrix(covariance, spread, diagonal, defined)
        mean_error = _root(np.einsum("it,tu,iu->i", mean_influence, second, mean_influence))
        return Correlations(
            names=self.names,
            mean=self.origin + self.scale * mean,
            mean_error=self.scale * mean_error,
            variance=self.scale**2 * variance,
            variance_error=self.scale**2 * variance_error,
            matrix=matrix,
            error=error,
            defined=defined,
            entries=self.entries,
        )

    def _influences(self, mean: Floats, covariance: Floats) -> tuple[Floats, Floats]:
        """Write (a − μ)(b − ν) − C, and a − μ, as rows of coefficients of the terms 1, a, ab."""
        count, pairs = len(self.names), len(self._rows)
        number = np.arange(pairs)
        products = np.zeros((pairs, 1 + count + pairs))
        products[:, 0] = mean[self._rows] * mean[self._columns] - covariance[self._rows, self._columns]
        np.add.at(products, (number, 1 + self._rows), -mean[self._columns])
        np.add.at(products, (number, 1 + self._columns), -mean[self._rows])
        products[number, 1 + count + number] = 1.0
        means = np.zeros((count, 1 + count + pairs))
        means[:, 0] = -mean
        means[np.arange(count), 1 + np.arange(count)] = 1.0
        return products, means

    def _matrix(
        self, covariance: Floats, spread: Floats, diagonal: NDArray[np.intp], defined: NDArray[np.bool_]
    ) -> tuple[Floats, Floats]:
        rows, columns = self._rows, self._columns
        width = np.sqrt(np.where(defined, covariance.diagonal(), np.nan))
        r = covariance[rows, columns] / (width[rows] * width[columns])
        # δr = δC_ab/(σ_a σ_b) − ½ r (δC_aa/σ_a² + δC_bb/σ_b²)
        a, b = diagonal[rows], diagonal[columns]
        own = np.arange(len(rows))
        weights = np.stack(
            [1.0 / (width[rows] * width[columns]), -0.5 * r / width[rows] ** 2, -0.5 * r / width[columns] ** 2]
        )
        where = np.stack([own, a, b])
        variance = np.einsum("kp,lp,klp->p", weights, weights, spread[where[:, None], where[None, :]])
        count = len(self.names)
        matrix, error = np.empty((count, count)), np.empty((count, count))
        for target, flat in ((matrix, r), (error, np.where(rows == columns, 0.0 * r, _root(variance)))):
            target[rows, columns] = target[columns, rows] = flat
        return matrix, error


def _root(variance: Floats) -> Floats:
    return np.sqrt(np.maximum(variance, 0.0))


def correlations(features: NDArray[np.floating], weight: ArrayLike, names: Sequence[str]) -> Correlations:
    """Return means, variances and correlations under signed weights.

    Args:
        features: (n, F).
        weight: (n,) signed weights with a positive sum.
        names: F names.

    Returns:
        The matrix and its errors, linear in the fluctuations of the events. A feature whose signed variance is not at least
        three standard deviations above zero has NaN correlations, for the signed density has no such spread to speak of.

    Raises:
        DataError: unusable columns, or Σw ≤ 0.
    """
    matrix = np.asarray(features, np.float64)
    origin, spread = matrix.mean(axis=0), matrix.std(axis=0)
    sums = CorrelationAccumulator(names, origin, np.where(spread > 0, spread, 1.0))
    sums.fill(matrix, weight)
    return sums.result()


@dataclass(frozen=True, eq=False, slots=True)
class CorrelationDifference:
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
    difference: Floats
    error: Floats
    significance: Floats

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the features."""
        return self.positive.names

    def __repr__(self) -> str:
        largest = float(np.nanmax(np.abs(self.significance))) if np.isfinite(self.significance).any() else float("nan")
        return f"CorrelationDifference({len(self.names)} features, largest difference {largest:.1f} σ)"

    def to_dict(self) -> dict[str, Any]:
        """Return all matrices as lists."""
        own = {name: getattr(self, name) for name in ("difference", "error", "significance")}
        ready: dict[str, Any] = json_ready(
            {"positive": self.positive.to_dict(), "negative": self.negative.to_dict(), **own}
        )
        return ready


def sign_correlations(features: NDArray[np.floating], weight: ArrayLike, names: Sequence[str]) -> CorrelationDifference:
    """Compare the correlations of positive and \\|negative\\| events.

    Args:
        features: (n, F).
        weight: (n,) signed weights; both signs must occur.
        names: F names.

    Raises:
        DataError: unusable columns, or a sign without events.
    """
    weights = finite_column(weight, "weight")
    parts = [correlations(features[mask], np.abs(weights[mask]), names) for mask in _masks(weights)]
    difference = parts[1].matrix - parts[0].matrix
    error = np.hypot(parts[0].error, parts[1].error)
    significance = np.divide(difference, error, out=np.full_like(difference, np.nan), where=error > 0)
    return CorrelationDifference(parts[0], parts[1], difference, error, significance)


def _masks(weight: Floats) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    masks = weight > 0, weight < 0
    for mask, sign in zip(masks, ("positive", "negative"), strict=True):
        if not mask.any():
            raise DataError(f"there are no events with {sign} weight: nothing to compare")
    return masks

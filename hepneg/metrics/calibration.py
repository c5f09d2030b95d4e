"""Is a response the probability that it claims to be? Calibration with signed weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from hepneg._core.arrays import FloatArray, IndexArray
from hepneg._core.json_values import JsonResult
from hepneg.events import cluster_products
from hepneg.metrics.scored import ScoredEvents, positive_sums, scored_events

__all__ = ["Calibration", "CalibrationAccumulator", "calibration_curve", "calibration_curve_of", "residual_chi2"]

MIN_EVENTS = 50.0
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False, slots=True)
class Calibration(JsonResult):
    """Expected against observed share of signal, the labels balanced, in bins of the response.

    Attributes:
        edges: of the merged bins, (m + 1,).
        expected: mean response, (m,).
        observed: signed share of signal, (m,); may leave [0, 1].
        error: standard error of the observed share, (m,).
        difference_error: standard error of observed − expected, (m,); the mean response of a bin fluctuates as well.
        chi2: of observed against expected in all bins, their covariance included.
        degrees: of freedom, the number of bins.
        p_value: probability of a larger χ² for a calibrated response; asymptotic.
    """

    edges: FloatArray
    expected: FloatArray
    observed: FloatArray
    error: FloatArray
    difference_error: FloatArray
    chi2: float
    degrees: int
    p_value: float

    def __repr__(self) -> str:
        return f"Calibration({self.degrees} bins; χ² = {self.chi2:.1f}, p = {self.p_value:.2g})"


def calibration_curve(
    response: ArrayLike, label: ArrayLike, weight: ArrayLike, *, bins: int = 20, min_significance: float = 5.0
) -> Calibration:
    """Compare the response with the share of signal that the events show.

    Args:
        response: (n,) in [0, 1], for equal priors.
        label: (n,) of 0 and 1.
        weight: (n,) signed weights.
        bins: equal in width before merging.
        min_significance: neighbouring bins are merged until Σw (labels balanced) exceeds so many times √Σw², and
            until each label has (Σ|w|)²/Σw² of at least 50: with fewer events of widely spread weights the errors and
            the χ² are not normal.

    Returns:
        The curve and its χ². The response is calibrated if Σ w(label − response), labels balanced, vanishes in every
        bin; χ² is that of these sums with their covariance, in which the normalisation of both labels fluctuates too.

    Raises:
        DataError: unusable columns, or a label with Σw ≤ 0.
    """
    return calibration_curve_of(scored_events(response, label, weight), bins=bins, min_significance=min_significance)


def calibration_curve_of(events: ScoredEvents, *, bins: int = 20, min_significance: float = 5.0) -> Calibration:
    """Compare the response of scored events with the share of signal that they show; see :func:`calibration_curve`.

    Raises:
        DataError: a label with Σw ≤ 0.
    """
    sums = CalibrationAccumulator(bins)
    sums.add(events)
    return sums.result(min_significance=min_significance)


class CalibrationAccumulator:
    """Sums by label and bin of the response, from which the calibration curve follows.

    Args:
        bins: equal in width in [0, 1]; accumulators with as many bins can be merged.
    """

    def __init__(self, bins: int = 20) -> None:
        self.bins = bins
        self.sums = _Sums(np.zeros((len(_QUANTITIES), 2, bins)))

    def fill(self, response: ArrayLike, label: ArrayLike, weight: ArrayLike) -> None:
        """Add events: response (n,) in [0, 1], label (n,) of 0 and 1, weight (n,) signed.

        Raises:
            DataError: unusable columns.
        """
        self.add(scored_events(response, label, weight))

    def add(self, events: ScoredEvents) -> None:
        """Add events that are scored by a response; candidates of one event that are added together count as one."""
        edges = np.linspace(0.0, 1.0, self.bins + 1)
        self.sums = self.sums + _binned_sums(
            events, np.searchsorted(edges[1:-1], events.score, side="right"), self.bins
        )

    def merge(self, other: Self) -> Self:
        """Return the accumulator of both sets of events.

        Raises:
            ValueError: the two have different bins.
        """
        if self.bins != other.bins:
            raise ValueError("only accumulators with the same bins can be merged")
        total = type(self)(self.bins)
        total.sums = self.sums + other.sums
        return total

    __add__ = merge

    def result(self, *, min_significance: float = 5.0) -> Calibration:
        """Return the curve; see :func:`calibration_curve`.

        Raises:
            DataError: a label with Σw ≤ 0.
        """
        sums = self.sums.balanced()
        starts = _merged_starts(sums, min_significance)
        edges = np.append(np.linspace(0.0, 1.0, self.bins + 1)[starts], 1.0)
        return _calibration(edges, sums.joined(starts))


_QUANTITIES = ("w", "wy", "|w|", "w²", "w²y", "w²y²")


@dataclass(frozen=True, eq=False, slots=True)
class _Sums:
    """What the curve needs of m bins.

    Attributes:
        rows: by quantity, label and bin, (6, 2, m).
        common: what rows of one event add to the covariance of Σw and Σwy by label and bin, (2, 2, m, 2, 2, m); None
            where each row is an event of its own.
    """

    rows: FloatArray
    common: FloatArray | None = None

    def __add__(self, other: _Sums) -> _Sums:
        parts = [part for part in (self.common, other.common) if part is not None]
        return _Sums(self.rows + other.rows, sum(parts[1:], parts[0]) if parts else None)

    def balanced(self) -> _Sums:
        """Scale the weights of each label to a sum of ½."""
        scale = 0.5 / positive_sums(self.rows[0].sum(axis=1).tolist())[:, None]
        rows = np.concatenate([self.rows[:3] * scale, self.rows[3:] * scale**2])
        return _Sums(rows, None if self.common is None else self.common * scale[:, :, None, None, None] * scale)

    def joined(self, starts: list[int]) -> _Sums:
        """Join runs of bins, each from one start to the next."""
        common = self.common
        if common is not None:
            common = np.add.reduceat(np.add.reduceat(common, starts, axis=2), starts, axis=5)
        return _Sums(np.add.reduceat(self.rows, starts, axis=2), common)

    def clustering(self) -> float:
        """By how much the product of both labels' Σw² grows where rows of one event are added up before."""
        if self.common is None:
            return 1.0
        added = np.einsum("lbla->l", self.common[0, :, :, 0])
        return float(np.prod(1.0 + added / self.rows[3].sum(axis=1)))

    def added(self, of_weight: FloatArray, of_response: FloatArray) -> FloatArray | float:
        """Return what rows of one event add to the covariance of linear functions of Σw and Σwy, (k, k).

        Args:
            of_weight: coefficients of Σw by label and bin, (k, 2, m).
            of_response: those of Σwy.
        """
        if self.common is None:
            return 0.0
        linear = np.stack([of_weight, of_response], axis=1).reshape(len(of_weight), -1)
        size = linear.shape[1]
        return np.asarray(linear @ self.common.reshape(size, size) @ linear.T)


def residual_chi2(events: ScoredEvents, bin_of: IndexArray) -> tuple[float, int, float]:
    """Test whether Σ w(label − response), labels balanced, vanishes in bins of any quantity.

    Args:
        events: n events with a response in [0, 1], for equal priors.
        bin_of: (n,) bin of each event, from 0; each bin should hold some ten effective events of each label.

    Returns:
        χ² with the full covariance, its degrees of freedom (the bins), and the p-value for a response that is given.

    Raises:
        DataError: a label with Σw ≤ 0.
    """
    return _residual_chi2(_binned_sums(events, bin_of, int(bin_of.max(initial=0)) + 1).balanced())


def _binned_sums(events: ScoredEvents, bin_of: IndexArray, bins: int) -> _Sums:
    """Sum what the curve needs by label and bin; bin_of is (n,)."""
    y, w, squares = events.score, events.weight, events.weight * events.weight
    parts = (w, w * y, np.abs(w), squares, squares * y, squares * y * y)
    cell = bin_of + bins * events.code.astype(np.intp)
    rows = np.array([np.bincount(cell, part, 2 * bins).reshape(2, bins) for part in parts])
    if events.cluster is None:
        return _Sums(rows)
    entries, row = np.concatenate([w, w * y]), np.tile(np.arange(len(w)), 2)
    column = np.concatenate([cell, cell + 2 * bins])
    common = cluster_products(entries, column, 4 * bins, np.tile(events.cluster, 2), row)
    return _Sums(rows, common.reshape(2, 2, bins, 2, 2, bins))


def _residual_chi2(sums: _Sums) -> tuple[float, int, float]:
    from scipy.special import chdtrc

    residual, covariance = _residuals(sums)
    chi2 = float(residual @ np.linalg.pinv(covariance, hermitian=True) @ residual)
    return chi2, len(residual), float(chdtrc(len(residual), max(chi2, 0.0)))


def _residuals(sums: _Sums) -> tuple[FloatArray, FloatArray]:
    """Return Σ w(label − response) in bins, (m,), and its covariance for a calibrated response, (m, m).

    The sum is one over pairs of a signal and a background event. Its variance is that of each event with the other
    label as measured, which counts the fluctuation of both labels at once twice: that part is taken off. It matters
    where a label's Σw is only a few standard deviations from zero.
    """
    w, wy, _, w2, w2y, w2y2 = sums.rows
    target = np.array([[0.0], [1.0]])
    residual, w2r = target * w - wy, target * w2 - w2y
    squares = target * (w2 - 2.0 * w2y) + w2y2
    # For a calibrated response the mean of each label is the opposite of the other's.
    single = _covariance(sums, -residual[::-1], w2r, squares, target * np.ones_like(w), -1.0)
    background, signal = w2.sum(axis=1)
    double = (
        np.diag(squares[1] * background + squares[0] * signal) + np.outer(w2r[0], w2r[1]) + np.outer(w2r[1], w2r[0])
    )
    covariance = single - 4.0 * sums.clustering() * double
    lowest, highest = np.linalg.eigvalsh(covariance)[[0, -1]]
    return residual.sum(axis=0), covariance if lowest > -_ROUNDING * highest else single


def _merged_starts(sums: _Sums, min_significance: float) -> list[int]:
    """Merge bins from the left until each is usable; what is left over joins the last."""
    running = np.pad(np.cumsum(sums.rows, axis=2), ((0, 0), (0, 0), (1, 0)))
    last = sums.rows.shape[2]

    def usable(lower: int, upper: int) -> bool:
        part = running[..., upper] - running[..., lower]
        if sums.common is not None:
            bins = slice(lower, upper)
            part[3] += np.einsum("lbla->l", sums.common[0, :, bins, 0, :, bins])
        return _usable(part, min_significance)

    bounds = [0]
    for upper in range(1, last + 1):
        if usable(bounds[-1], upper):
            bounds.append(upper)
    bounds = [*bounds[: max(1, len(bounds) - 1)], last]
    while len(bounds) > 2 and not usable(bounds[-2], last):
        del bounds[-2]
    return bounds[:-1]


def _usable(sums: FloatArray, min_significance: float) -> bool:
    """A bin is usable if its Σw is significant and each label has the events that a normal error needs."""
    total, _, magnitude, square = sums[:4]
    enough = bool(np.all(square > 0) and np.all(magnitude**2 >= MIN_EVENTS * square))
    return enough and bool(total.sum() > min_significance * np.sqrt(square.sum()))


def _calibration(edges: FloatArray, sums: _Sums) -> Calibration:
    w, wy, _, w2, _, _ = sums.rows
    total = w.sum(axis=0)
    expected, observed = wy.sum(axis=0) / total, w[1] / total
    share = np.array([[0.0], [1.0]]) - observed  # what an event of either label adds to the observed share
    variance = np.diag(_covariance(sums, w * share, w2 * share, w2 * share**2, share, 0.0))
    error = np.sqrt(np.maximum(variance, 0.0)) / np.abs(total)
    difference_error = np.sqrt(np.maximum(np.diag(_residuals(sums)[1]), 0.0)) / np.abs(total)
    return Calibration(edges, expected, observed, error, difference_error, *_residual_chi2(sums))


def _covariance(
    sums: _Sums, wr: FloatArray, w2r: FloatArray, w2r2: FloatArray, of_weight: FloatArray, of_response: float
) -> FloatArray:
    """Covariance (m, m) of the balanced sums Σ w·r in bins, each label's Σw fluctuating with its events.

    Args:
        sums: of the bins.
        wr: Σwr by label and bin, (2, m).
        w2r: Σw²r.
        w2r2: Σw²r².
        of_weight: a in r = a + b·response, by label and bin, (2, m).
        of_response: b.
    """
    w2, one = sums.rows[3], np.eye(wr.shape[1])
    covariance = np.zeros((wr.shape[1], wr.shape[1]))
    for label in (0, 1):
        # Event i contributes w(r·1[in bin] − 2·mean), as Σw of its label normalises all bins.
        mean = 2.0 * wr[label]
        cross = np.outer(w2r[label], mean)
        covariance += np.diag(w2r2[label]) - cross - cross.T + np.outer(mean, mean) * w2[label].sum()
    inside = one[:, None, :]  # bin of the sum, label, bin of the event
    means = 2.0 * wr.T[:, :, None]
    return covariance + sums.added(
        inside * of_weight - means, np.broadcast_to(of_response * inside, inside.shape).repeat(2, 1)
    )

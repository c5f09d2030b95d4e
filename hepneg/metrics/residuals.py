"""Residuals of a regression in bins: bias and resolution with their errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hepneg._core.arrays import FloatArray, IndexArray
from hepneg._core.json_values import JsonResult
from hepneg.events import cluster_products, clustering
from hepneg.metrics.target_errors import signed_mean, signed_width

__all__ = ["ResidualProfile", "residual_profile"]

MIN_EVENTS = 50.0
"""Effective events (Σ|w|)²/Σw² that a bin needs for its errors to be normal."""
MIN_SIGNIFICANCE = 5.0
"""Σw of a bin must exceed so many √Σw²: its mean is a ratio to Σw."""


@dataclass(frozen=True, eq=False, slots=True)
class ResidualProfile(JsonResult):
    """Bias and resolution in bins of one quantity, each from the signed events of its bin.

    Attributes:
        edges: of the bins, (m + 1,).
        centre: mean of the quantity in each bin, (m,).
        bias: mean residual p − t, (m,).
        bias_error: its standard error, (m,).
        resolution: standard deviation of the residual, (m,); NaN where the signed variance is not positive.
        resolution_error: its standard error, (m,).
        chi2: Σ (bias/error)²; with the covariance of the bins where rows of one event may lie in several.
        degrees: of freedom, the bins.
        p_value: probability of a larger χ² where the bias is zero in every bin; asymptotic.
    """

    edges: FloatArray
    centre: FloatArray
    bias: FloatArray
    bias_error: FloatArray
    resolution: FloatArray
    resolution_error: FloatArray
    chi2: float
    degrees: int
    p_value: float

    def __repr__(self) -> str:
        return f"ResidualProfile({self.degrees} bins; bias χ² = {self.chi2:.1f}, p = {self.p_value:.2g})"

    def bin_of(self, quantity: FloatArray) -> IndexArray:
        """Return the bin of each event, (n,); what lies beyond counts into the outermost bins."""
        return np.searchsorted(self.edges[1:-1], quantity, side="right")


def residual_profile(
    quantity: FloatArray,
    residual: FloatArray,
    weight: FloatArray,
    cluster: IndexArray | None = None,
    *,
    bins: int = 12,
) -> ResidualProfile:
    """Measure bias and resolution in bins of a quantity.

    In bins of the prediction the bias of a perfect regression is zero. In bins of the target it is not: predictions are
    drawn towards the mean wherever the features do not determine the target.

    Args:
        quantity: (n,) what to bin by.
        residual: (n,) prediction − target.
        weight: (n,) signed weights with a positive sum.
        cluster: (n,) number of the event that each row is of; None where each row is an event of its own.
        bins: of equal numbers of events, before neighbours are merged until Σw exceeds ``MIN_SIGNIFICANCE`` errors
            and there are ``MIN_EVENTS`` effective events.
    """
    edges = _edges(quantity, weight, clustering(weight, cluster), bins)
    bin_of = np.searchsorted(edges[1:-1], quantity, side="right")
    rows, contribution = [], np.empty_like(weight)
    for number in range(len(edges) - 1):
        own = bin_of == number
        r, w, events = residual[own], weight[own], None if cluster is None else cluster[own]
        mean, width = signed_mean(r, w, events), signed_width(r, w, events)
        contribution[own] = mean.contribution
        rows.append((signed_mean(quantity[own], np.abs(w)).value, mean.value, width.value, width.error))
    centres, means, widths, width_errors = np.array(rows).T
    covariance = _covariance(contribution, bin_of, len(means), cluster)
    errors = np.sqrt(np.diag(covariance))
    return ResidualProfile(edges, centres, means, errors, widths, width_errors, *_chi2(means, covariance))


def _edges(quantity: FloatArray, weight: FloatArray, rows_an_event: float, bins: int) -> FloatArray:
    """Return edges between bins of equal numbers of events, merged from the left until each is usable."""
    inner = np.unique(np.quantile(quantity, np.linspace(0, 1, bins + 1)[1:-1]))
    bin_of = np.searchsorted(inner, quantity, side="right")
    squares = rows_an_event * weight**2
    sums = np.array([np.bincount(bin_of, part, len(inner) + 1) for part in (weight, np.abs(weight), squares)])
    kept, running = [], np.zeros(3)
    for number in range(len(inner)):
        running = running + sums[:, number]
        if _usable(running):
            kept.append(number)
            running = np.zeros(3)
    running = running + sums[:, len(inner)]
    if kept and not _usable(running):
        kept.pop()
    return np.concatenate([[quantity.min()], inner[kept], [quantity.max()]])


def _usable(sums: FloatArray) -> bool:
    total, size, square = sums
    return bool(square > 0 and size**2 >= MIN_EVENTS * square and total > MIN_SIGNIFICANCE * np.sqrt(square))


def _covariance(contribution: FloatArray, bin_of: IndexArray, bins: int, cluster: IndexArray | None) -> FloatArray:
    """Return the covariance of the means in bins, (bins, bins), from what each row contributes to its own."""
    covariance: FloatArray = np.diag(np.bincount(bin_of, contribution**2, bins).astype(np.float64))
    if cluster is None:
        return covariance
    return covariance + cluster_products(contribution, bin_of, bins, cluster, np.arange(len(bin_of)))


def _chi2(value: FloatArray, covariance: FloatArray) -> tuple[float, int, float]:
    from scipy.special import chdtrc

    tested = np.flatnonzero(np.diag(covariance) > 0)
    standardised = value[tested] / np.sqrt(np.diag(covariance)[tested])
    scale = np.sqrt(np.outer(np.diag(covariance), np.diag(covariance)))[np.ix_(tested, tested)]
    correlation = covariance[np.ix_(tested, tested)] / scale
    chi2, degrees = float(standardised @ np.linalg.solve(correlation, standardised)), len(tested)
    return chi2, degrees, float(chdtrc(degrees, chi2)) if degrees else float("nan")

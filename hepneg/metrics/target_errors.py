"""How far predictions lie from their targets, under signed weights: errors, bias and resolution.

All are means Σwℓ/Σw over the events, so their contributions are cᵢ = wᵢ(ℓᵢ − mean)/Σw; those of rows of one event, its
candidates, are added up before they are squared. A mean of squares under signed weights can come out negative, and its
root is then NaN.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hepneg._core.arrays import FloatArray, IndexArray
from hepneg._core.estimate import Estimate
from hepneg.errors import DataError
from hepneg.metrics.influence import Influence
from hepneg.metrics.scored import finite_column, row_clusters

__all__ = [
    "absolute_error_influence",
    "bias",
    "correlation_of_residuals",
    "mean_absolute_error",
    "mean_squared_error",
    "pinball",
    "quantile_loss",
    "residual_correlation",
    "resolution",
    "signed_mean",
    "signed_width",
    "squared_error_influence",
]


def mean_squared_error(
    prediction: ArrayLike, target: ArrayLike, weight: ArrayLike, *, event_id: ArrayLike | None = None
) -> Estimate:
    """Measure Σw(t − p)²/Σw.

    Args:
        prediction: (n,).
        target: (n,), in the same unit.
        weight: (n,) signed weights.
        event_id: (n,) or (n, m) integers; rows of equal ones, the candidates of an event, are one observation. Left
            out, each row is an event of its own.

    Returns:
        The error in the target's unit squared, with its standard error.

    Raises:
        DataError: unusable columns, or Σw ≤ 0.
    """
    return squared_error_influence(prediction, target, weight).by_events(event_id).estimate()


def squared_error_influence(prediction: ArrayLike, target: ArrayLike, weight: ArrayLike) -> Influence:
    """Return the mean squared error and each event's contribution; see :func:`mean_squared_error`.

    :func:`~hepneg.metrics.paired_difference` takes it, with the targets in the place of the labels.
    """
    p, t, w = _columns(prediction, target, weight)
    return signed_mean((p - t) ** 2, w)


def mean_absolute_error(
    prediction: ArrayLike, target: ArrayLike, weight: ArrayLike, *, event_id: ArrayLike | None = None
) -> Estimate:
    """Measure Σw|t − p|/Σw, in the target's unit; arguments and errors as of :func:`mean_squared_error`."""
    return absolute_error_influence(prediction, target, weight).by_events(event_id).estimate()


def absolute_error_influence(prediction: ArrayLike, target: ArrayLike, weight: ArrayLike) -> Influence:
    """Return the mean absolute error and each event's contribution; see :func:`mean_absolute_error`."""
    p, t, w = _columns(prediction, target, weight)
    return signed_mean(np.abs(p - t), w)


def quantile_loss(
    prediction: ArrayLike,
    target: ArrayLike,
    weight: ArrayLike,
    probability: float,
    *,
    event_id: ArrayLike | None = None,
) -> Estimate:
    """Measure the pinball loss Σw·max(q(t − p), (q − 1)(t − p))/Σw of a predicted quantile.

    It is least for the q-quantile of the target given the features (Koenker, Bassett, Econometrica 46 (1978) 33).

    Args:
        prediction: (n,) the predicted quantile.
        target: (n,), in the same unit.
        weight: (n,) signed weights.
        probability: q, between 0 and 1.
        event_id: as of :func:`mean_squared_error`.

    Raises:
        DataError: unusable columns, a probability outside (0, 1), or Σw ≤ 0.
    """
    p, t, w = _columns(prediction, target, weight)
    return signed_mean(pinball(p, t, probability), w).by_events(event_id).estimate()


def bias(prediction: ArrayLike, target: ArrayLike, weight: ArrayLike, *, event_id: ArrayLike | None = None) -> Estimate:
    """Measure the mean residual Σw(p − t)/Σw; arguments and errors as of :func:`mean_squared_error`."""
    p, t, w = _columns(prediction, target, weight)
    return signed_mean(p - t, w).by_events(event_id).estimate()


def resolution(
    prediction: ArrayLike, target: ArrayLike, weight: ArrayLike, *, event_id: ArrayLike | None = None
) -> Estimate:
    """Measure the standard deviation of the residuals p − t.

    Returns:
        √(Σw(r − r̄)²/Σw) and its standard error, both NaN where the signed variance is not positive.

    Arguments and errors as of :func:`mean_squared_error`.
    """
    p, t, w = _columns(prediction, target, weight)
    return signed_width(p - t, w, row_clusters(event_id, len(w)))


def residual_correlation(
    first: ArrayLike, second: ArrayLike, weight: ArrayLike, *, event_id: ArrayLike | None = None
) -> Estimate:
    """Measure the linear correlation of two residuals.

    Args:
        first: (n,) p − t of one target.
        second: (n,) p − t of another.
        weight: (n,) signed weights.
        event_id: as of :func:`mean_squared_error`.

    Returns:
        ρ = Σw·z₁z₂/Σw, z the residuals less their mean over their resolution, with its standard error from
        Σw(z₁z₂ − ρ(z₁² + z₂²)/2)/Σw; NaN where a signed variance is not positive. Signed weights may bring it beyond
        ±1.

    Raises:
        DataError: unusable columns, or Σw ≤ 0.
    """
    one, other, w = _columns(first, second, weight)
    return correlation_of_residuals(one, other, w, row_clusters(event_id, len(w)))


def correlation_of_residuals(
    one: FloatArray, other: FloatArray, w: FloatArray, cluster: IndexArray | None = None
) -> Estimate:
    """Return what :func:`residual_correlation` does, of checked columns and the event of each row, (n,)."""
    scaled = []
    for residual in (one, other):
        away = residual - signed_mean(residual, w).value
        variance = signed_mean(away**2, w).value
        if variance <= 0:
            return Estimate(float("nan"), float("nan"))
        scaled.append(away / np.sqrt(variance))
    product = scaled[0] * scaled[1]
    value = signed_mean(product, w).value
    error = signed_mean(product - 0.5 * value * (scaled[0] ** 2 + scaled[1] ** 2), w, cluster).estimate().error
    return Estimate(value, error)


def signed_mean(values: FloatArray, weight: FloatArray, cluster: IndexArray | None = None) -> Influence:
    """Return Σwv/Σw and each event's contribution to its fluctuation.

    Args:
        values: (n,).
        weight: (n,) signed.
        cluster: (n,) number of the event that each row is of; None where each row is an event of its own.

    Raises:
        DataError: Σw ≤ 0.
    """
    total = float(weight.sum())
    if not total > 0:
        raise DataError(f"the weights sum to {total:.6g}: there is no mean; use more events or a looser selection")
    mean = float((weight * values).sum() / total)
    return Influence(mean, weight * (values - mean) / total, cluster)


def signed_width(values: FloatArray, weight: FloatArray, cluster: IndexArray | None = None) -> Estimate:
    """Return √(Σw(v − v̄)²/Σw) and its standard error, both NaN where the signed variance is not positive.

    Arguments and errors as of :func:`signed_mean`.
    """
    # The fluctuation of the mean enters the variance in second order only.
    variance = signed_mean((values - signed_mean(values, weight).value) ** 2, weight, cluster).estimate()
    if variance.value <= 0:
        return Estimate(float("nan"), float("nan"))
    width = float(np.sqrt(variance.value))
    return Estimate(width, variance.error / (2.0 * width))


def pinball(prediction: FloatArray, target: FloatArray, probability: float) -> FloatArray:
    """Return max(q(t − p), (q − 1)(t − p)) of each event, (n,); see :func:`quantile_loss`.

    Raises:
        DataError: a probability q outside (0, 1).
    """
    if not 0 < probability < 1:
        raise DataError(f"a quantile's probability must lie between 0 and 1, not {probability!r}")
    return np.asarray(np.maximum(probability * (target - prediction), (probability - 1) * (target - prediction)))


def _columns(prediction: ArrayLike, target: ArrayLike, weight: ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
    p, t, w = (
        finite_column(column, what)
        for column, what in ((prediction, "prediction"), (target, "target"), (weight, "weight"))
    )
    if not p.shape == t.shape == w.shape:
        raise DataError(f"prediction, target and weight have shapes {p.shape}, {t.shape} and {w.shape}; give one each")
    return p, t, w

"""Scored events: the checked columns that every metric starts from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hepneg.errors import DataError
from hepneg.events import first_entries

__all__ = ["Floats", "ScoredEvents", "finite_column", "labelled_events", "positive_sums", "scored_events"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class ScoredEvents:
    """Events with a score and a label.

    Attributes:
        score: (n,) finite numbers.
        signal: (n,) true for signal.
        weight: (n,) signed weights.
        sum_signal: Σw of the signal, > 0.
        sum_background: Σw of the background, > 0.
    """

    score: Floats
    signal: NDArray[np.bool_]
    weight: Floats
    sum_signal: float
    sum_background: float

    def normalised_weight(self) -> Floats:
        """Return the weights divided by the sum of their label's, (n,)."""
        return self.weight / np.where(self.signal, self.sum_signal, self.sum_background)


def finite_column(values: ArrayLike, what: str) -> Floats:
    """Return one column of numbers as float64, (n,).

    Raises:
        DataError: it is not one-dimensional, or holds NaN or infinite values.
    """
    column = np.asarray(values, dtype=np.float64)
    if column.ndim != 1:
        raise DataError(f"{what} has shape {column.shape}; give one number per event")
    bad = ~np.isfinite(column)
    if bad.any():
        raise DataError(
            f"{int(bad.sum())} NaN or infinite values in {what}, at {first_entries(bad)}; remove them first"
        )
    return column


def scored_events(score: ArrayLike, label: ArrayLike, weight: ArrayLike) -> ScoredEvents:
    """Check the columns of a metric.

    Args:
        score: (n,) finite numbers.
        label: (n,) of 0 (background) and 1 (signal), or booleans.
        weight: (n,) signed weights.

    Raises:
        DataError: shapes that do not fit, numbers that are not finite, labels other than 0 and 1, or a label whose
            weights do not sum to a positive number.
    """
    scores, signal, weights = labelled_events(score, label, weight)
    sums = positive_sums(float(weights[signal].sum()), float(weights[~signal].sum()))
    return ScoredEvents(scores, signal, weights, *sums)


def labelled_events(score: ArrayLike, label: ArrayLike, weight: ArrayLike) -> tuple[Floats, NDArray[np.bool_], Floats]:
    """Return score, whether signal, and weight, each (n,), of a part of the events.

    Raises:
        DataError: shapes that do not fit, numbers that are not finite, or labels other than 0 and 1.
    """
    scores, weights, labels = finite_column(score, "score"), finite_column(weight, "weight"), np.asarray(label)
    if not scores.shape == weights.shape == labels.shape:
        shapes = f"{scores.shape}, {labels.shape} and {weights.shape}"
        raise DataError(f"score, label and weight have shapes {shapes}; give one of each per event")
    signal = labels == 1
    bad = ~signal & (labels != 0)
    if bad.any():
        raise DataError(f"{int(bad.sum())} labels are neither 1 (signal) nor 0 (background), at {first_entries(bad)}")
    return scores, signal, weights


def positive_sums(signal: float, background: float) -> tuple[float, float]:
    """Return Σw of signal and of background.

    Raises:
        DataError: one of them is not positive.
    """
    for name, total in (("signal", signal), ("background", background)):
        if total <= 0:
            raise DataError(
                f"the {name} weights sum to {total:.6g}: no metric is defined; use more {name} events or "
                "a looser selection"
            )
    return signal, background

"""Can these events train a classifier at all?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hepneg._core.class_names import TWO_CLASSES
from hepneg.errors import TrainingError

__all__ = ["SIGNIFICANCE", "require_density", "require_trainable"]

SIGNIFICANCE = 3.0
"""A label's Σw must lie this many standard deviations √Σw² above 0."""


def require_trainable(
    weight: NDArray[np.float64],
    label: NDArray[np.int8],
    classes: Sequence[str] = TWO_CLASSES,
    *,
    significance: float = SIGNIFICANCE,
) -> None:
    """Refuse events whose labels cannot be brought to equal sums.

    All labels are scaled to the same Σw. A sum that is compatible with 0 would be scaled by a number that is not
    known, not even in its sign.

    Args:
        weight: (n,) signed.
        label: (n,) codes of the classes.
        classes: their names by code.
        significance: how many √Σw² the sum must exceed.

    Raises:
        TrainingError: a label has no events, or a Σw that is not positive or compatible with 0; or there is one label.
    """
    if len(classes) < 2:
        raise TrainingError(f"all events have the label {classes[0]}: a classifier needs two labels or more")
    every = "both labels" if len(classes) == 2 else f"all {len(classes)} labels"
    for code, name in reversed(list(enumerate(classes))):
        members = weight[label == code]
        if len(members) == 0:
            raise TrainingError(f"there are no {name} events: a classifier needs {every}")
        _require_sum(members, f"the {name} weights", significance)


def require_density(weight: NDArray[np.float64], what: str, significance: float = SIGNIFICANCE) -> None:
    """Refuse events whose weights do not sum to something positive.

    Args:
        weight: (n,) signed.
        what: how messages call the events.
        significance: how many √Σw² the sum must exceed.

    Raises:
        TrainingError: no events, or a Σw that is not positive or compatible with 0.
    """
    if len(weight) == 0:
        raise TrainingError(f"there are no {what} to train on")
    _require_sum(weight, f"the weights of the {what}", significance)


def _require_sum(weight: NDArray[np.float64], subject: str, significance: float) -> None:
    total, error = _sum(weight)
    if 0 < total >= significance * error:
        return
    found = f"{subject} sum to {total:.6g} ± {error:.2g}, which is "
    if single := _single_weight(weight, significance):
        raise TrainingError(f"{found}{'not positive' if total <= 0 else 'compatible with 0'}: {single}")
    if total <= 0:
        raise TrainingError(f"{found}not positive")
    raise TrainingError(f"{found}compatible with 0: generate more events or loosen the selection")


def _sum(weight: NDArray[np.float64]) -> tuple[float, float]:
    """Return Σw and √Σw²."""
    return float(weight.sum()), float(np.sqrt((weight**2).sum()))


def _single_weight(weight: NDArray[np.float64], significance: float) -> str:
    """Name the one weight that makes most of √Σw² and without which the sum would do; empty if there is none."""
    at = int(np.abs(weight).argmax())
    total, error = _sum(np.delete(weight, at))
    if abs(weight[at]) < error or not 0 < total >= significance * error:
        return ""
    share = abs(weight[at]) / np.abs(weight).sum()
    return (
        f"one weight of {weight[at]:.6g} is {share:.1%} of Σ|w|, and the others sum to {total:.6g} ± {error:.2g}; "
        "check that event, and leave it out by `selection:` if it is wrong"
    )

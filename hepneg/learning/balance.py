"""Can these events train a classifier at all?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hepneg.errors import TrainingError

__all__ = ["SIGNIFICANCE", "require_density", "require_trainable"]

SIGNIFICANCE = 3.0
"""A label's Σw must lie this many standard deviations √Σw² above 0."""


def require_trainable(
    weight: NDArray[np.float64], label: NDArray[np.int8], *, significance: float = SIGNIFICANCE
) -> None:
    """Refuse events whose labels cannot be brought to equal sums.

    Both labels are scaled to the same Σw. A sum that is compatible with 0 would be scaled by a number that is not
    known, not even in its sign.

    Args:
        weight: (n,) signed.
        label: (n,) of 0 and 1.
        significance: how many √Σw² the sum must exceed.

    Raises:
        TrainingError: a label has no events, or a Σw that is not positive or compatible with 0.
    """
    for code, name in ((1, "signal"), (0, "background")):
        members = weight[label == code]
        if len(members) == 0:
            raise TrainingError(f"there are no {name} events: a classifier needs both labels")
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
    total, error = float(weight.sum()), float(np.sqrt((weight**2).sum()))
    if total <= 0:
        raise TrainingError(f"{subject} sum to {total:.6g} ± {error:.2g}, which is not positive")
    if total < significance * error:
        raise TrainingError(
            f"{subject} sum to {total:.6g} ± {error:.2g}, which is compatible with 0: "
            "generate more events or loosen the selection"
        )

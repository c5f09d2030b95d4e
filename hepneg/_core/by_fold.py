"""Values of events that depend on their fold, such as what networks say that have not seen them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["by_fold"]


def by_fold(
    fold_of: NDArray[np.integer], folds: int, values: Callable[[int, NDArray[np.intp]], NDArray[Any]]
) -> NDArray[Any]:
    """Return a value, or a row of values, for each event, asked for fold by fold.

    Args:
        fold_of: the fold of each event, (n,), from 0 to ``folds`` − 1.
        folds: number of folds.
        values: from a fold and the positions of its events, (m,), to their values, (m, …).

    Returns:
        (n, …) in the order of the events.
    """
    members = [np.flatnonzero(fold_of == fold) for fold in range(folds)]
    parts = np.concatenate([values(fold, of_fold) for fold, of_fold in enumerate(members)])
    ordered = np.empty_like(parts)
    ordered[np.concatenate(members)] = parts
    return ordered

"""Columns that say which event is which: identifiers by content, folds, and entries for messages."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepneg._core.hashing import hash_events
from hepneg.errors import DataError

__all__ = ["content_ids", "first_entries", "fold_column"]


def first_entries(bad: NDArray[np.bool_], offset: int = 0, most: int = 5) -> str:
    """Name the first entries at which ``bad`` is true, for a message: ``"entries 3, 17, 20, …"``."""
    where = np.flatnonzero(bad)
    shown = ", ".join(str(offset + int(entry)) for entry in where[:most])
    return f"{'entry' if len(where) == 1 else 'entries'} {shown}" + (", …" if len(where) > most else "")


def content_ids(features: NDArray[np.float32]) -> NDArray[np.uint64]:
    """Identify events by their features: −0 is 0; weights and labels are left out, as the same event may have
    others."""
    bits = (features.T + np.float32(0)).view(np.uint32)
    return hash_events(bits.T, 0, "content")


def fold_column(fold: NDArray[Any], n: int) -> NDArray[np.int8]:
    """Check the folds of n events.

    Raises:
        DataError: they are no integers from 0 to 126, one for each event.
    """
    if fold.shape != (n,) or fold.dtype.kind not in "iu":
        raise DataError(f"fold must be {n} integers, not {fold.dtype} of shape {fold.shape}")
    bad = (fold < 0) | (fold > 126)
    if bad.any():
        raise DataError(f"folds are numbered from 0 to at most 126, but fold is {fold[bad][0]} at {first_entries(bad)}")
    return fold.astype(np.int8)

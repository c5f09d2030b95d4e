"""Columns that say which event is which: identifiers by content, folds, and entries for messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepneg._core.hashing import hash_events
from hepneg.errors import DataError

__all__ = ["content_ids", "first_entries", "fold_column"]

SHARED = 4


def first_entries(bad: NDArray[np.bool_], offset: int = 0, most: int = 5) -> str:
    """Name the first entries at which ``bad`` is true, for a message: ``"entries 3, 17, 20, …"``."""
    where = np.flatnonzero(bad)
    shown = ", ".join(str(offset + int(entry)) for entry in where[:most])
    return f"{'entry' if len(where) == 1 else 'entries'} {shown}" + (", …" if len(where) > most else "")


def content_ids(
    features: NDArray[np.float32],
    label: NDArray[np.integer],
    weight: NDArray[np.float64],
    objects: Sequence[NDArray[np.uint64]] = (),
) -> NDArray[np.uint64]:
    """Identify events by their features: −0 is 0; the same event may have other weights, so these are left out.

    Up to four events of equal features, as copies of one event are, share an identifier. Where more have equal features
    these are values that many events have, and every further four have an identifier of their own; they are counted in
    the order of label and weight, so that the order of the table plays no part.

    Args:
        features: (n, F).
        label: (n,).
        weight: (n,).
        objects: a hash of the objects of each event, (n,), for each collection.
    """
    bits = (features.T + np.float32(0)).view(np.uint32)
    keys = hash_events(np.concatenate([bits, *(part[None] for part in objects)]).T, 0, "features")
    order = np.lexsort((weight, label, keys))
    ordered, position = keys[order], np.arange(len(keys))
    begins = np.concatenate([[True], ordered[1:] != ordered[:-1]])[: len(keys)]
    if begins.all():
        return keys
    block = np.empty(len(keys), dtype=np.uint64)
    block[order] = (position - np.maximum.accumulate(np.where(begins, position, 0))) // SHARED
    return np.where(block == 0, keys, hash_events(np.column_stack([keys, block]), 0, "copies"))


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

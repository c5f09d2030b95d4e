"""Seeded hashes of event identifiers: the source of every split that must not depend on the order of events.

The fold of an event, its place in the validation part and its bootstrap multiplicities follow from its identifier
alone, so they are the same whatever the chunking, the file order or the machine.
"""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

__all__ = ["assign_folds", "hash_events", "uniform_events"]

UInt64 = NDArray[np.uint64]


def _mix(value: UInt64) -> UInt64:
    """Finalise 64 bits so that every input bit reaches every output bit (the SplitMix64 finaliser)."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


def hash_events(event_id: NDArray[np.integer], seed: int, stream: str) -> UInt64:
    """Hash event identifiers to 64 well-mixed bits.

    Args:
        event_id: integers of shape (n,) or (n, m): one identifier, or several columns (run, luminosity block, event).
        seed: any integer; another seed gives an independent hash.
        stream: what the hash is for (``"fold"``, ``"validation"``); another stream gives an independent hash.

    Returns:
        Unsigned 64-bit integers of shape (n,).

    The mixing is SplitMix64 (Steele, Lea, Flood, OOPSLA 2014), chained over the columns. Signed identifiers keep their
    two's-complement bits, so no number passes through a float.
    """
    columns = event_id[:, None] if event_id.ndim == 1 else event_id
    start = np.array([(seed & 0xFFFFFFFFFFFFFFFF) ^ (zlib.crc32(stream.encode()) << 32)], dtype=np.uint64)
    state = np.broadcast_to(_mix(start), (len(event_id),))
    with np.errstate(over="ignore"):
        for column in columns.T:
            bits = column.astype(np.int64).view(np.uint64) if column.dtype.kind == "i" else column.astype(np.uint64)
            state = _mix(state + bits * np.uint64(0x9E3779B97F4A7C15) + np.uint64(0x632BE59BD9B4E019))
    return np.ascontiguousarray(state)


def uniform_events(event_id: NDArray[np.integer], seed: int, stream: str) -> NDArray[np.float64]:
    """Return a number in [0, 1) for each event, of shape (n,), fixed by its identifier, the seed and the stream."""
    return (hash_events(event_id, seed, stream) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def assign_folds(event_id: NDArray[np.integer], folds: int, seed: int) -> NDArray[np.int8]:
    """Assign each event to one of k folds by a seeded hash of its identifier.

    Args:
        event_id: integers of shape (n,) or (n, m).
        folds: k, from 2 to 127.
        seed: any integer.

    Returns:
        The fold of each event, 0 to k − 1, of shape (n,).
    """
    if not 2 <= folds <= 127:
        raise ValueError(f"folds must be from 2 to 127, not {folds}")
    return (hash_events(event_id, seed, "fold") % np.uint64(folds)).astype(np.int8)

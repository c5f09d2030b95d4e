"""What is worth knowing about a table of events that was just read, though it does not stop the work."""

from __future__ import annotations

import logging
import warnings

import numpy as np
from numpy.typing import NDArray

from hepneg._core.hashing import hash_events
from hepneg.errors import DataError, HepnegWarning
from hepneg.events import EventTable

__all__ = ["require_counts", "warn_about_dropped", "warn_about_events", "warn_without_negative"]

logger = logging.getLogger(__name__)


def require_counts(sample: str, weight: NDArray[np.float64]) -> None:
    """Refuse data with weights.

    Args:
        sample: of data.
        weight: (n,) of its events.

    Raises:
        DataError: a weight is not 1.
    """
    if (weight != 1.0).any():
        raise DataError(
            f"sample {sample!r}: measured data have the weight 1, for their errors are those of counts; leave "
            "`weight:` out (a prescaled or estimated sample is a background)"
        )


def warn_about_events(events: EventTable) -> None:
    """Warn of samples without negative weights and of event identifiers that repeat within a sample.

    That identifiers repeat between samples is usual and does no harm: it is logged.

    Warns:
        HepnegWarning: one for each such sample, and one for the identifiers.
    """
    for code, name in enumerate(events.sample_names):
        if not (events.weight[events.sample == code] < 0).any():
            warn_without_negative(name)
    message, harmful = _repeated_ids(events)
    if harmful:
        _warn(message)
    elif message:
        logger.info("%s", message)


def warn_without_negative(sample: str) -> None:
    """Warn of a sample without negative weights."""
    _warn(f"sample {sample!r} has no negative weights; everything works, but there is nothing to correct in it")


def warn_about_dropped(sample: str, dropped: int, left: int) -> None:
    """Warn of selected events that were left out (``on_nan: drop``), with their share.

    Args:
        sample: its name.
        dropped: selected events with a feature or target that is not finite.
        left: selected events that stay.
    """
    if dropped:
        _warn(
            f"sample {sample!r}: {dropped} of {dropped + left} selected events are left out, since a feature or the "
            "target is NaN or infinite there (`on_nan: drop`); their weights count nowhere"
        )


def _warn(message: str) -> None:
    warnings.warn(message, HepnegWarning, stacklevel=4)


def _repeated_ids(events: EventTable) -> tuple[str, bool]:
    """Say which identifiers repeat, an empty string if none does, and whether they do within a sample."""
    keys = _keys(events.event_id)
    repeats = _repeats(keys)
    if not repeats:
        return "", False
    within = {name: _repeats(keys[events.sample == code]) for code, name in enumerate(events.sample_names)}
    where = [f"{count} in sample {name!r}" for name, count in within.items() if count]
    across = repeats - sum(within.values())
    where += [f"{across} between samples"] * (across > 0)
    harmful = any(within.values())
    if harmful and repeats == len(keys) - 1:
        harm = "; it is the same in all of them: give `event_id:` the branches that tell events apart"
    elif harmful:
        harm = (
            " and count as one observation: right for candidates of one event; if they are different events, give "
            "`event_id:` more branches"
        )
    else:
        harm = ", which does no harm"
    return f"event identifiers repeat ({', '.join(where)}): such events share a fold{harm}", harmful


def _keys(event_id: NDArray[np.integer]) -> NDArray[np.uint64]:
    """Return one number per event that is equal where the identifiers are."""
    if event_id.ndim == 1:
        return event_id.astype(np.uint64)
    # Two different identifiers share a hash with a probability of n²/2**65.
    return hash_events(event_id, 0, "repeats")


def _repeats(keys: NDArray[np.uint64]) -> int:
    if bool((keys[1:] > keys[:-1]).all()):
        return 0
    ordered = np.sort(keys)
    return int(np.count_nonzero(ordered[1:] == ordered[:-1]))

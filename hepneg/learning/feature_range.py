"""Features that a network cannot use, though every number is finite."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from hepneg.errors import DataError, HepnegWarning
from hepneg.events import EventTable
from hepneg.events.collection import require_objects

__all__ = ["check_features"]

_LARGEST = 1e15
"""Magnitude beyond which sums over features overflow float32; sentinels such as FLT_MAX lie there."""

_TAILS = (0.0005, 0.9995)
_FAR = 10.0
"""Ratio of the standard deviation of all events to that of all but the tails that is worth a warning."""


def check_features(events: EventTable) -> None:
    """Refuse features that are out of a network's range, and warn of those that it would hardly see.

    Networks take features with their mean subtracted, divided by their standard deviation, in float32.

    Args:
        events: to train on.

    Raises:
        DataError: a value beyond 10¹⁵, with the feature, the value and the event.

    Warns:
        HepnegWarning: the standard deviation is made by a few far values, or the variation is below the resolution of
            float32.
    """
    require_objects(events.collections)
    for name, column, event_of in _numbers(events):
        _require_range(name, column, event_of)
        problem = _problem(name, column)
        if problem:
            warnings.warn(problem, HepnegWarning, stacklevel=3)


def _numbers(events: EventTable) -> Iterator[tuple[str, NDArray[np.float32], NDArray[np.intp]]]:
    """Yield the features that are numbers, of events and of objects, and the event of each value."""
    every = np.arange(len(events))
    for name, column in zip(events.feature_names, events.features.T, strict=True):
        if name not in events.categories:
            yield name, column, every
    for collection, part in events.collections.items():
        event_of = np.repeat(every, part.counts)
        for name, column in zip(part.feature_names, part.contents.T, strict=True):
            if name not in part.categories:
                yield f"{collection}.{name}", column, event_of


def _require_range(name: str, column: NDArray[np.float32], event_of: NDArray[np.intp]) -> None:
    worst = int(np.argmax(np.abs(column))) if len(column) else 0
    if len(column) and abs(float(column[worst])) > _LARGEST:
        raise DataError(
            f"feature {name!r} is {column[worst]:.3g} in selected event {event_of[worst]}, out of a network's range: "
            f"select other events, or write where({name} < 1e6, {name}, -1) or the like"
        )


def _problem(name: str, column: NDArray[np.float32]) -> str:
    """Say what makes a feature nearly invisible; an empty string if nothing does."""
    spread = float(column.std(dtype=np.float64))
    if spread == 0:
        return ""
    centre = float(column.mean(dtype=np.float64))
    if np.spacing(np.float32(abs(centre))) > 0.1 * spread:
        return (
            f"feature {name!r} varies by {spread:.2g} around {centre:.6g}, below the resolution of "
            f"float32: subtract {centre:.3g}"
        )
    low, high = np.quantile(column, _TAILS)
    core = float(np.clip(column, low, high).std(dtype=np.float64))
    if not 0 < core * _FAR < spread:
        return ""
    largest = float(column[np.argmax(np.abs(column))])
    return (
        f"feature {name!r}: a few values as far as {largest:.3g} set its scale to {spread:.3g}, where all others have "
        f"{core:.3g}, so that the network hardly sees it: limit it, for instance clip({name}, {low:.3g}, {high:.3g})"
    )

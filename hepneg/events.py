"""The table of events that every later step works on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hepneg.errors import DataError, nearest_names

__all__ = ["BACKGROUND", "LABELS", "SIGNAL", "EventTable", "first_entries"]

SIGNAL, BACKGROUND = 1, 0
LABELS = {"background": BACKGROUND, "signal": SIGNAL}


def first_entries(bad: NDArray[np.bool_], offset: int = 0, most: int = 5) -> str:
    """Name the first entries at which ``bad`` is true, for a message: ``"entries 3, 17, 20, …"``."""
    where = np.flatnonzero(bad)
    shown = ", ".join(str(offset + int(entry)) for entry in where[:most])
    return f"{'entry' if len(where) == 1 else 'entries'} {shown}" + (", …" if len(where) > most else "")


@dataclass(frozen=True, eq=False, slots=True)
class EventTable:
    """Selected events of all samples, in columns. Immutable: its arrays cannot be written to.

    Attributes:
        features: classifier inputs, (n, F) float32, stored column by column.
        weight: signed event weights, (n,) float64.
        label: 1 for signal, 0 for background, (n,) int8.
        sample: index into ``sample_names``, (n,) int16.
        event_id: integer identifiers, (n,) or (n, m) for m identifying columns.
        feature_names: F names.
        sample_names: names of the samples.
    """

    features: NDArray[np.float32]
    weight: NDArray[np.float64]
    label: NDArray[np.int8]
    sample: NDArray[np.int16]
    event_id: NDArray[np.integer]
    feature_names: tuple[str, ...]
    sample_names: tuple[str, ...]

    def __post_init__(self) -> None:
        for column in (self.features, self.weight, self.label, self.sample, self.event_id):
            column.flags.writeable = False

    def __len__(self) -> int:
        return len(self.weight)

    def __repr__(self) -> str:
        negative = np.count_nonzero(self.weight < 0)
        samples = ", ".join(self.sample_names)
        share = negative / len(self) if len(self) else float("nan")
        return (
            f"EventTable({len(self)} events, {share:.1%} with negative weight; "
            f"samples: {samples}; features: {', '.join(self.feature_names)})"
        )

    @classmethod
    def from_arrays(
        cls,
        features: ArrayLike,
        weight: ArrayLike,
        label: ArrayLike,
        *,
        sample: ArrayLike | None = None,
        event_id: ArrayLike | None = None,
        feature_names: Sequence[str] | None = None,
    ) -> EventTable:
        """Build a table from arrays, copying them.

        Args:
            features: (n, F) numbers.
            weight: (n,) signed weights.
            label: (n,) of 0/1, booleans, or ``"signal"`` / ``"background"``.
            sample: (n,) names of the sample of each event; left out, the label names it.
            event_id: (n,) or (n, m) integers that identify an event; left out, its position does.
            feature_names: F names; left out, ``x0``, ``x1``, …

        Raises:
            DataError: shapes that do not fit, NaN or infinite numbers, labels that are neither of the two.
        """
        matrix = np.array(features, dtype=np.float32, order="F", ndmin=2)
        weights = np.array(weight, dtype=np.float64)
        n = len(matrix)
        names = tuple(feature_names) if feature_names is not None else tuple(f"x{i}" for i in range(matrix.shape[1]))
        labels = _label_codes(np.asarray(label))
        ids = np.arange(n, dtype=np.uint64) if event_id is None else np.array(event_id)
        sample_names, codes = _sample_codes(labels if sample is None else np.asarray(sample), from_label=sample is None)
        _check_columns(matrix, weights, labels, codes, ids, names)
        return cls(matrix, weights, labels, codes, ids, names, sample_names)

    @classmethod
    def concatenate(cls, tables: Sequence[EventTable]) -> EventTable:
        """Join tables with the same features into one; samples of the same name become one.

        Raises:
            DataError: the features differ, or there is no table.
        """
        if not tables:
            raise DataError("no tables to join")
        names = tables[0].feature_names
        if any(table.feature_names != names for table in tables):
            raise DataError("the tables to join have different features")
        sample_names = tuple(dict.fromkeys(name for table in tables for name in table.sample_names))
        recode = [np.array([sample_names.index(s) for s in t.sample_names], np.int16)[t.sample] for t in tables]
        # Rows of the transpose are the columns: joining those keeps each feature contiguous.
        features = np.concatenate([table.features.T for table in tables], axis=1).T
        return cls(
            features,
            np.concatenate([table.weight for table in tables]),
            np.concatenate([table.label for table in tables]),
            np.concatenate(recode),
            np.concatenate([table.event_id for table in tables]),
            names,
            sample_names,
        )

    def select(self, mask: NDArray[np.bool_] | NDArray[np.integer]) -> EventTable:
        """Return the events that a mask of booleans, or an array of indices, picks."""
        chosen = np.flatnonzero(mask) if mask.dtype == np.bool_ else mask
        return EventTable(
            np.take(self.features.T, chosen, axis=1).T,  # keeps each feature contiguous
            self.weight[chosen],
            self.label[chosen],
            self.sample[chosen],
            self.event_id[chosen],
            self.feature_names,
            self.sample_names,
        )

    def of_sample(self, name: str) -> EventTable:
        """Return the events of one sample.

        Raises:
            DataError: there is no such sample.
        """
        if name not in self.sample_names:
            raise DataError(f"no sample {name!r}{nearest_names(name, self.sample_names)}")
        return self.select(self.sample == self.sample_names.index(name))

    def feature(self, name: str) -> NDArray[np.float32]:
        """Return one feature, (n,).

        Raises:
            DataError: there is no such feature.
        """
        if name not in self.feature_names:
            raise DataError(f"no feature {name!r}{nearest_names(name, self.feature_names)}")
        return self.features[:, self.feature_names.index(name)]

    def label_of_sample(self, name: str) -> str:
        """Return ``"signal"`` or ``"background"`` for a sample (by its first event)."""
        code = int(self.of_sample(name).label[0])
        return "signal" if code == SIGNAL else "background"


def _label_codes(label: NDArray[Any]) -> NDArray[np.int8]:
    if label.dtype.kind in "US":
        text = label.astype(str)
        codes = np.select([text == "background", text == "signal"], [BACKGROUND, SIGNAL], -1).astype(np.int8)
    else:
        codes = np.where(label == SIGNAL, SIGNAL, np.where(label == BACKGROUND, BACKGROUND, -1)).astype(np.int8)
    bad = codes < 0
    if bad.any():
        raise DataError(f"{int(bad.sum())} labels are neither signal (1) nor background (0), at {first_entries(bad)}")
    return codes


def _sample_codes(sample: NDArray[Any], *, from_label: bool) -> tuple[tuple[str, ...], NDArray[np.int16]]:
    values, codes = np.unique(sample, return_inverse=True)
    names = tuple("signal" if v == SIGNAL else "background" for v in values) if from_label else tuple(map(str, values))
    return names, codes.astype(np.int16)


def _check_columns(
    features: NDArray[np.float32],
    weight: NDArray[np.float64],
    label: NDArray[np.int8],
    sample: NDArray[np.int16],
    event_id: NDArray[Any],
    names: tuple[str, ...],
) -> None:
    n = len(features)
    if features.ndim != 2 or features.shape[1] != len(names):
        raise DataError(f"features have shape {features.shape}, but {len(names)} feature names are given")
    if len(set(names)) != len(names):
        raise DataError(f"feature names repeat: {', '.join(names)}")
    for what, column in (("weight", weight), ("label", label), ("sample", sample), ("event_id", event_id)):
        if len(column) != n or (column.ndim != 1 and what != "event_id"):
            raise DataError(f"{what} has shape {column.shape}, but there are {n} events")
    if event_id.dtype.kind not in "iu":
        raise DataError(f"event_id must be integers, not {event_id.dtype}: floats lose digits above 2**53")
    for name, column in [("weight", weight), *zip(names, features.T, strict=True)]:
        bad = ~np.isfinite(column)
        if bad.any():
            raise DataError(f"{int(bad.sum())} NaN or infinite values in {name!r}, at {first_entries(bad)}")

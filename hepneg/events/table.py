"""The table of events that every later step works on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hepneg._core.hashing import assign_folds
from hepneg.errors import DataError, nearest_names
from hepneg.events.identifiers import content_ids, first_entries, fold_column

__all__ = [
    "BACKGROUND",
    "DATA",
    "LABELS",
    "LABEL_NAMES",
    "SIGNAL",
    "EventTable",
    "check_grades",
    "first_entries",
    "label_code",
]

SIGNAL, BACKGROUND, DATA = 1, 0, -1
LABELS = {"background": BACKGROUND, "signal": SIGNAL}
"""The classes of simulated events, by name. Measured data (``DATA``) are of none."""
LABEL_NAMES = {code: name for name, code in LABELS.items()}


def label_code(label: str) -> int:
    """Return the number of a class by its name; of ``data`` :data:`DATA`."""
    return LABELS.get(label, DATA)


@dataclass(frozen=True, eq=False, slots=True)
class EventTable:
    """Selected events of all samples, in columns. Immutable: its arrays cannot be written to.

    Attributes:
        features: classifier inputs, (n, F) float32, stored column by column.
        weight: signed event weights, (n,) float64.
        label: 1 for signal, 0 for background, (n,) int8; −1 in a table of measured data.
        sample: index into ``sample_names``, (n,) int16.
        event_id: integer identifiers, (n,) or (n, m) for m identifying columns.
        feature_names: F names.
        sample_names: names of the samples.
        target: what a regression is to predict, (n,) float64; None in a classification.
        grade: how right a target is, from 1 (right) to −1 (a counter-example), (n,) float64; None if all are right.
        fold: the fold of each event where an expression or the caller gives it, (n,) int8; None to take a hash of
            ``event_id``.
    """

    features: NDArray[np.float32]
    weight: NDArray[np.float64]
    label: NDArray[np.int8]
    sample: NDArray[np.int16]
    event_id: NDArray[np.integer]
    feature_names: tuple[str, ...]
    sample_names: tuple[str, ...]
    target: NDArray[np.float64] | None = None
    grade: NDArray[np.float64] | None = None
    fold: NDArray[np.int8] | None = None

    def __post_init__(self) -> None:
        optional = (self.target, self.grade, self.fold)
        for column in (self.features, self.weight, self.label, self.sample, self.event_id, *optional):
            if column is not None:
                column.flags.writeable = False

    def __len__(self) -> int:
        return len(self.weight)

    def __repr__(self) -> str:
        negative = np.count_nonzero(self.weight < 0)
        samples = ", ".join(self.sample_names)
        share = negative / len(self) if len(self) else float("nan")
        target = "" if self.target is None else "; with a target"
        return (
            f"EventTable({len(self)} events, {share:.1%} with negative weight; "
            f"samples: {samples}; features: {', '.join(self.feature_names)}{target})"
        )

    @classmethod
    def from_arrays(
        cls,
        features: ArrayLike,
        weight: ArrayLike,
        label: ArrayLike | None = None,
        *,
        sample: ArrayLike | None = None,
        event_id: ArrayLike | None = None,
        feature_names: Sequence[str] | None = None,
        target: ArrayLike | None = None,
        grade: ArrayLike | None = None,
        fold: ArrayLike | None = None,
    ) -> EventTable:
        """Build a table from arrays, copying them.

        Args:
            features: (n, F) numbers.
            weight: (n,) signed weights.
            label: (n,) of 0/1, booleans, or ``"signal"`` / ``"background"``; with a target it may be left out.
            sample: (n,) names of the sample of each event; left out, the label names it.
            event_id: (n,) or (n, m) integers that identify an event; left out, a hash of its features does, so that a
                shuffled or cut table has the same folds. Up to four events with equal features share a fold then; where
                the features have few values, give identifiers.
            feature_names: F names; left out, ``x0``, ``x1``, …
            target: (n,) numbers for a regression.
            grade: (n,) numbers from −1 to 1: how right each target is.
            fold: (n,) integers from 0 on: the fold of each event; left out, a hash of ``event_id`` gives it.

        Raises:
            DataError: what is no array of numbers, shapes that do not fit, NaN or infinite numbers, labels that are
                neither of the two, a sample of both labels, grades outside [−1, 1] or without a target, or neither
                label nor target.
        """
        with np.errstate(over="ignore"):  # what is infinite in float32 is refused below
            matrix = _array(features, "features", np.float32, order="F", ndmin=2)
        weights = _array(weight, "weight", np.float64)
        n = len(matrix)
        names = _names(feature_names, matrix.shape[1])
        labels = _labels_or_signal(label, n, needed=target is None)
        ids = np.arange(n) if event_id is None else _array(event_id, "event_id")
        if sample is None and label is None:
            sample = np.full(n, "events")
        kinds = labels if sample is None else _array(sample, "sample")
        sample_names, codes = _sample_codes(kinds, from_label=sample is None)
        _check_columns(matrix, weights, labels, codes, ids, names)
        _check_samples(codes, labels, sample_names)
        if event_id is None:
            ids = content_ids(matrix, labels, weights)
        targets, grades = _target_columns(target, grade, n)
        folds = None if fold is None else fold_column(_array(fold, "fold"), n)
        return cls(matrix, weights, labels, codes, ids, names, sample_names, targets, grades, folds)

    def require_simulated(self) -> None:
        """Refuse measured data, which are never trained on.

        Raises:
            DataError: there are any.
        """
        if (self.label == DATA).any():
            raise DataError("the table holds measured data, which are never trained on; leave them out")

    @classmethod
    def concatenate(cls, tables: Sequence[EventTable]) -> EventTable:
        """Join tables with the same features into one; samples of the same name become one.

        Raises:
            DataError: the features differ, only some have a target, grades or folds, or there is no table.
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
            _joined([table.target for table in tables], "target"),
            _joined([table.grade for table in tables], "grades"),
            _joined([table.fold for table in tables], "folds"),
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
            None if self.target is None else self.target[chosen],
            None if self.grade is None else self.grade[chosen],
            None if self.fold is None else self.fold[chosen],
        )

    def folds(self, number: int, seed: int) -> NDArray[np.int8]:
        """Return the fold of each event, (n,): the table's own, or a seeded hash of the identifiers.

        Args:
            number: of folds, from 2 to 127.
            seed: of the hash.

        Raises:
            DataError: the table's own folds are more.
        """
        if self.fold is None:
            return assign_folds(self.event_id, number, seed)
        if len(self.fold) and int(self.fold.max()) >= number:
            raise DataError(
                f"the events are in {int(self.fold.max()) + 1} folds by their own account, but {number} were asked "
                "for; give as many (`folds.count`, or folds=)"
            )
        return self.fold

    def required_target(self) -> NDArray[np.float64]:
        """Return the target, (n,).

        Raises:
            DataError: the events have none.
        """
        if self.target is None:
            raise DataError("the events have no target: a regression needs `target:` in the configuration or table")
        return self.target

    def with_target_as_feature(self) -> EventTable:
        """Return the same events with ``(target)``, and ``(grade)`` where there are grades, as last features.

        Raises:
            DataError: the events have no target, or one that is infinite in float32.
        """
        added = {"(target)": self.required_target(), "(grade)": self.grade}
        with np.errstate(over="ignore"):
            columns = {name: column.astype(np.float32) for name, column in added.items() if column is not None}
        if not np.isfinite(columns["(target)"]).all():
            raise DataError(
                "some targets are too large for float32, as which signs are learnt from them; take another unit"
            )
        features = np.concatenate([self.features.T, *(column[None] for column in columns.values())]).T
        return replace(self, features=features, feature_names=(*self.feature_names, *columns))

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
        """Return ``"signal"``, ``"background"`` or ``"data"`` for a sample (by its first event)."""
        return LABEL_NAMES.get(int(self.of_sample(name).label[0]), "data")


def _array(values: Any, what: str, dtype: Any = None, **options: Any) -> NDArray[Any]:
    """Return a copy as an array.

    Args:
        values: what the caller gave.
        what: how messages call it.
        dtype: of the array; left out, that of the values.
        options: of :func:`numpy.array`.

    Raises:
        DataError: the values cannot be an array, or not one of this type.
    """
    if isinstance(values, Mapping):
        stacked = "np.column_stack(list(columns.values())) and feature_names=list(columns)"
        wanted = stacked if what == "features" else "an array"
        raise DataError(f"{what} is a {type(values).__name__}, not an array; give {wanted}")
    try:
        return np.array(values, dtype=dtype, **options)
    except (TypeError, ValueError) as error:
        kind = "an array" if dtype is None else "an array of numbers"
        raise DataError(f"{what} cannot be turned into {kind}: {' '.join(str(error).split())}") from None


def _names(names: Any, number: int) -> tuple[str, ...]:
    if names is None:
        return tuple(f"x{i}" for i in range(number))
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise DataError(f"feature_names must be a list of names, not {names!r}")
    found = tuple(names)
    wrong = [name for name in found if not isinstance(name, str)]
    if wrong:
        raise DataError(f"feature_names must be text, not {wrong[0]!r}")
    return found


def _labels_or_signal(label: ArrayLike | None, n: int, *, needed: bool) -> NDArray[np.int8]:
    if label is not None:
        return _label_codes(_array(label, "label"))
    if needed:
        raise DataError("give a label for each event, or, for a regression, a target")
    return np.full(n, SIGNAL, dtype=np.int8)


def _target_columns(
    target: ArrayLike | None, grade: ArrayLike | None, n: int
) -> tuple[NDArray[np.float64] | None, NDArray[np.float64] | None]:
    if target is None:
        if grade is not None:
            raise DataError("grades say how right targets are, but there is no target")
        return None, None
    grades = None if grade is None else _number_column(grade, "grade", n)
    if grades is not None:
        check_grades(grades)
    return _number_column(target, "target", n), grades


def check_grades(grade: NDArray[np.float64], where: str = "") -> None:
    """Refuse grades outside [−1, 1].

    Args:
        grade: (n,).
        where: the file as messages call it, with a colon behind it.

    Raises:
        DataError: with the first entries.
    """
    bad = ~(np.abs(grade) <= 1.0)
    if bad.any():
        raise DataError(f"{where}{int(bad.sum())} grades lie outside [-1, 1], at {first_entries(bad)}; scale them")


def _number_column(values: ArrayLike, what: str, n: int) -> NDArray[np.float64]:
    column = _array(values, what, np.float64)
    if column.shape != (n,):
        raise DataError(f"{what} has shape {column.shape}, but there are {n} events")
    bad = ~np.isfinite(column)
    if bad.any():
        raise DataError(f"{int(bad.sum())} NaN or infinite values in {what!r}, at {first_entries(bad)}")
    return column


def _joined(parts: Sequence[NDArray[Any] | None], what: str) -> NDArray[Any] | None:
    present = [part for part in parts if part is not None]
    if present and len(present) < len(parts):
        raise DataError(f"only some of the tables to join have {what}")
    return np.concatenate(present) if present else None


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
    try:
        values, codes = np.unique(sample, return_inverse=True)
    except TypeError:  # objects without an order, such as text beside None
        raise DataError("sample must be a name for each event, all of one type") from None
    names = (LABEL_NAMES[code] for code in values) if from_label else map(str, values)
    return tuple(names), codes.astype(np.int16)


def _check_samples(codes: NDArray[np.int16], labels: NDArray[np.int8], names: tuple[str, ...]) -> None:
    for code in range(len(names)):
        if np.ptp(labels[codes == code]):
            raise DataError(
                f"sample {names[code]!r} has events of both labels, but a sample is of one process: "
                "name its signal and its background apart"
            )


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
        if column.shape[:1] != (n,) or (column.ndim != 1 and what != "event_id"):
            raise DataError(f"{what} has shape {column.shape}, but there are {n} events")
    if event_id.dtype.kind not in "iu":
        raise DataError(f"event_id must be integers, not {event_id.dtype}: floats lose digits above 2**53")
    for name, column in [("weight", weight), *zip(names, features.T, strict=True)]:
        bad = ~np.isfinite(column)
        if bad.any():
            raise DataError(f"{int(bad.sum())} NaN or infinite values in {name!r}, at {first_entries(bad)}")

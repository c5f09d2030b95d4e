"""The columns of a table of events as arrays bring them: checked, with codes for labels and samples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hepneg._core.class_names import TWO_CLASSES, class_names
from hepneg._core.collection_limits import COLLECTION_NAME
from hepneg.errors import DataError
from hepneg.events.collection import Collection
from hepneg.events.identifiers import first_entries

__all__ = [
    "BACKGROUND",
    "DATA",
    "LABELS",
    "LABEL_NAMES",
    "SIGNAL",
    "check_collections",
    "check_columns",
    "check_grades",
    "check_samples",
    "column_names",
    "grade_of_distance",
    "joined_classes",
    "joined_collections",
    "joined_column",
    "label_code",
    "label_codes",
    "labels_or_signal",
    "number_array",
    "number_column",
    "sample_codes",
    "target_columns",
    "target_names",
]

SIGNAL, BACKGROUND, DATA = 1, 0, -1
LABELS = {name: code for code, name in enumerate(TWO_CLASSES)}
"""The codes of the two classes whose names are not free. Measured data (``DATA``) are of none."""
LABEL_NAMES = {code: name for name, code in LABELS.items()}


def label_code(label: str, classes: Sequence[str] = TWO_CLASSES) -> int:
    """Return the code of a class by its name, its position among all; of ``data`` :data:`DATA`."""
    return classes.index(label) if label in classes else DATA


def number_array(values: Any, what: str, dtype: Any = None, **options: Any) -> NDArray[Any]:
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


def column_names(names: Any, number: int) -> tuple[str, ...]:
    """Return the names of F columns, ``x0``, ``x1``, … where none are given.

    Raises:
        DataError: with what is wrong.
    """
    if names is None:
        return tuple(f"x{i}" for i in range(number))
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise DataError(f"feature_names must be a list of names, not {names!r}")
    found = tuple(names)
    wrong = [name for name in found if not isinstance(name, str)]
    if wrong:
        raise DataError(f"feature_names must be text, not {wrong[0]!r}")
    return found


def labels_or_signal(label: ArrayLike | None, n: int, *, needed: bool) -> tuple[NDArray[np.int8], tuple[str, ...]]:
    """Return the codes of labels, (n,), and the classes' names; those of signal where none are given and none needed.

    Raises:
        DataError: with what is wrong.
    """
    if label is not None:
        return label_codes(number_array(label, "label"))
    if needed:
        raise DataError("give a label for each event, or, for a regression, a target")
    return np.full(n, SIGNAL, dtype=np.int8), TWO_CLASSES


def target_columns(
    target: ArrayLike | None, grade: ArrayLike | None, names: Sequence[str] | None, n: int
) -> tuple[NDArray[np.float64] | None, NDArray[np.float64] | None, tuple[str, ...]]:
    """Return targets, (n,) or (n, T), grades, (n,), both checked, and the targets' names; None where there are none.

    Raises:
        DataError: with what is wrong.
    """
    if target is None:
        if grade is not None:
            raise DataError("grades say how right targets are, but there is no target")
        return None, None, ()
    grades = None if grade is None else number_column(grade, "grade", n)
    if grades is not None:
        check_grades(grades)
    targets = number_array(target, "target", np.float64)
    if targets.ndim == 2 and targets.shape[1] == 1:
        targets = targets[:, 0]
    if targets.ndim != 2:
        return number_column(targets, "target", n), grades, target_names(names, 1)
    found = target_names(names, targets.shape[1])
    columns = [number_column(column, f"target {name}", n) for name, column in zip(found, targets.T, strict=True)]
    return np.column_stack(columns), grades, found


def target_names(names: Sequence[str] | None, number: int) -> tuple[str, ...]:
    """Return the names of so many targets; left out, ``target``, or ``target0``, ``target1``, … for several.

    Raises:
        DataError: another number of names, or one that is there twice.
    """
    default = [f"target{i}" for i in range(number)] if number != 1 else ["target"]
    found = tuple(default if names is None else map(str, names))
    if len(found) != number or len(set(found)) < number or not number:
        raise DataError(f"there are {number} targets, but their names are: {', '.join(found) or 'none'}")
    return found


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


def grade_of_distance(distance: ArrayLike, reach: float) -> NDArray[np.float64]:
    """Return how right targets are, from 1 to −1, from how wrong they are: (a² − d²)/(a² + d²).

    It is 1 for a right target, 0 at the reach, and tends to −1 far away, where a larger mistake counts no more.

    Args:
        distance: d, (n,), from the target to the right one, in its unit; the sign is not used.
        reach: a > 0, in the same unit.

    Raises:
        DataError: a reach that is not positive.
    """
    if not (reach > 0 and np.isfinite(reach)):
        raise DataError(f"the reach of a grade must be positive, in the target's unit, not {reach!r}")
    square = np.square(np.clip(np.asarray(distance, np.float64) / reach, -1e9, 1e9))
    return np.asarray((1.0 - square) / (1.0 + square))


def number_column(values: ArrayLike, what: str, n: int) -> NDArray[np.float64]:
    """Return one finite number for each event, (n,).

    Raises:
        DataError: with what is wrong.
    """
    column = number_array(values, what, np.float64)
    if column.shape != (n,):
        raise DataError(f"{what} has shape {column.shape}, but there are {n} events")
    bad = ~np.isfinite(column)
    if bad.any():
        raise DataError(f"{int(bad.sum())} NaN or infinite values in {what!r}, at {first_entries(bad)}")
    return column


def joined_column(parts: Sequence[NDArray[Any] | None], what: str) -> NDArray[Any] | None:
    """Join a column of several tables, which all have or all lack.

    Raises:
        DataError: with what is wrong.
    """
    present = [part for part in parts if part is not None]
    if present and len(present) < len(parts):
        raise DataError(f"only some of the tables to join have {what}")
    return np.concatenate(present) if present else None


def joined_collections(parts: Sequence[Mapping[str, Collection]]) -> dict[str, Collection]:
    """Join the collections of several tables.

    Raises:
        DataError: not all have the same.
    """
    if any(list(part) != list(parts[0]) for part in parts):
        raise DataError("the tables to join have different collections")
    return {name: Collection.concatenate([part[name] for part in parts]) for name in parts[0]}


def check_collections(collections: Mapping[str, Collection] | None, n: int) -> dict[str, Collection]:
    """Return the collections of n events, checked.

    Raises:
        DataError: with what is wrong.
    """
    for name, part in (collections or {}).items():
        if not isinstance(part, Collection):
            raise DataError(f"collection {name!r} is a {type(part).__name__}; give hepneg.Collection.from_lists(…)")
        if not COLLECTION_NAME.fullmatch(name):
            raise DataError(f"{name!r} is no name of a collection: letters, digits and _, and not 'features'")
        if len(part) != n:
            raise DataError(f"collection {name!r} is of {len(part)} events, but there are {n}")
    return dict(collections or {})


def label_codes(label: NDArray[Any]) -> tuple[NDArray[np.int8], tuple[str, ...]]:
    """Return the codes of labels that are 0/1, booleans or names, (n,), and the classes' names by code.

    Raises:
        DataError: with what is wrong.
    """
    if label.dtype.kind in "UST" or (label.dtype.kind == "O" and all(isinstance(one, str) for one in label.flat)):
        return _named_codes(label.astype(str))
    codes = np.where(label == SIGNAL, SIGNAL, np.where(label == BACKGROUND, BACKGROUND, -1)).astype(np.int8)
    bad = codes < 0
    if bad.any():
        raise DataError(
            f"{int(bad.sum())} labels are neither signal (1) nor background (0), at {first_entries(bad)}; give other "
            "classes names as text"
        )
    return codes, TWO_CLASSES


def _named_codes(label: NDArray[np.str_]) -> tuple[NDArray[np.int8], tuple[str, ...]]:
    values, first, place = np.unique(label, return_index=True, return_inverse=True)
    names = [str(name) for name in values[np.argsort(first)]]
    try:
        classes = class_names(names)
    except ValueError as error:
        raise DataError(f"label: {error}") from None
    code = np.array([label_code(str(name), classes) for name in values], dtype=np.int8)
    return code[place.reshape(label.shape)], classes


def joined_classes(parts: Sequence[tuple[NDArray[np.int8], tuple[str, ...]]]) -> tuple[Any, tuple[str, ...]]:
    """Join the labels of several tables: codes, and names of the classes.

    Raises:
        DataError: the names do not go together.
    """
    classes = parts[0][1]
    if any(names != classes for _, names in parts):
        present = (names[code] for label, names in parts for code in range(len(names)) if (label == code).any())
        try:
            classes = class_names(present)
        except ValueError as error:
            raise DataError(f"the tables to join: {error}") from None
    code = [np.array([*(label_code(name, classes) for name in names), DATA], dtype=np.int8) for _, names in parts]
    return np.concatenate([new[label] for new, (label, _) in zip(code, parts, strict=True)]), classes


def sample_codes(
    sample: NDArray[Any], classes: tuple[str, ...] | None = None
) -> tuple[tuple[str, ...], NDArray[np.int16]]:
    """Return the names of samples, and the position of each event's among them, (n,).

    Args:
        sample: name of the sample of each event, (n,), or the code of its label.
        classes: names of the classes, where codes of labels are given.

    Raises:
        DataError: with what is wrong.
    """
    try:
        values, codes = np.unique(sample, return_inverse=True)
    except TypeError:  # objects without an order, such as text beside None
        raise DataError("sample must be a name for each event, all of one type") from None
    names = map(str, values) if classes is None else (classes[code] for code in values)
    return tuple(names), codes.astype(np.int16)


def check_samples(codes: NDArray[np.int16], labels: NDArray[np.int8], names: tuple[str, ...]) -> None:
    """Refuse a sample with events of several labels.

    Raises:
        DataError: with what is wrong.
    """
    for code in range(len(names)):
        if np.ptp(labels[codes == code]):
            raise DataError(
                f"sample {names[code]!r} has events of several labels, but a sample is of one process: "
                "name those of each label apart"
            )


def check_columns(
    features: NDArray[np.float32],
    weight: NDArray[np.float64],
    label: NDArray[np.int8],
    sample: NDArray[np.int16],
    event_id: NDArray[Any],
    names: tuple[str, ...],
) -> None:
    """Refuse columns of other lengths, numbers that are not finite, and identifiers that are no integers.

    Raises:
        DataError: with what is wrong.
    """
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

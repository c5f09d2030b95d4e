"""The table of events that every later step works on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hepneg._core.class_names import DATA_LABEL, TWO_CLASSES
from hepneg._core.hashing import assign_folds
from hepneg.errors import DataError, nearest_names
from hepneg.events.categories import check_categories, unknown_values
from hepneg.events.clusters import clusters
from hepneg.events.collection import Collection
from hepneg.events.identifiers import content_ids, first_entries, fold_column
from hepneg.events.input_layout import CollectionLayout, EventInputs, InputLayout, Rows, by_number
from hepneg.events.table_columns import (
    BACKGROUND,
    DATA,
    LABEL_NAMES,
    LABELS,
    SIGNAL,
    check_collections,
    check_columns,
    check_grades,
    check_samples,
    column_names,
    grade_of_distance,
    joined_classes,
    joined_collections,
    joined_column,
    label_code,
    labels_or_signal,
    number_array,
    sample_codes,
    target_columns,
)

__all__ = [
    "BACKGROUND",
    "DATA",
    "LABELS",
    "LABEL_NAMES",
    "SIGNAL",
    "EventTable",
    "check_grades",
    "first_entries",
    "grade_of_distance",
    "label_code",
]


@dataclass(frozen=True, eq=False, slots=True)
class EventTable:
    """Selected events of all samples, in columns. Immutable: its arrays cannot be written to.

    Attributes:
        features: classifier inputs, (n, F) float32, stored column by column.
        weight: signed event weights, (n,) float64.
        label: code of each event's class, its position in ``classes``, (n,) int8: 1 for signal, 0 for background; −1 in
            a table of measured data.
        sample: index into ``sample_names``, (n,) int16.
        event_id: integer identifiers, (n,) or (n, m) for m identifying columns.
        feature_names: F names.
        sample_names: names of the samples.
        target: what a regression is to predict, (n,) float64, or (n, T) for T targets; None in a classification.
        grade: how right a target is, from 1 (right) to −1 (a counter-example), (n,) float64; None if all are right.
        fold: the fold of each event where an expression or the caller gives it, (n,) int8; None to take a hash of
            ``event_id``.
        by_content: the identifiers are hashes of the features, for want of others.
        source: by sample, the name of the first sample that holds candidates of the same events, as samples that share
            a file do; samples that are left out hold events of their own, whatever their identifiers.
        target_names: names of the targets.
        collections: objects of the events, such as jets, by name.
        categories: the values of features that are categories, by name.
        classes: names of the classes by code: ``("background", "signal")``, or any others.
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
    by_content: bool = False
    source: Mapping[str, str] = field(default_factory=dict)
    target_names: tuple[str, ...] = ()
    collections: Mapping[str, Collection] = field(default_factory=dict)
    categories: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    classes: tuple[str, ...] = TWO_CLASSES

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
        target = f"; target: {', '.join(self.target_names)}" if self.target_names else ""
        objects = f"; collections: {', '.join(self.collections)}" if self.collections else ""
        return (
            f"EventTable({len(self)} events, {share:.1%} with negative weight; "
            f"samples: {samples}; features: {', '.join(self.feature_names)}{objects}{target})"
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
        target_names: Sequence[str] | None = None,
        collections: Mapping[str, Collection] | None = None,
        categories: Mapping[str, Sequence[int]] | None = None,
    ) -> EventTable:
        """Build a table from arrays, copying them.

        Args:
            features: (n, F) numbers.
            weight: (n,) signed weights.
            label: (n,) of 0/1, booleans, or ``"signal"`` / ``"background"``, or any other names: their classes are in
                the order of first appearance. With a target it may be left out.
            sample: (n,) names of the sample of each event; left out, the label names it.
            event_id: (n,) or (n, m) integers that identify an event; rows of one event, its candidates, share it (among
                all rows where no samples are given). Left out, a hash of its features identifies each row, so that a
                shuffled or cut table has the same folds. Up to four rows with equal features share a fold then; where
                the features have few values, give identifiers.
            feature_names: F names; left out, ``x0``, ``x1``, …
            target: (n,) numbers for a regression, or (n, T) for one with T targets.
            grade: (n,) numbers from −1 to 1: how right each target is.
            fold: (n,) integers from 0 on: the fold of each event; left out, a hash of ``event_id`` gives it.
            target_names: T names; left out, ``target``, or ``target0``, ``target1``, … for several.
            collections: objects of the events by name; see :meth:`Collection.from_lists`.
            categories: by name, the values of features that are categories: whole numbers, which a network takes as
                names rather than sizes.

        Raises:
            DataError: what is no array of numbers, shapes that do not fit, NaN or infinite numbers, labels that are no
                classes, a sample of several labels, grades outside [−1, 1] or without a target, or neither label nor
                target.
        """
        with np.errstate(over="ignore"):  # what is infinite in float32 is refused below
            matrix = number_array(features, "features", np.float32, order="F", ndmin=2)
        weights = number_array(weight, "weight", np.float64)
        n = len(matrix)
        names = column_names(feature_names, matrix.shape[1])
        labels, classes = labels_or_signal(label, n, needed=target is None)
        ids = np.arange(n) if event_id is None else number_array(event_id, "event_id")
        if sample is None and label is None:
            sample = np.full(n, "events")
        kinds = labels if sample is None else number_array(sample, "sample")
        sample_names, codes = sample_codes(kinds, classes if sample is None else None)
        check_columns(matrix, weights, labels, codes, ids, names)
        check_samples(codes, labels, sample_names)
        objects = check_collections(collections, n)
        if event_id is None:
            by_name = np.argsort(np.argsort(classes))[labels]  # codes may depend on the order of the events
            ids = content_ids(matrix, by_name, weights, [part.keys() for part in objects.values()])
        targets, grades, named = target_columns(target, grade, target_names, n)
        folds = None if fold is None else fold_column(number_array(fold, "fold"), n)
        by_content = event_id is None
        source = dict.fromkeys(sample_names, sample_names[0]) if sample is None and sample_names else {}
        optional = (targets, grades, folds, by_content, source, named, objects, check_categories(categories, names))
        return cls(matrix, weights, labels, codes, ids, names, sample_names, *optional, classes)

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
            DataError: the features or collections differ, only some have a target, grades or folds, or there is no
                table.
        """
        if not tables:
            raise DataError("no tables to join")
        names = tables[0].feature_names
        if any(table.feature_names != names for table in tables):
            raise DataError("the tables to join have different features")
        if len({table.target_names for table in tables if table.target is not None}) > 1:
            raise DataError("the tables to join have different targets")
        sample_names = tuple(dict.fromkeys(name for table in tables for name in table.sample_names))
        recode = [np.array([sample_names.index(s) for s in t.sample_names], np.int16)[t.sample] for t in tables]
        label, classes = joined_classes([(table.label, table.classes) for table in tables])
        # Rows of the transpose are the columns: joining those keeps each feature contiguous.
        features = np.concatenate([table.features.T for table in tables], axis=1).T
        return cls(
            features,
            np.concatenate([table.weight for table in tables]),
            label,
            np.concatenate(recode),
            np.concatenate([table.event_id for table in tables]),
            names,
            sample_names,
            joined_column([table.target for table in tables], "target"),
            joined_column([table.grade for table in tables], "grades"),
            joined_column([table.fold for table in tables], "folds"),
            all(table.by_content for table in tables),
            {name: first for table in reversed(tables) for name, first in table.source.items()},
            tables[0].target_names,
            joined_collections([table.collections for table in tables]),
            tables[0].categories,
            classes,
        )

    def select(self, mask: NDArray[np.bool_] | NDArray[np.integer]) -> EventTable:
        """Return the events that a mask of booleans, or an array of indices, picks."""
        chosen: NDArray[np.integer] = (
            np.flatnonzero(mask) if mask.dtype == np.bool_ else mask.astype(np.intp, copy=False)
        )
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
            self.by_content,
            self.source,
            self.target_names,
            {name: part.select(chosen) for name, part in self.collections.items()},
            self.categories,
            self.classes,
        )

    @property
    def layout(self) -> InputLayout:
        """How the inputs of a network are made of features and collections."""
        return InputLayout(
            len(self.feature_names),
            by_number(self.categories, self.feature_names),
            {
                name: CollectionLayout(part.feature_names, part.most, by_number(part.categories, part.feature_names))
                for name, part in self.collections.items()
            },
        )

    @property
    def inputs(self) -> Rows:
        """What a network takes: the features, (n, F), or these with the collections."""
        return EventInputs(self.features, self.collections, self.layout) if self.collections else self.features

    def unknown_categories(self) -> dict[str, int]:
        """Return how many values are none of their categories, by feature, ``collection.feature`` of objects."""
        found = unknown_values(self.features, self.feature_names, self.categories)
        for name, part in self.collections.items():
            for feature, count in unknown_values(part.contents, part.feature_names, part.categories).items():
                found[f"{name}.{feature}"] = count
        return found

    @property
    def observation_id(self) -> NDArray[np.integer]:
        """Identifiers of what was observed together, (n,) or (n, m): each row its own where content identifies events.

        Rows of equal features are one event for the folds, but different ones where features have few values.
        """
        return np.arange(len(self)) if self.by_content else self.event_id

    def clusters(self) -> NDArray[np.intp] | None:
        """Return the event that each row is of, (n,), as :func:`hepneg.events.clusters` numbers them.

        Rows are of one event where their identifiers are equal, in one sample or in samples of one ``source``. None
        where each row is an event of its own.
        """
        if self.by_content:
            return None
        sources = [self.source.get(name, name) for name in self.sample_names]
        group = np.array([sources.index(name) for name in sources], dtype=np.int16)
        return clusters(self.event_id, group[self.sample] if len(set(sources)) > 1 else None)

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
        """Return the target, (n,), or several, (n, T).

        Raises:
            DataError: the events have none.
        """
        if self.target is None:
            raise DataError("the events have no target: a regression needs `target:` in the configuration or table")
        return self.target

    def targets(self) -> NDArray[np.float64]:
        """Return the targets in columns, (n, T), also where there is one.

        Raises:
            DataError: the events have none.
        """
        return self.required_target().reshape(len(self), -1)

    def right(self) -> NDArray[np.bool_]:
        """Return which events have a right target, (n,): all, or those of positive grade."""
        return np.ones(len(self), np.bool_) if self.grade is None else self.grade > 0

    def of_target(self, number: int) -> EventTable:
        """Return the events with one of their targets alone.

        Raises:
            DataError: the events have none.
        """
        return replace(self, target=self.targets()[:, number], target_names=(self.target_names[number],))

    def with_target_as_feature(self) -> EventTable:
        """Return the same events with ``(target)``, or each of several by its name, as last features; grades as well.

        Raises:
            DataError: the events have no target, or one that is infinite in float32.
        """
        names = [f"({name})" for name in self.target_names]
        added = dict(zip(names, self.targets().T, strict=True))
        with np.errstate(over="ignore"):
            columns = {name: column.astype(np.float32) for name, column in added.items()}
        if not all(np.isfinite(column).all() for column in columns.values()):
            raise DataError(
                "some targets are too large for float32, as which signs are learnt from them; take another unit"
            )
        if self.grade is not None:
            columns["(grade)"] = self.grade.astype(np.float32)
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
        """Return the class of a sample, or ``"data"`` (by its first event)."""
        code = int(self.of_sample(name).label[0])
        return DATA_LABEL if code == DATA else self.classes[code]

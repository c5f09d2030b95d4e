"""From the columns of one step through a file to selection, identifiers and features."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from hepneg.config import Config
from hepneg.errors import DataError
from hepneg.events import Collection
from hepneg.events.collection import cut_lists
from hepneg.expressions import Expression, MissingElements, identifier_expression
from hepneg.expressions.functions import logical
from hepneg.ntuples.identity import base_name

__all__ = ["CollectionExpressions", "Evaluator", "named_entries"]

# A block of float32 that stays in the second-level cache between being written and being checked.
_BLOCK = 32_768


@dataclass(frozen=True)
class CollectionExpressions:
    """How the objects of a collection are found.

    Attributes:
        features: expression of each feature, by its name, in order; each gives a list for each event.
        most: objects of an event that are kept.
        categories: values of features that are categories, by name.
    """

    features: Mapping[str, Expression]
    most: int
    categories: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, config: Config) -> dict[str, CollectionExpressions]:
        """Return those of a configuration, by name."""
        return {
            name: cls(
                {feature.name: feature.expression for feature in part.features},
                part.most,
                part.categories,
            )
            for name, part in config.collections.items()
        }


@dataclass(frozen=True)
class Evaluator:
    """Evaluates what one file delivers.

    Attributes:
        features: expression of each feature, by its name, in order.
        selection: condition on the events, or None.
        event_id: branches or expressions that identify an event by integers; empty, the name of the file and the entry
            number do.
        name: of the file, without folders, for those identifiers.
        where: the file as messages call it.
        collections: of objects, by name.
    """

    features: Mapping[str, Expression]
    selection: Expression | None
    event_id: tuple[str, ...]
    name: str
    where: str
    collections: Mapping[str, CollectionExpressions] = field(default_factory=dict)

    @classmethod
    def of(cls, config: Config, sample: str, path: str) -> Self:
        """Return what evaluates a file of a sample, whose configuration is given."""
        features = {feature.name: feature.expression for feature in config.features}
        where = f"sample {sample!r}, {path}"
        objects = CollectionExpressions.of(config)
        return cls(features, config.selection, config.event_id, base_name(path), where, objects)

    def evaluate(self, user: str, expression: Expression, columns: Mapping[str, Any]) -> NDArray[Any]:
        """Return one value per event, (n,).

        Raises:
            DataError: as the expression's, with the file and what needs it.
        """
        try:
            if not expression.branches:
                return np.full(len(next(iter(columns.values()))), expression.constant())
            return expression.evaluate(columns)
        except DataError as error:
            raise DataError(f"{self.where}: {user}: {error}") from None

    def selected(self, columns: Mapping[str, Any]) -> NDArray[np.bool_] | None:
        """Return which events pass the selection, (n,), or None if there is none."""
        if self.selection is None:
            return None
        kept: NDArray[np.bool_] = logical(self.evaluate("selection", self.selection, columns))
        return kept

    def identifiers(self, columns: Mapping[str, Any], entry: NDArray[np.int64]) -> NDArray[np.integer]:
        """Return identifiers of 64 bits, (n,) or (n, m) for m identifying branches.

        Args:
            columns: the identifying branches.
            entry: entry number of each event in the file.
        """
        if not self.event_id:
            return np.column_stack([np.full(len(entry), zlib.crc32(self.name.encode()), dtype=np.int64), entry])
        parts = [self._identifier(text, columns, entry) for text in self.event_id]
        if len(parts) == 1:
            return parts[0]
        common = parts[0].dtype if len({part.dtype for part in parts}) == 1 else np.dtype(np.uint64)
        return np.column_stack([part.astype(common, copy=False) for part in parts])

    def _identifier(self, text: str, columns: Mapping[str, Any], entry: NDArray[np.int64]) -> NDArray[np.integer]:
        watched = MissingElements(columns)
        values = self.evaluate("event_id", identifier_expression(text), watched)
        missing = next(iter(watched.masks.items()), None)
        if missing is not None:
            raise DataError(f"{self.where}: event_id: {missing[0]} is missing at {named_entries(entry[missing[1]])}")
        if values.dtype.kind == "f":
            return self._whole(text, values, entry)
        return _as_64_bits(values)

    def _whole(self, text: str, values: NDArray[Any], entry: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return floating-point identifiers as the integers that they are exactly."""
        most = 2.0 ** (np.finfo(values.dtype).nmant + 1)
        bad = ~(np.abs(values) < most) | (values != np.rint(values))
        if bad.any():
            raise DataError(
                f"{self.where}: event_id {text!r} holds {values.dtype}, and at {named_entries(entry[bad])} it is "
                f"no whole number below 2**{np.finfo(values.dtype).nmant + 1}, above which floats lose digits; "
                "identify events by integers"
            )
        return values.astype(np.int64)

    def folds(
        self, by: Expression, count: int, columns: Mapping[str, Any], entry: NDArray[np.int64]
    ) -> NDArray[np.int8]:
        """Return the fold of each event by an expression, (n,).

        Raises:
            DataError: a value that is no whole number from 0 to ``count`` − 1.
        """
        values = self.evaluate("folds", by, columns)
        bad = ~((values >= 0) & (values < count) & (values == np.floor(values)))
        if bad.any():
            raise DataError(
                f"{self.where}: folds: {by.text!r} is {values[bad][0]:g} at {named_entries(entry[bad])}, but a "
                f"fold is a whole number from 0 to {count - 1}; write for instance '({by.text}) % {count}'"
            )
        return values.astype(np.int8)

    def matrix(
        self, columns: Mapping[str, Any], events: int
    ) -> tuple[NDArray[np.float32], dict[str, NDArray[np.bool_]]]:
        """Evaluate the features.

        Returns:
            The features, (F, n), and which events are NaN or infinite, (n,), for each feature in which any is.
        """
        features = np.empty((len(self.features), events), dtype=np.float32)
        bad = {}
        for row, (name, expression) in zip(features, self.features.items(), strict=True):
            if not _copy_finite(self.evaluate(f"feature {name!r}", expression, columns), row):
                bad[name] = ~np.isfinite(row)
        return features, bad

    def inputs(
        self, columns: Mapping[str, Any], entry: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], dict[str, Collection], dict[str, NDArray[np.bool_]]]:
        """Return :meth:`matrix`, :meth:`objects`, and which events have NaN or infinite values in either, (n,)."""
        features, wrong = self.matrix(columns, len(entry))
        objects, wrong_objects = self.objects(columns, entry)
        return features, objects, {**wrong, **wrong_objects}

    def objects(
        self, columns: Mapping[str, Any], entry: NDArray[np.int64]
    ) -> tuple[dict[str, Collection], dict[str, NDArray[np.bool_]]]:
        """Evaluate the collections.

        Args:
            columns: the branches.
            entry: entry number of each event in the file.

        Returns:
            The collections, and which events have NaN or infinite values, (n,), for each feature in which any has,
            called ``collection.feature``.

        Raises:
            DataError: an expression gives no lists, or features of a collection have lists of different lengths.
        """
        found: dict[str, Collection] = {}
        bad: dict[str, NDArray[np.bool_]] = {}
        for name, wanted in self.collections.items():
            parts = {
                feature: self._lists(f"feature {feature!r} of {name!r}", expression, columns)
                for feature, expression in wanted.features.items()
            }
            try:
                contents, offsets = cut_lists(parts, wanted.most)
            except DataError as error:
                at = f" (events counted from entry {entry[0]} on)" if len(entry) else ""
                raise DataError(f"{self.where}: collection {name!r}: {error}{at}") from None
            made = Collection(tuple(wanted.features), contents, offsets, wanted.most, wanted.categories)
            found[name] = made
            bad |= {f"{name}.{feature}": mask for feature, mask in made.not_finite().items()}
        return found, bad

    def _lists(
        self, user: str, expression: Expression, columns: Mapping[str, Any]
    ) -> tuple[NDArray[np.integer], NDArray[Any]]:
        try:
            return expression.lists(columns)
        except DataError as error:
            raise DataError(f"{self.where}: {user}: {error}") from None


def named_entries(entries: NDArray[np.int64], most: int = 5) -> str:
    """Name the first of some entries, for a message."""
    shown = ", ".join(map(str, entries[:most]))
    return f"{'entry' if len(entries) == 1 else 'entries'} {shown}" + (", …" if len(entries) > most else "")


def _as_64_bits(column: NDArray[Any]) -> NDArray[np.integer]:
    """Widen an identifier to 64 bits of its own signedness, so that files may differ in width."""
    return np.ascontiguousarray(column.astype(np.uint64 if column.dtype.kind == "u" else np.int64, copy=False))


def _copy_finite(values: NDArray[Any], target: NDArray[np.float32]) -> bool:
    """Copy one column to float32 and tell whether all of it is finite, in one pass through memory."""
    finite = True
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, len(target), _BLOCK):
            block = target[start : start + _BLOCK]
            np.copyto(block, values[start : start + _BLOCK], casting="unsafe")
            finite = finite and bool(np.isfinite(block).all())
    return finite

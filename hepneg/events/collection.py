"""The objects of events, such as jets: columns of any length for each event, kept without padding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from hepneg._core.collection_limits import MOST_OBJECTS
from hepneg._core.hashing import hash_events
from hepneg._core.parameters import require_count
from hepneg.errors import DataError
from hepneg.events.categories import check_categories
from hepneg.events.identifiers import first_entries

__all__ = ["Collection", "cut_lists", "ends", "require_objects"]


@dataclass(frozen=True, eq=False, slots=True)
class Collection:
    """The objects of n events. Immutable: its arrays cannot be written to.

    Attributes:
        feature_names: m names.
        contents: features of all objects, event after event, (N, m) float32.
        offsets: where the objects of each event begin in ``contents``, and where those of the last end, (n + 1,) int64.
        most: objects that an event has at most; more were cut off at the end.
        categories: the values of features that are categories, by name.
    """

    feature_names: tuple[str, ...]
    contents: NDArray[np.float32]
    offsets: NDArray[np.int64]
    most: int
    categories: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.contents.flags.writeable = self.offsets.flags.writeable = False

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __repr__(self) -> str:
        return (
            f"Collection({len(self)} events, {len(self.contents)} objects, at most {self.most} in an event; "
            f"features: {', '.join(self.feature_names)})"
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Collection) and self.is_like(other) and self._has_contents_of(other)

    def __hash__(self) -> int:
        return hash((self.feature_names, self.most, self.offsets.tobytes(), (self.contents + np.float32(0)).tobytes()))

    @classmethod
    def from_lists(
        cls, features: Mapping[str, Any], *, most: int, categories: Mapping[str, Sequence[int]] | None = None
    ) -> Self:
        """Build a collection from lists, copying them.

        Args:
            features: by name, one list of numbers for each of n events: an :class:`awkward.Array`, nested lists, or an
                array (n, k) where all events have as many objects.
            most: objects of an event that are kept, in the order given.
            categories: by name, the values of features that are categories.

        Raises:
            DataError: no features, no lists of numbers, lists of different lengths among the features of an event, or
                NaN or infinite numbers.
        """
        import awkward as ak

        try:
            require_count(most=most)
        except ValueError as error:
            raise DataError(str(error)) from None
        if most > MOST_OBJECTS:
            raise DataError(f"most must be at most {MOST_OBJECTS}, not {most}")
        if not features:
            raise DataError("a collection needs at least one feature")
        parts = {}
        for name, lists in features.items():
            try:
                parts[str(name)] = _flat(ak.Array(lists))
            except (TypeError, ValueError, ArithmeticError) as error:
                reason = " ".join(str(error).split())[:120]
                raise DataError(f"{name!r} is no list of numbers for each event: {reason}") from None
        contents, offsets = cut_lists(parts, most)
        declared = check_categories(categories, tuple(parts))
        made = cls(tuple(parts), contents, offsets, most, declared)
        for name, wrong in made.not_finite().items():
            raise DataError(
                f"{int(wrong.sum())} events have NaN or infinite values in {name!r}, at {first_entries(wrong)}"
            )
        return made

    @classmethod
    def concatenate(cls, parts: Sequence[Collection]) -> Collection:
        """Join collections of the same features, event after event.

        Raises:
            DataError: features, categories or ``most`` differ.
        """
        first = parts[0]
        if not all(first.is_like(part) for part in parts):
            raise DataError("the collections to join have different features, categories or numbers of objects")
        counts = np.concatenate([part.counts for part in parts])
        return replace(first, contents=np.concatenate([part.contents for part in parts]), offsets=ends(counts))

    @property
    def counts(self) -> NDArray[np.int64]:
        """Number of objects in each event, (n,)."""
        return np.diff(self.offsets)

    @property
    def nbytes(self) -> int:
        """Size in memory."""
        return self.contents.nbytes + self.offsets.nbytes

    def is_like(self, other: Collection) -> bool:
        """Tell whether another collection has the same features, categories and ``most``."""
        mine, others = (
            (part.feature_names, part.most, {name: tuple(values) for name, values in part.categories.items()})
            for part in (self, other)
        )
        return mine == others

    def select(self, chosen: NDArray[np.integer]) -> Collection:
        """Return the objects of some events, by their indices."""
        counts = self.counts[chosen]
        offsets = ends(counts)
        index = np.repeat(self.offsets[:-1][chosen] - offsets[:-1], counts) + np.arange(offsets[-1])
        return replace(self, contents=np.take(self.contents, index, axis=0), offsets=offsets)

    def piece(self, start: int, stop: int) -> Collection:
        """Return the objects of neighbouring events without copying them."""
        offsets = self.offsets[start : stop + 1]
        contents = self.contents[offsets[0] : offsets[-1]]
        return replace(self, contents=contents, offsets=offsets - offsets[0])

    def padded(self) -> NDArray[np.float32]:
        """Return the objects with zeros behind them, (n, most, m)."""
        rows = np.zeros((len(self), self.most, len(self.feature_names)), dtype=np.float32)
        rows[np.arange(self.most) < self.counts[:, None]] = self.contents
        return rows

    def keys(self) -> NDArray[np.uint64]:
        """Return one number for each event that is equal where its objects and their order are, (n,); −0 is 0."""
        place = np.arange(len(self.contents)) - np.repeat(self.offsets[:-1], self.counts)
        bits = (self.contents + np.float32(0)).view(np.uint32).astype(np.int64)
        objects = hash_events(np.column_stack([bits, place]), 0, "objects")
        with np.errstate(over="ignore"):
            sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(objects, dtype=np.uint64)])
            return np.asarray(sums[self.offsets[1:]] - sums[self.offsets[:-1]])

    def not_finite(self) -> dict[str, NDArray[np.bool_]]:
        """Return which events have a NaN or infinite value, (n,), for each feature in which any has."""
        found = {}
        for name, column in zip(self.feature_names, self.contents.T, strict=True):
            bad = ~np.isfinite(column)
            if bad.any():
                event = np.repeat(np.arange(len(self)), self.counts)
                found[name] = np.bincount(event[bad], minlength=len(self)) > 0
        return found

    def _has_contents_of(self, other: Collection) -> bool:
        return np.array_equal(self.offsets, other.offsets) and np.array_equal(self.contents, other.contents)


def require_objects(collections: Mapping[str, Collection]) -> None:
    """Refuse collections without any object: a network has nothing to learn from them.

    Raises:
        DataError: with the first one.
    """
    for name, part in collections.items():
        if not len(part.contents):
            raise DataError(
                f"collection {name!r} is empty in all {len(part)} events; leave it out, or look at its lists"
            )


def ends(counts: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return offsets, (n + 1,), from the numbers of objects, (n,)."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)])


def cut_lists(
    parts: Mapping[str, tuple[NDArray[np.integer], NDArray[Any]]], most: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Lay the features of objects side by side, and keep the first objects of each event.

    Args:
        parts: by feature, offsets, (n + 1,), and contents of its lists.
        most: objects of an event that are kept.

    Returns:
        Contents, (N, m) float32, and offsets, (n + 1,).

    Raises:
        DataError: the lists of an event have different lengths among the features.
    """
    name, (offsets, _) = next(iter(parts.items()))
    counts = np.diff(offsets)
    for other, (found, _) in parts.items():
        _require_same(name, counts, other, np.diff(found))
    kept = np.minimum(counts, most)
    whole = ends(kept)
    contents = np.empty((int(whole[-1]), len(parts)), dtype=np.float32)
    step = np.repeat(-whole[:-1], kept) + np.arange(whole[-1])
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is looked for by the caller
        for column, (found, values) in zip(contents.T, parts.values(), strict=True):
            column[:] = values[np.repeat(np.asarray(found[:-1], np.int64), kept) + step]
    return contents, whole


def _require_same(name: str, counts: NDArray[np.integer], other: str, found: NDArray[np.integer]) -> None:
    if len(counts) != len(found):
        raise DataError(f"{name!r} is of {len(counts)} events, but {other!r} is of {len(found)}")
    differ = counts != found
    if differ.any():
        at = int(np.flatnonzero(differ)[0])
        raise DataError(
            f"{name!r} and {other!r} have lists of different lengths in {int(differ.sum())} events, such as "
            f"{counts[at]} and {found[at]} in event {at}; features of one collection are of the same objects"
        )


def _flat(lists: Any) -> tuple[NDArray[np.integer], NDArray[Any]]:
    """Return offsets and contents of one list of numbers for each event.

    Raises:
        ValueError: they are no such lists.
    """
    import awkward as ak

    if lists.ndim != 2:
        raise ValueError(f"they have {lists.ndim} dimension{'s' * (lists.ndim != 1)}, not 2")
    contents = ak.to_numpy(ak.flatten(lists, axis=1))
    if contents.dtype.kind not in "fiub":
        raise ValueError(f"the values are {contents.dtype}")
    return ends(ak.to_numpy(ak.num(lists, axis=1))), contents

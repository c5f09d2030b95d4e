"""What the inputs of a network are made of: features of the event, and collections of objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from hepneg._core.collection_limits import MOST_OBJECTS, category_values
from hepneg._core.parameters import require_count
from hepneg.events.collection import Collection

__all__ = ["CollectionLayout", "EventInputs", "InputLayout", "Rows", "by_number", "selected"]

MOST_FEATURES = 65_536
MOST_COLLECTIONS = 64


@dataclass(frozen=True)
class CollectionLayout:
    """The features of one collection.

    Attributes:
        features: m names.
        most: objects of an event at most.
        categories: values of features that are categories, by their number.
    """

    features: tuple[str, ...]
    most: int
    categories: Mapping[int, tuple[int, ...]] = field(default_factory=dict)

    @property
    def width(self) -> int:
        """Columns of a row: the number of objects, and the features of ``most`` of them."""
        return 1 + self.most * len(self.features)

    def to_dict(self) -> dict[str, Any]:
        """Return the layout, JSON-ready."""
        return {"features": list(self.features), "most": self.most, "categories": _pairs(self.categories)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Rebuild a layout from :meth:`to_dict`.

        Raises:
            ValueError: it is none, or larger than any that is written.
        """
        names, most = tuple(data["features"]), data["most"]
        require_count(most=most)
        if not names or not all(isinstance(name, str) for name in names) or most > MOST_OBJECTS:
            raise ValueError(f"a collection has named features and at most {MOST_OBJECTS} objects")
        if len(names) > MOST_FEATURES:
            raise ValueError(f"a collection has at most {MOST_FEATURES} features")
        return cls(names, most, _from_pairs(data["categories"], len(names)))


@dataclass(frozen=True)
class InputLayout:
    """How the inputs of one event are laid out in a row: features, then each collection, padded with zeros.

    Attributes:
        scalars: F, the number of features of the event.
        categories: values of those that are categories, by their number.
        collections: by name.
    """

    scalars: int
    categories: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    collections: Mapping[str, CollectionLayout] = field(default_factory=dict)

    @classmethod
    def of(cls, inputs: int | InputLayout) -> InputLayout:
        """Return a layout as it is, and that of so many features without collections."""
        return inputs if isinstance(inputs, InputLayout) else cls(inputs)

    @property
    def width(self) -> int:
        """Columns of a row."""
        return self.scalars + sum(part.width for part in self.collections.values())

    @property
    def has_categories(self) -> bool:
        """Whether any feature, of the event or of objects, is a category."""
        return bool(self.categories) or any(part.categories for part in self.collections.values())

    def to_json(self) -> Any:
        """Return the layout as JSON has it: the number of features alone where there is nothing else."""
        if not self.categories and not self.collections:
            return self.scalars
        parts = {name: part.to_dict() for name, part in self.collections.items()}
        return {"features": self.scalars, "categories": _pairs(self.categories), "collections": parts}

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """Rebuild a layout from :meth:`to_json`.

        Raises:
            ValueError: it is none.
            LookupError: an entry is missing.
        """
        if not isinstance(data, Mapping):
            require_count(inputs=data)
            return cls(data)
        require_count(features=data["features"])
        if data["features"] > MOST_FEATURES or len(data["collections"]) > MOST_COLLECTIONS:
            raise ValueError(f"a network takes at most {MOST_FEATURES} features and {MOST_COLLECTIONS} collections")
        parts = {name: CollectionLayout.from_dict(part) for name, part in data["collections"].items()}
        return cls(data["features"], _from_pairs(data["categories"], data["features"]), parts)


@dataclass(frozen=True, eq=False)
class EventInputs:
    """The inputs of n events that have collections.

    Attributes:
        features: (n, F) float32.
        collections: by name, of n events each.
        layout: of their rows.
    """

    features: NDArray[np.float32]
    collections: Mapping[str, Collection]
    layout: InputLayout

    def __len__(self) -> int:
        return len(self.features)

    def select(self, chosen: NDArray[np.integer]) -> EventInputs:
        """Return the inputs of some events, by their indices."""
        parts = {name: part.select(chosen) for name, part in self.collections.items()}
        return replace(self, features=np.take(self.features.T, chosen, axis=1).T, collections=parts)

    def piece(self, start: int, stop: int) -> EventInputs:
        """Return the inputs of neighbouring events."""
        parts = {name: part.piece(start, min(stop, len(self))) for name, part in self.collections.items()}
        return replace(self, features=self.features[start:stop], collections=parts)


Rows = NDArray[np.float32] | EventInputs
"""The inputs of n events: features alone, (n, F), or with collections."""


def selected(rows: Rows, chosen: NDArray[np.integer]) -> Rows:
    """Return the inputs of some events, by their indices; each feature stays contiguous."""
    return rows.select(chosen) if isinstance(rows, EventInputs) else rows.T[:, chosen].T


def by_number(categories: Mapping[str, tuple[int, ...]], names: tuple[str, ...]) -> dict[int, tuple[int, ...]]:
    """Return categories by the number of their feature instead of its name."""
    return {names.index(name): tuple(values) for name, values in categories.items()}


def _pairs(categories: Mapping[int, tuple[int, ...]]) -> list[list[Any]]:
    return [[number, list(values)] for number, values in categories.items()]


def _from_pairs(pairs: Any, features: int) -> dict[int, tuple[int, ...]]:
    found = {number: category_values(values) for number, values in pairs}
    if not all(isinstance(number, int) and 0 <= number < features for number in found):
        raise ValueError(f"categories are of the features 0 to {features - 1}")
    return found

"""Where the inputs of a model come from in an ntuple."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from hepneg._core.collection_limits import category_values
from hepneg.config import CollectionSettings, Config
from hepneg.events import CollectionLayout, EventTable, InputLayout
from hepneg.events.input_layout import by_number
from hepneg.ntuples.identity import FileIdentity, identify_files

__all__ = ["CollectionInputs", "ModelInputs"]


@dataclass(frozen=True)
class CollectionInputs:
    """Where the objects of a collection come from in an ntuple.

    Attributes:
        features: expression of each feature, by its name, in order.
        most: objects of an event at most.
        categories: the values of features that are categories, by name.
    """

    features: Mapping[str, str]
    most: int
    categories: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @classmethod
    def from_settings(cls, settings: CollectionSettings) -> Self:
        """Take the expressions of a configuration."""
        return cls({part.name: part.expression.text for part in settings.features}, settings.most, settings.categories)

    @property
    def layout(self) -> CollectionLayout:
        """How the objects are laid out."""
        names = tuple(self.features)
        return CollectionLayout(names, self.most, by_number(self.categories, names))

    def to_dict(self) -> dict[str, Any]:
        """Return the collection as a plain dictionary; its features as pairs, for their order counts."""
        categories = {name: list(values) for name, values in self.categories.items()}
        return {"features": [list(pair) for pair in self.features.items()], "most": self.most, "categories": categories}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Rebuild a collection from :meth:`to_dict`."""
        categories = {name: category_values(values) for name, values in data["categories"].items()}
        return cls(dict(data["features"]), data["most"], categories)


@dataclass(frozen=True)
class ModelInputs:
    """Where the features come from in an ntuple.

    Attributes:
        features: expression of each feature, by its name, in the order of the network's inputs.
        selection: condition on the events, or None.
        event_id: branches that identify an event.
        tree: name of the tree.
        weight: expression of the signed weight, or None.
        targets: expression of each target of a regression, by its name; empty in a classification.
        files: that the model was trained on; empty where it was trained on arrays.
        folds: expression and number of the folds, ``{"by": …, "count": …}``; None where identifiers are hashed.
        collections: objects of the events, by name.
        categories: the values of features that are categories, by name.
    """

    features: Mapping[str, str]
    selection: str | None = None
    event_id: tuple[str, ...] = ()
    tree: str | None = None
    weight: str | None = None
    files: tuple[FileIdentity, ...] = ()
    targets: Mapping[str, str] = field(default_factory=dict)
    folds: Mapping[str, Any] | None = None
    collections: Mapping[str, CollectionInputs] = field(default_factory=dict)
    categories: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @classmethod
    def from_config(cls, config: Config) -> ModelInputs:
        """Take the expressions of a configuration, and look at its files to know them again.

        Raises:
            DataError: a file is missing or unusable.
        """
        return cls(
            {feature.name: feature.expression.text for feature in config.features},
            config.selection.text if config.selection else None,
            config.event_id,
            config.tree,
            config.weight.text,
            identify_files(config),
            {target.name: target.expression.text for target in config.target},
            {"by": config.folds.by.text, "count": config.folds.count} if config.folds else None,
            {name: CollectionInputs.from_settings(part) for name, part in config.collections.items()},
            config.categories,
        )

    @classmethod
    def of_table(cls, events: EventTable) -> Self:
        """Take branches with the names of the features and targets of a table."""
        collections = {
            name: CollectionInputs({feature: feature for feature in part.feature_names}, part.most, part.categories)
            for name, part in events.collections.items()
        }
        features, targets = ({name: name for name in names} for names in (events.feature_names, events.target_names))
        return cls(features, targets=targets, collections=collections, categories=events.categories)

    @property
    def layout(self) -> InputLayout:
        """How the inputs of a network are laid out."""
        parts = {name: part.layout for name, part in self.collections.items()}
        return InputLayout(len(self.features), by_number(self.categories, tuple(self.features)), parts)

    def to_dict(self) -> dict[str, Any]:
        """Return the inputs as a plain dictionary."""
        return {
            "features": dict(self.features),
            "selection": self.selection,
            "event_id": list(self.event_id),
            "tree": self.tree,
            "weight": self.weight,
            "files": [file.to_dict() for file in self.files],
            "targets": [{"name": name, "expression": text} for name, text in self.targets.items()],
            **({"folds": dict(self.folds)} if self.folds else {}),
            **(
                {"collections": {k: part.to_dict() for k, part in self.collections.items()}} if self.collections else {}
            ),
            **({"categories": {k: list(one) for k, one in self.categories.items()}} if self.categories else {}),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ModelInputs:
        """Rebuild the inputs from :meth:`to_dict`."""
        files = tuple(FileIdentity.from_dict(file) for file in data.get("files", ()))
        collections = {name: CollectionInputs.from_dict(part) for name, part in data.get("collections", {}).items()}
        categories = {name: category_values(values) for name, values in data.get("categories", {}).items()}
        targets = {target["name"]: target["expression"] for target in data["targets"]}
        read = {"event_id": tuple(data["event_id"]), "files": files, "targets": targets}
        return cls(**{**data, **read, "collections": collections, "categories": categories})

"""Parts of the configuration: the objects of events, such as jets, and the inputs that are categories."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from hepneg._core.collection_limits import COLLECTION_NAME, MOST_OBJECTS, category_values
from hepneg.config.expression_field import ExpressionField
from hepneg.config.validation import Model, require_once, require_short

__all__ = [
    "Categories",
    "CollectionName",
    "CollectionSettings",
    "InputFeature",
    "categories_of",
    "left_out_sentence",
    "listed",
    "require_names",
]

MOST_OBJECT_FEATURES = 1024


def _as_categories(value: Any) -> Any:
    try:
        return category_values(value)
    except TypeError:
        raise ValueError(f"categories are a list of whole numbers, not {value!r:.80}") from None


def _named(name: str) -> str:
    if not COLLECTION_NAME.fullmatch(name):
        raise ValueError(f"collection name {name!r}: use letters, digits and _ only, and not 'features'")
    return name


CollectionName = Annotated[str, AfterValidator(_named)]
Categories = Annotated[tuple[int, ...], BeforeValidator(_as_categories, json_schema_input_type=list[int])]


class InputFeature(Model):
    """One input of a network: a name and the expression that gives it.

    Attributes:
        name: of the feature.
        expression: of branches.
        categories: whole numbers, the values of a feature that a network takes as names rather than sizes, as a charge
            or the bin of a b-tag. Any other value counts as unknown.
    """

    name: Annotated[str, Field(min_length=1)]
    expression: ExpressionField
    categories: Categories | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_short_form(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"name": value, "expression": value}
        if not isinstance(value, Mapping):
            return value
        if len(value) == 1:
            ((name, given),) = value.items()
            if isinstance(given, Mapping) and "name" not in given:
                return {"expression": str(name), **given, "name": str(name)}
            return {"name": str(name), "expression": given}
        if not {"name", "expression"} <= set(value) <= set(cls.model_fields):
            more = ", ".join(key for key in cls.model_fields if key not in ("name", "expression"))
            raise ValueError(
                "it is the name of a branch, one `name: expression`, or a name with `expression:` and any of "
                f"{more} under it"
            )
        return value

    def to_short_form(self) -> dict[str, Any]:
        """Return ``name: expression``, or the name with all that is given under it."""
        given = self.model_dump(mode="json", exclude={"name"}, exclude_defaults=True)
        return {self.name: self.expression.text if set(given) == {"expression"} else given}


def listed(features: Any) -> Any:
    """Make a list of a mapping of names to expressions."""
    return [{name: text} for name, text in features.items()] if isinstance(features, Mapping) else features


def require_names(features: Iterable[InputFeature]) -> None:
    """Refuse names of features that are too long, or listed twice.

    Raises:
        ValueError: there are such; pydantic adds the key.
    """
    names = [feature.name for feature in features]
    for name in names:
        require_short(name)
    require_once("feature", names)


def categories_of(features: Iterable[InputFeature]) -> dict[str, tuple[int, ...]]:
    """Return the values of features that are categories, by name."""
    return {feature.name: feature.categories for feature in features if feature.categories}


def left_out_sentence(collections: Iterable[str]) -> str:
    """Say which collections the check of shapes and the figures leave out; empty where there are none."""
    names = ", ".join(collections)
    return f"Shapes and figures are of `features:` alone; they leave out the objects of {names}." if names else ""


class CollectionSettings(Model):
    """The objects of events: features that are lists, of the same objects each.

    Attributes:
        features: of the objects; expressions that give a list for each event. Where all give one number, as those of a
            single lepton, the event has one object.
        most: objects of an event that a network sees, in the order given.
    """

    features: tuple[InputFeature, ...] = Field(min_length=1, max_length=MOST_OBJECT_FEATURES)
    most: Annotated[int, Field(ge=1, le=MOST_OBJECTS)]

    @field_validator("features", mode="before")
    @classmethod
    def _from_mapping(cls, features: Any) -> Any:
        return listed(features)

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        require_names(self.features)
        return self

    @property
    def categories(self) -> dict[str, tuple[int, ...]]:
        """The values of features that are categories, by name."""
        return categories_of(self.features)

    def to_short_form(self) -> dict[str, Any]:
        """Return the settings with their features in short form."""
        return {"features": [feature.to_short_form() for feature in self.features], "most": self.most}

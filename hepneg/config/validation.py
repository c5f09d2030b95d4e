"""What all models of the configuration share: frozen, no unknown keys, and what is wrong in one line."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from types import UnionType
from typing import Annotated, Any, TypeAlias, TypeVar, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

__all__ = [
    "MOST_LETTERS",
    "Edges",
    "Model",
    "NonZero",
    "Positive",
    "Range",
    "increasing",
    "one_line",
    "require_once",
    "require_short",
    "unknown_keys",
]

MOST_LETTERS = 200
"""Of a name, in bytes of UTF-8; files that it names have 255, with what is put before and behind it."""

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


def _not_zero(value: float) -> float:
    if value == 0 or not math.isfinite(value):
        raise ValueError("must be a finite number other than 0")
    return value


NonZero = Annotated[float, AfterValidator(_not_zero)]

_Numbers = TypeVar("_Numbers", bound=int | tuple[float, ...])


def increasing(edges: _Numbers) -> _Numbers:
    """Refuse edges that do not increase; a number of bins may stand in their place.

    Raises:
        ValueError: pydantic adds the key.
    """
    if isinstance(edges, tuple) and any(not low < high for low, high in pairwise(edges)):
        raise ValueError("edges must increase")
    return edges


_Finite = Annotated[float, Field(allow_inf_nan=False)]
Edges: TypeAlias = Annotated[tuple[_Finite, ...], Field(min_length=2), AfterValidator(increasing)]
Range: TypeAlias = Annotated[tuple[_Finite, _Finite], AfterValidator(increasing)]


class Model(BaseModel):
    """A part of the configuration. A key without a value, or with ``null``, counts as left out."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    @model_validator(mode="before")
    @classmethod
    def _left_out(cls, data: Any) -> Any:
        return {key: value for key, value in data.items() if value is not None} if isinstance(data, Mapping) else data


def require_short(name: str) -> None:
    """Refuse a name that is longer than 200 bytes.

    Raises:
        ValueError: it is; pydantic adds the key.
    """
    if len(name.encode(errors="surrogatepass")) > MOST_LETTERS:
        raise ValueError(f"the name {name[:20]!r}… is longer than {MOST_LETTERS} characters; give a shorter one")


def require_once(what: str, names: Sequence[str]) -> None:
    """Refuse names that are listed twice.

    Args:
        what: is named, for the message.
        names: in order.

    Raises:
        ValueError: there are such; pydantic adds the key.
    """
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{what} {name!r} is listed twice; give one of them another name")


def unknown_keys(
    data: Any, model: type[Model], path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any, list[str]]]:
    """Yield every key that a model does not know, however deep: where it is, the key, and the known ones."""
    if not isinstance(data, Mapping):
        return
    known = [name for name, field in model.model_fields.items() if not field.exclude]
    for key, value in data.items():
        if key not in known:
            yield path, key, known
            continue
        for name, inner, part in _parts(model.model_fields[key].annotation, value):
            yield from unknown_keys(part, inner, (*path, key, *name))


def _parts(annotation: Any, value: Any) -> Iterator[tuple[tuple[str, ...], type[Model], Any]]:
    """Yield the models inside a value: itself (which may be None), or those of a mapping with their names."""
    mapping = get_origin(annotation) is dict
    if not mapping and get_origin(annotation) not in {None, UnionType}:
        return  # a list, whose members may have short forms
    for inner in (annotation, *get_args(annotation)):
        if not (isinstance(inner, type) and issubclass(inner, Model)):
            continue
        if not mapping:
            yield (), inner, value
        elif isinstance(value, Mapping):
            yield from (((str(name),), inner, part) for name, part in value.items())


def one_line(error: ValidationError, source: str) -> str:
    """Say the first error of a validation in one line."""
    first, more = error.errors(include_url=False)[0], error.error_count() - 1
    place_of = ["samples" if part == "data" and not i else str(part) for i, part in enumerate(first["loc"])]
    dotted = ".".join(place_of)
    cause = first.get("ctx", {}).get("error")
    reason = str(cause) if cause is not None else first["msg"].replace("valid tuple", "list")
    if first["type"] == "too_short":
        return f"{source}: {dotted}: give at least {first['ctx']['min_length']}"
    if first["type"] == "missing":
        return f"{source}: {dotted!r} is missing" + (f" (and {more} more)" if more else "")
    given = first["input"]
    shown = f", not {given!r}" if isinstance(given, (str, int, float, bool)) and cause is None else ""
    place = f"{source}: {dotted}: " if dotted else f"{source}: "
    return " ".join((place + reason + shown + (f" (and {more} more)" if more else "")).split())

"""What a regression predicts, and how right the target of an event is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    WithJsonSchema,
    model_serializer,
    model_validator,
)

from hepneg.config.expression_field import ExpressionField
from hepneg.config.validation import MOST_LETTERS, Model, Positive, require_once
from hepneg.expressions import Expression

__all__ = ["Grade", "Target", "Targets", "ungraded_message"]

ONE = Expression("1")
ONLY_TARGET = "target"
"""Name of a single target that is given as an expression."""
_NAME = re.compile(rf"[A-Za-z_][A-Za-z0-9_]{{,{MOST_LETTERS - 1}}}")


def ungraded_message(objective: str) -> str:
    """Say that an objective does not use grades."""
    return f"objective {objective!r} does not use `grade:`; take signed_squared or reciprocal, or leave it out"


class Target(Model):
    """One target: a name, which is the end of branches, and the expression that gives it."""

    name: Annotated[str, Field(min_length=1)]
    expression: ExpressionField

    @model_validator(mode="before")
    @classmethod
    def _from_short_form(cls, value: Any) -> Any:
        if isinstance(value, (str, Expression)):
            return {"name": str(value), "expression": value}
        if isinstance(value, Mapping) and len(value) == 1:
            ((name, expression),) = value.items()
            return {"name": str(name), "expression": expression}
        return value

    @model_validator(mode="after")
    def _check_name(self) -> Self:
        if not _NAME.fullmatch(self.name):
            raise ValueError(
                f"target {self.name[:40]!r} needs a name of letters, digits and _ for the branches of several targets: "
                "write `name: expression`"
            )
        return self


def _listed(value: Any) -> Any:
    """Make a list of targets of one expression, and of a mapping of names to expressions."""
    if isinstance(value, (str, Expression)):
        return ({ONLY_TARGET: value},)
    if isinstance(value, Mapping):
        return tuple({name: expression} for name, expression in value.items())
    return value


def _distinct(targets: tuple[Target, ...]) -> tuple[Target, ...]:
    require_once("target", [target.name for target in targets])
    return targets


def _short_targets(targets: tuple[Target, ...]) -> Any:
    if [target.name for target in targets] == [ONLY_TARGET]:
        return targets[0].expression.text
    return [{target.name: target.expression.text} for target in targets] or None


class Grade(Model):
    """How right the target of an event is.

    Attributes:
        value: an expression from 1 (right) to −1 (a counter-example).
        distance: in the place of ``value``, how far the target is from the right one, in its unit: 0 for a right one.
        reach: the distance at which a target is neither right nor wrong.
    """

    value: ExpressionField | None = None
    distance: ExpressionField | None = None
    reach: Positive | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_short_form(cls, value: Any) -> Any:
        return {"value": value} if isinstance(value, (str, Expression)) else value

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.value is None) == (self.distance is None) or (self.distance is None) != (self.reach is None):
            raise ValueError(
                "write an expression from 1 (right) to -1, or `distance:` and `reach:` in the target's unit"
            )
        return self

    @property
    def expression(self) -> Expression:
        """What is evaluated of an event: value or distance."""
        return self.value or self.distance or ONE

    @model_serializer(mode="wrap")
    def _short(self, plain: SerializerFunctionWrapHandler) -> Any:
        return self.value.text if self.value else plain(self)


_TEXT = {"type": "string", "description": "an expression of branches"}
_NAMED = {"type": "object", "additionalProperties": {"type": "string"}}
Targets = Annotated[
    tuple[Target, ...],
    BeforeValidator(_listed),
    AfterValidator(_distinct),
    PlainSerializer(_short_targets),
    WithJsonSchema({"anyOf": [_TEXT, _NAMED, {"type": "array", "items": {"anyOf": [{"type": "string"}, _NAMED]}}]}),
]

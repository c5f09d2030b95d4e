"""Fields of the configuration that hold expressions of branches."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from hepneg.errors import ConfigError
from hepneg.expressions import Expression

__all__ = ["ExpressionField", "WeightField"]


def _parse_weight(value: Any) -> Any:
    """Parse an expression that may be a plain number, such as ``weight: 1``."""
    if isinstance(value, Expression):
        return value
    try:
        return Expression(value if isinstance(value, str) else str(value))
    except ConfigError as error:
        raise ValueError(str(error)) from None  # pydantic adds the key to a ValueError only


def _parse_expression(value: Any) -> Any:
    expression = _parse_weight(value)
    if not expression.branches:
        raise ValueError(f"expression {expression.text!r} names no branch")
    return expression


def _text(value: object) -> str:
    return str(value)


ExpressionField = Annotated[
    Expression,
    BeforeValidator(_parse_expression),
    PlainSerializer(_text),
    WithJsonSchema({"type": "string", "description": "an expression of branches"}),
]
WeightField = Annotated[
    Expression,
    BeforeValidator(_parse_weight),
    PlainSerializer(_text),
    WithJsonSchema({"type": ["string", "number"], "description": "an expression of branches, or a number"}),
]

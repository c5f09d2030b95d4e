"""The column language: arithmetic, comparisons, list indices and functions over branches; nothing is executed."""

from hepneg.expressions.expression import Expression, identifier_expression
from hepneg.expressions.missing import MissingElements

__all__ = ["Expression", "MissingElements", "identifier_expression"]

"""The column language: arithmetic, comparisons, list indices and functions over branches; nothing is executed."""

from hepneg.expressions.language import Expression

__all__ = ["Expression"]

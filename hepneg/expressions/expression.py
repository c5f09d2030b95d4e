"""One expression of branches: its text, the branches that it reads, and its value for each event."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hepneg.errors import ConfigError, DataError
from hepneg.expressions.functions import is_jagged
from hepneg.expressions.language import Parser, shown
from hepneg.expressions.lists import as_lists

__all__ = ["Expression", "identifier_expression"]

Columns: TypeAlias = Mapping[str, Any]
_PATH = re.compile(r"""("[^"]*"|'[^']*')|(?<![\w./])([^\W\d][\w.]*(?:/[^\W\d][\w.]*)+)(?![\w(])""")
"""A text in quotes, which is left alone, or names joined by slashes without blanks."""


@dataclass(frozen=True)
class Expression:
    """A parsed expression of branches, with one value per event.

    Args:
        text: the expression; line breaks count as blanks.

    Attributes:
        branches: the names of the branches that it reads.
        texts: those of them that are compared with a text.
        paths: names joined by slashes without blanks, such as ``el/pt``: a quotient, or the full path of one branch
            where the columns have it by that name.

    Raises:
        ConfigError: anything outside the language described in :mod:`hepneg.expressions`; the message names the piece
            and its position.
    """

    text: str
    branches: frozenset[str] = field(init=False, compare=False, repr=False)
    texts: frozenset[str] = field(init=False, compare=False, repr=False)
    paths: frozenset[str] = field(init=False, compare=False, repr=False)
    _run: Callable[[Columns], Any] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        text = " ".join(self.text.split())
        parser = Parser(text)
        object.__setattr__(self, "text", text)
        object.__setattr__(self, "_run", parser.parse())
        object.__setattr__(self, "branches", frozenset(parser.branches))
        object.__setattr__(self, "texts", frozenset(parser.texts))
        object.__setattr__(self, "paths", frozenset(found[2] for found in _PATH.finditer(text) if found[2]))

    def __str__(self) -> str:
        return self.text

    def __reduce__(self) -> tuple[type[Expression], tuple[str]]:
        return Expression, (self.text,)

    def reading(self, paths: Collection[str]) -> Expression:
        """Return the expression with some of its ``paths`` as the names of branches rather than quotients."""
        named = self.paths.intersection(paths)
        return _with_paths(self.text, named) if named else self

    def constant(self) -> float:
        """Return the value of an expression without branches, such as ``1``.

        Raises:
            DataError: it has none.
        """
        try:
            with np.errstate(all="ignore"):
                return float(self._run({}))
        except (TypeError, ValueError, ArithmeticError, LookupError, RuntimeError):
            raise DataError(f"expression {shown(self.text)} is no number") from None

    def evaluate(self, columns: Columns) -> NDArray[Any]:
        """Return one value per event.

        Args:
            columns: branch name to a flat array, (n,), or to a jagged :class:`awkward.Array` of n lists. More branches
                than the expression needs do no harm. In a :class:`~hepneg.expressions.missing.MissingElements` the
                elements that are missing are counted.

        Returns:
            An array of shape (n,) in whatever type the expression has; the column itself, not a copy, where the
            expression is the name of a flat branch.

        Raises:
            DataError: the result is not one number per event, or lists of different lengths meet.
        """
        value = self._value(columns)
        if is_jagged(value):
            raise DataError(
                f"expression {shown(self.text)} gives a list for each event, not one number; pick an element with "
                "[:, 0] or reduce it with sum(), max(), len() …"
            )
        if not isinstance(value, np.ndarray) or value.ndim != 1:
            raise DataError(
                f"expression {shown(self.text)} gives one number for all events, not one per event; it must name a "
                "branch"
            )
        return value

    def lists(self, columns: Columns) -> tuple[NDArray[np.integer], NDArray[Any]]:
        """Return one list for each event, as offsets, (n + 1,), and contents: of one element where it is one number.

        Args:
            columns: as for :meth:`evaluate`.

        Raises:
            DataError: the result is neither, or lists of different lengths meet.
        """
        value = self._value(columns)
        if is_jagged(value) and value.ndim == 2:
            return as_lists(value)
        if isinstance(value, np.ndarray) and value.ndim == 1:
            return np.arange(len(value) + 1), value
        what = "lists of lists" if is_jagged(value) else "one number for all events"
        raise DataError(f"expression {shown(self.text)} gives {what}, not a list of numbers for each event")

    def _value(self, columns: Columns) -> Any:
        """Evaluate, whatever comes of it.

        Raises:
            DataError: lists of different lengths meet, or the like.
        """
        try:
            with np.errstate(all="ignore"):
                return self.reading([path for path in self.paths if path in columns])._run(columns)  # noqa: SLF001
        except (TypeError, ValueError, ArithmeticError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:160]
            raise DataError(f"expression {shown(self.text)}: {reason}") from None


@lru_cache(maxsize=512)
def _with_paths(text: str, paths: frozenset[str]) -> Expression:
    def named(found: re.Match[str]) -> str:
        return f'branch("{found[2]}")' if found[2] in paths else found[0]

    return Expression(_PATH.sub(named, text))


def identifier_expression(text: str) -> Expression:
    """Read an identifier of events: an expression, or else the plain name of a branch, whatever characters it has."""
    try:
        return Expression(text)
    except ConfigError:
        quoted = f"'{text}'" if '"' in text else f'"{text}"'
        return Expression(f"branch({quoted})")

"""Column expressions: a small whitelisted language over branches, parsed without ever running code.

The grammar is a part of Python's, applied to all events at once:

* branches by name; names that are no Python names through ``branch("Jet.pt")``; numbers, ``True``, ``False``, ``pi``;
* ``+ - * / // % **``, comparisons (also chained), ``and or not`` and ``& | ~``;
* elements of lists ``Jet_pt[:, 0]``, ``Jet_pt[:, -1]`` (0.0 where the list is too short; ``pad(Jet_pt, 0, -1.0)`` gives
  another fill), parts of lists ``Jet_pt[:, :3]``, masks ``Jet_pt[abs(Jet_eta) < 2.5]``;
* reductions of each event's list: ``sum max min mean any all len count``. ``min``, ``max`` and ``mean`` of an empty list
  are 0.0, or what ``default=`` says;
* the functions of :data:`hepneg.expressions.functions.FUNCTIONS`, among them ``where``, ``clip``, ``delta_phi`` and ``delta_r``.

Arithmetic is in double precision. A division by zero and the like gives an infinity or NaN, which the reader reports.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial, reduce
from itertools import pairwise
from typing import Any, NoReturn, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hepneg.errors import ConfigError, DataError, nearest_names
from hepneg.expressions.functions import (
    BINARY,
    COMPARE,
    CONSTANTS,
    FUNCTIONS,
    UNARY,
    Function,
    is_jagged,
    logical,
    pick,
)

__all__ = ["Expression"]

Columns: TypeAlias = Mapping[str, Any]
Run: TypeAlias = Callable[[Columns], Any]

ALLOWED = "branches, numbers, arithmetic, comparisons, and/or/not, list indices such as Jet_pt[:, 0], and functions"
MOST_CHARACTERS = 4000

_NAMED = {
    ast.Attribute: "an attribute",
    ast.Lambda: "a lambda",
    ast.NamedExpr: "an assignment",
    ast.JoinedStr: "a formatted string",
    ast.IfExp: "if … else (use where(condition, a, b))",
    ast.Starred: "a starred argument",
    ast.Await: "await",
    ast.Dict: "a dictionary",
    ast.List: "a list",
    ast.Set: "a set",
    ast.Tuple: "a tuple",
    **dict.fromkeys((ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp), "a comprehension"),
}


@dataclass(frozen=True)
class Expression:
    """A parsed expression of branches, with one value per event.

    Args:
        text: the expression; line breaks count as blanks.

    Attributes:
        branches: the names of the branches that it reads.

    Raises:
        ConfigError: anything outside the language described in :mod:`hepneg.expressions`; the message names the piece
            and its position.
    """

    text: str
    branches: frozenset[str] = field(init=False, compare=False, repr=False)
    _run: Run = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        text = " ".join(self.text.split())
        parser = _Parser(text)
        object.__setattr__(self, "text", text)
        object.__setattr__(self, "_run", parser.parse())
        object.__setattr__(self, "branches", frozenset(parser.branches))

    def __str__(self) -> str:
        return self.text

    def __reduce__(self) -> tuple[type[Expression], tuple[str]]:
        return Expression, (self.text,)

    def evaluate(self, columns: Columns) -> NDArray[Any]:
        """Return one value per event.

        Args:
            columns: branch name to a flat array, (n,), or to a jagged :class:`awkward.Array` of n lists. More branches
                than the expression needs do no harm.

        Returns:
            An array of shape (n,) in whatever type the expression has; the column itself, not a copy, where the
            expression is the name of a flat branch.

        Raises:
            DataError: the result is not one number per event, or lists of different lengths meet.
        """
        try:
            with np.errstate(all="ignore"):
                value = self._run(columns)
        except (TypeError, ValueError, ArithmeticError, RuntimeError) as error:  # RuntimeError: integers beyond 64 bits
            reason = " ".join(str(error).split())[:160]
            raise DataError(f"expression {_shown(self.text)}: {reason}") from None
        if is_jagged(value):
            raise DataError(
                f"expression {_shown(self.text)} gives a list for each event, not one number; pick an element with [:, 0] or "
                "reduce it with sum(), max(), len() …"
            )
        if not isinstance(value, np.ndarray) or value.ndim != 1:
            raise DataError(
                f"expression {_shown(self.text)} gives one number for all events, not one per event; it must name a branch"
            )
        return value


class _Parser:
    """Turns the syntax tree of one expression into nested functions of the columns, refusing what is not allowed."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.bytes = text.encode("utf-8", "replace")
        self.branches: set[str] = set()
        self.builders: dict[type[ast.expr], Callable[[Any], Run]] = {
            ast.Constant: self._constant,
            ast.Name: self._name,
            ast.BinOp: self._binary,
            ast.UnaryOp: self._unary,
            ast.BoolOp: self._bool,
            ast.Compare: self._compare,
            ast.Subscript: self._subscript,
            ast.Call: self._call,
        }

    def parse(self) -> Run:
        if not self.text:
            raise ConfigError("an expression is empty; write the name of a branch or a formula")
        if len(self.text) > MOST_CHARACTERS:
            raise ConfigError(f"an expression of {len(self.text)} characters; at most {MOST_CHARACTERS} are allowed")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Python's advice on odd literals; what matters is refused below
                tree = ast.parse(self.text, mode="eval")
            return self._build(tree.body)
        except SyntaxError as error:
            place = f" at character {error.offset}" if error.offset else ""
            raise ConfigError(f"expression {_shown(self.text)}: {error.msg}{place}; allowed are {ALLOWED}") from None
        except (RecursionError, MemoryError, ValueError):
            raise ConfigError(f"expression {_shown(self.text)} cannot be parsed; simplify it") from None

    def _build(self, node: ast.expr) -> Run:
        builder = self.builders.get(type(node))
        if builder is None:
            what = _NAMED.get(type(node), "something")
            self._refuse(node, f"{what} is not allowed; allowed are {ALLOWED}")
        return builder(node)

    def _refuse(self, node: ast.AST, reason: str) -> NoReturn:
        piece = ast.get_source_segment(self.text, node) or self.text
        column = getattr(node, "col_offset", 0)
        position = len(self.bytes[:column].decode("utf-8", "replace")) + 1
        raise ConfigError(f"expression {_shown(self.text)}: {_shown(piece)} at character {position}: {reason}")

    def _constant(self, node: ast.Constant) -> Run:
        value = node.value
        if not isinstance(value, (bool, int, float)):
            hint = '; a branch with an odd name is branch("…")' if isinstance(value, str) else ""
            self._refuse(node, f"a {type(value).__name__} is not allowed{hint}; allowed are {ALLOWED}")
        if isinstance(value, int) and abs(value) >= 2**64:
            value = float(value) if abs(value) < 1e300 else np.inf
        return lambda _: value

    def _name(self, node: ast.Name) -> Run:
        if node.id in CONSTANTS:
            value = CONSTANTS[node.id]
            return lambda _: value
        if node.id.startswith("__"):
            self._refuse(node, f"names that begin with two underscores are not allowed; allowed are {ALLOWED}")
        return self._branch(node.id)

    def _branch(self, name: str) -> Run:
        self.branches.add(name)
        return lambda columns: columns[name]

    def _binary(self, node: ast.BinOp) -> Run:
        operator = BINARY.get(type(node.op))
        if operator is None:
            self._refuse(node, f"this operator is not allowed; allowed are {ALLOWED}")
        left, right = self._build(node.left), self._build(node.right)
        return lambda columns: operator(left(columns), right(columns))

    def _unary(self, node: ast.UnaryOp) -> Run:
        operator, operand = UNARY[type(node.op)], self._build(node.operand)
        if isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
            value = -operand({})
            return lambda _: value  # keeps -1 an integer, so that comparisons with integers are exact
        return lambda columns: operator(operand(columns))

    def _bool(self, node: ast.BoolOp) -> Run:
        join = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
        parts = [self._build(value) for value in node.values]
        return lambda columns: reduce(join, (logical(part(columns)) for part in parts))

    def _compare(self, node: ast.Compare) -> Run:
        operands = [node.left, *node.comparators]
        for operand in operands:
            self._check_precedence(operand)
        for operator in node.ops:
            if type(operator) not in COMPARE:
                self._refuse(node, f"`in` and `is` are not allowed; allowed are {ALLOWED}")
        operators = [COMPARE[type(operator)] for operator in node.ops]
        parts = [self._build(operand) for operand in operands]
        return partial(_run_comparison, operators, parts)

    def _check_precedence(self, node: ast.expr) -> None:
        if not (isinstance(node, ast.BinOp) and isinstance(node.op, (ast.BitAnd, ast.BitOr))):
            return
        before, after = self.bytes[: node.col_offset].rstrip(), self.bytes[node.end_col_offset :].lstrip()
        if not (before.endswith(b"(") and after.startswith(b")")):
            self._refuse(
                node, "& and | bind tighter than comparisons; put each comparison in parentheses, or use and/or"
            )

    def _subscript(self, node: ast.Subscript) -> Run:
        value, index = self._build(node.value), node.slice
        if not isinstance(index, ast.Tuple):
            return self._mask(node, value)
        if len(index.elts) != 2 or not _is_full_slice(index.elts[0]):
            self._refuse(node, "the first index must be ':' (all events), as in Jet_pt[:, 0]")
        inner = index.elts[1]
        if isinstance(inner, ast.Slice):
            part = slice(self._integer(inner.lower), self._integer(inner.upper))
            if inner.step is not None:
                self._refuse(node, "a slice with a step is not allowed")
            return lambda columns: _slice_lists(value(columns), part)
        position = self._integer(inner)
        return lambda columns: _pick(value(columns), position)

    def _mask(self, node: ast.Subscript, value: Run) -> Run:
        if isinstance(node.slice, ast.Slice) or _literal(node.slice) is not None:
            self._refuse(node, "this picks events, not elements of lists; write [:, 0] for the first element")
        mask = self._build(node.slice)
        return lambda columns: _apply_mask(value(columns), mask(columns))

    def _integer(self, node: ast.expr | None) -> Any:
        number = _literal(node)
        if node is not None and (not isinstance(number, int) or isinstance(number, bool) or abs(number) > 2**31):
            self._refuse(node, "a list index must be a whole number")
        return number

    def _call(self, node: ast.Call) -> Run:
        if not isinstance(node.func, ast.Name):
            self._refuse(node.func, f"only functions can be called, by name; allowed are {ALLOWED}")
        name = node.func.id
        if name == "branch":
            return self._branch_call(node)
        if name == "pad":
            return self._pad_call(node)
        if name not in FUNCTIONS:
            self._refuse(node.func, f"unknown function{nearest_names(name, [*FUNCTIONS, 'pad', 'branch'])}")
        return self._function_call(node, name, FUNCTIONS[name])

    def _function_call(self, node: ast.Call, name: str, function: Function) -> Run:
        if len(node.args) != function.arguments:
            hint = f"; use {name}imum(a, b) for the smaller or larger of two" if name in {"min", "max"} else ""
            self._refuse(node, f"{name}() takes {function.arguments} argument(s), not {len(node.args)}{hint}")
        default = self._keywords(node, name, function)
        parts = [self._build(argument) for argument in node.args]
        apply = partial(function.apply, **default)
        return lambda columns: apply(*(part(columns) for part in parts))

    def _keywords(self, node: ast.Call, name: str, function: Function) -> dict[str, Any]:
        known = ["axis"] * function.reduces + ["default"] * function.has_default
        found: dict[str, Any] = {}
        for keyword in node.keywords:
            if keyword.arg not in known:
                self._refuse(keyword, f"{name}() has no such argument{nearest_names(keyword.arg or '', known)}")
            found[keyword.arg] = number = _literal(keyword.value)
            if number is None:
                self._refuse(keyword, "its value must be a number")
            if keyword.arg == "axis" and number != 1:
                self._refuse(keyword, "only axis=1, each event's list, can be reduced")
        return {key: value for key, value in found.items() if key == "default"}

    def _branch_call(self, node: ast.Call) -> Run:
        argument = node.args[0] if len(node.args) == 1 and not node.keywords else None
        if not isinstance(argument, ast.Constant) or not isinstance(argument.value, str) or not argument.value:
            self._refuse(node, 'branch() takes one name in quotes, as in branch("Jet.pt")')
        return self._branch(argument.value)

    def _pad_call(self, node: ast.Call) -> Run:
        if len(node.args) != 3 or node.keywords:
            self._refuse(node, "pad() takes a list, an index and a fill value, as in pad(Jet_pt, 1, -1.0)")
        value, position, fill = self._build(node.args[0]), self._integer(node.args[1]), _literal(node.args[2])
        if fill is None:
            self._refuse(node.args[2], "the fill value must be a number")
        return lambda columns: _pick(value(columns), position, fill)


def _shown(text: str) -> str:
    """Quote a piece of an expression for a message, cut where it is long."""
    return repr(text if len(text) <= 120 else text[:117] + "…")


def _literal(node: ast.expr | None) -> int | float | None:
    """Return the number that a node spells out, with its sign, or None."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        number = _literal(node.operand)
        return None if number is None else -number
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) else None


def _is_full_slice(node: ast.expr) -> bool:
    return isinstance(node, ast.Slice) and node.lower is node.upper is node.step is None


def _run_comparison(operators: list[Callable[[Any, Any], Any]], parts: list[Run], columns: Columns) -> Any:
    values = [part(columns) for part in parts]
    results = (compare(a, b) for compare, (a, b) in zip(operators, pairwise(values), strict=True))
    return reduce(np.logical_and, results)


def _pick(value: Any, position: int, fill: float = 0.0) -> NDArray[Any]:
    if not is_jagged(value):
        raise TypeError("an index [:, i] needs a list for each event, but there is one number per event")
    return pick(value, position, fill)


def _slice_lists(value: Any, part: slice) -> Any:
    if not is_jagged(value):
        raise TypeError("a slice [:, a:b] needs a list for each event, but there is one number per event")
    return value[:, part]


def _apply_mask(value: Any, mask: Any) -> Any:
    if not (is_jagged(value) and is_jagged(mask)):
        raise TypeError("a mask in [ ] picks elements of lists by a condition on lists; pick events with `selection:`")
    if "bool" not in str(mask.type):
        raise TypeError("a mask in [ ] must be a condition, such as Jet_eta < 2.5")
    return value[mask]

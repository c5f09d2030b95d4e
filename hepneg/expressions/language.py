"""The grammar of column expressions: a small whitelisted language over branches, parsed without ever running code.

It is a part of Python's, applied to all events at once:

* branches by name, also with dots (``Jet.pt``, ``el.pt`` for the member ``el/pt`` of a split object) or as the full
  path without blanks, ``el/pt``, where ``el`` is no branch of numbers; names that are no Python names, or begin with
  two underscores, through ``branch("top-1")``; numbers, ``True``, ``False``, ``pi``;
* ``+ - * / // % **``, comparisons (also chained), ``and or not`` and ``& | ~``; a branch of texts can be compared with
  a constant, ``channel == "mumu"``;
* elements of lists ``Jet_pt[:, 0]``, ``Jet_pt[:, -1]``, of lists of lists ``x[:, 0, 1]`` and ``x[:, :, 1]``; 0.0 where
  the list is too short, which a weight refuses. ``pad(Jet_pt, 1, -1.0)`` is element 1 with another fill, and
  ``pad(LHEScaleWeight, 9, 1.0)[:, 8]`` an element of the list made at least 9 long;
* parts of lists ``Jet_pt[:, :3]``, masks ``Jet_pt[abs(Jet_eta) < 2.5]``;
* reductions of each event's list (of lists of lists, the inner ones): ``sum max min mean any all len count``. ``min``,
  ``max`` and ``mean`` of an empty list are 0.0, or what ``default=`` says;
* the functions of :data:`hepneg.expressions.functions.FUNCTIONS`, among them ``where``, ``clip``, ``delta_phi`` and
  ``delta_r``.

Line breaks count as blanks; a comment (``#``) is refused, as it would swallow what follows on a joined line.
Arithmetic is in double precision. A division by zero and the like gives an infinity or NaN, which the reader reports.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Mapping
from functools import partial, reduce
from itertools import pairwise
from typing import Any, NoReturn, TypeAlias

import numpy as np

from hepneg.errors import ConfigError, nearest_names
from hepneg.expressions.functions import (
    BINARY,
    COMPARE,
    CONSTANTS,
    FUNCTIONS,
    UNARY,
    Function,
    logical,
)
from hepneg.expressions.lists import LONGEST_PADDING, masked, padded, pick, pick_inner, sliced
from hepneg.expressions.missing import guarded, note_empty, note_pick

__all__ = ["Parser", "shown"]

Columns: TypeAlias = Mapping[str, Any]
Run: TypeAlias = Callable[[Columns], Any]

ALLOWED = "branches, numbers, arithmetic, comparisons, and/or/not, list indices such as Jet_pt[:, 0], and functions"
MOST_CHARACTERS = 4000

_NAMED = {
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


class Parser:
    """Turns the syntax tree of one expression into nested functions of the columns, refusing what is not allowed."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.bytes = text.encode("utf-8", "replace")
        self.branches: set[str] = set()
        self.texts: set[str] = set()
        self.builders: dict[type[ast.expr], Callable[[Any], Run]] = {
            ast.Constant: self._constant,
            ast.Name: self._name,
            ast.Attribute: self._attribute,
            ast.BinOp: self._binary,
            ast.UnaryOp: self._unary,
            ast.BoolOp: self._bool,
            ast.Compare: self._compare,
            ast.Subscript: self._subscript,
            ast.Call: self._call,
        }

    def parse(self) -> Run:
        """Return the function of the columns that the text stands for.

        Raises:
            ConfigError: anything outside the language.
        """
        if not self.text:
            raise ConfigError("an expression is empty; write the name of a branch or a formula")
        if _has_comment(self.text):
            raise ConfigError(
                f"expression {shown(self.text)}: a comment (#) is not allowed inside an expression, as its lines "
                "are joined; write it on a line of its own, outside"
            )
        if len(self.text) > MOST_CHARACTERS:
            raise ConfigError(f"an expression of {len(self.text)} characters; at most {MOST_CHARACTERS} are allowed")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Python's advice on odd literals; what matters is refused below
                tree = ast.parse(self.text, mode="eval")
            return self._build(tree.body)
        except SyntaxError as error:
            place = f" at character {error.offset}" if error.offset else ""
            raise ConfigError(f"expression {shown(self.text)}: {error.msg}{place}; allowed are {ALLOWED}") from None
        except (RecursionError, MemoryError, ValueError):
            raise ConfigError(f"expression {shown(self.text)} cannot be parsed; simplify it") from None

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
        raise ConfigError(f"expression {shown(self.text)}: {shown(piece)} at character {position}: {reason}")

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
            self._refuse(node, f'names that begin with two underscores are not allowed; write branch("{node.id}")')
        return self._branch(node.id)

    def _attribute(self, node: ast.Attribute) -> Run:
        """Take a chain of names for a branch: ``Jet.pt``."""
        parts, inner = [node.attr], node.value
        while isinstance(inner, ast.Attribute):
            parts, inner = [inner.attr, *parts], inner.value
        if not isinstance(inner, ast.Name):
            self._refuse(node, f"a dot joins the parts of a branch's name only; allowed are {ALLOWED}")
        name = ".".join([inner.id, *parts])
        if any(part.startswith("__") for part in (inner.id, *parts)):
            self._refuse(node, f'names that begin with two underscores are not allowed; write branch("{name}")')
        return self._branch(name)

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
        parts = [self._build(value) for value in node.values]
        return partial(_run_bool, isinstance(node.op, ast.And), parts)

    def _compare(self, node: ast.Compare) -> Run:
        operands = [node.left, *node.comparators]
        for operand in operands:
            self._check_precedence(operand)
        for operator in node.ops:
            if type(operator) not in COMPARE:
                self._refuse(node, f"`in` and `is` are not allowed; allowed are {ALLOWED}")
        if any(isinstance(part, ast.Constant) and isinstance(part.value, str) for part in operands):
            return self._text_comparison(node, operands)
        operators = [COMPARE[type(operator)] for operator in node.ops]
        parts = [self._build(operand) for operand in operands]
        return partial(_run_comparison, operators, parts)

    def _text_comparison(self, node: ast.Compare, operands: list[ast.expr]) -> Run:
        """Compare a branch of texts with a constant."""
        if len(operands) != 2 or not isinstance(node.ops[0], (ast.Eq, ast.NotEq)):
            self._refuse(node, "a text can only be compared with == or != to a branch")
        constant, other = sorted(operands, key=lambda part: not isinstance(part, ast.Constant))
        known, self.branches = self.branches, set()
        operand = self._build(other)
        named, self.branches = self.branches, known | self.branches
        if len(named) != 1 or isinstance(other, (ast.BinOp, ast.Subscript, ast.UnaryOp, ast.Constant)):
            self._refuse(node, "a text can only be compared with == or != to a branch")
        self.texts |= named
        compare, text = COMPARE[type(node.ops[0])], constant.value  # type: ignore[attr-defined]
        return lambda columns: np.asarray(compare(np.asarray(operand(columns)).astype(str), text))

    def _check_precedence(self, node: ast.expr) -> None:
        if not (isinstance(node, ast.BinOp) and isinstance(node.op, (ast.BitAnd, ast.BitOr))):
            return
        before, after = self.bytes[: node.col_offset].rstrip(), self.bytes[node.end_col_offset :].lstrip()
        if not (before.endswith(b"(") and after.startswith(b")")):
            self._refuse(
                node, "& and | bind tighter than comparisons; put each comparison in parentheses, or use and/or"
            )

    def _subscript(self, node: ast.Subscript) -> Run:
        index = node.slice
        if not isinstance(index, ast.Tuple):
            return self._mask(node, self._build(node.value))
        if len(index.elts) not in (2, 3) or not _is_full_slice(index.elts[0]):
            self._refuse(node, "the first index must be ':' (all events), as in Jet_pt[:, 0]")
        value, text = self._list(node.value), ast.get_source_segment(self.text, node) or self.text
        if len(index.elts) == 3 and _is_full_slice(index.elts[1]):
            inner = self._integer(index.elts[2])
            return lambda columns: pick_inner(value(columns), inner)
        for part in index.elts[1:]:
            value = self._element(node, value, part, text)
        return value

    def _list(self, node: ast.expr) -> Run:
        """Build what is going to be indexed: ``pad(x, n, fill)`` is the lengthened list there."""
        is_pad = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "pad"
        return self._pad_call(node, as_list=True) if is_pad and isinstance(node, ast.Call) else self._build(node)

    def _element(self, node: ast.Subscript, value: Run, index: ast.expr, text: str) -> Run:
        if isinstance(index, ast.Slice):
            part = slice(self._integer(index.lower), self._integer(index.upper))
            if index.step is not None:
                self._refuse(node, "a slice with a step is not allowed")
            return lambda columns: sliced(value(columns), part)
        position = self._integer(index)
        return partial(_run_pick, value, position, text)

    def _mask(self, node: ast.Subscript, value: Run) -> Run:
        if isinstance(node.slice, ast.Slice) or _literal(node.slice) is not None:
            self._refuse(node, "this picks events, not elements of lists; write [:, 0] for the first element")
        mask = self._build(node.slice)
        return lambda columns: masked(value(columns), mask(columns))

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
        if name == "where":
            return partial(_run_where, apply, parts)
        if function.has_default and not default:
            return partial(_run_reduction, apply, parts[0], ast.get_source_segment(self.text, node) or self.text)
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

    def _pad_call(self, node: ast.Call, *, as_list: bool = False) -> Run:
        if len(node.args) != 3 or node.keywords:
            self._refuse(node, "pad() takes a list, an index and a fill value, as in pad(Jet_pt, 1, -1.0)")
        value, position, fill = self._build(node.args[0]), self._integer(node.args[1]), _literal(node.args[2])
        if fill is None:
            self._refuse(node.args[2], "the fill value must be a number")
        if not as_list:
            return lambda columns: pick(value(columns), position, fill)
        if position is None or not 0 < position <= LONGEST_PADDING:
            self._refuse(node.args[1], f"a list can be lengthened to 1 to {LONGEST_PADDING} elements")
        return lambda columns: padded(value(columns), position, fill)


def shown(text: str) -> str:
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


def _run_pick(value: Run, position: int, text: str, columns: Columns) -> Any:
    lists = value(columns)
    note_pick(columns, text, lists, position)
    return pick(lists, position)


def _run_reduction(apply: Callable[..., Any], part: Run, text: str, columns: Columns) -> Any:
    value = part(columns)
    note_empty(columns, text, value)
    return apply(value)


def _run_where(apply: Callable[..., Any], parts: list[Run], columns: Columns) -> Any:
    condition = parts[0](columns)
    truth = logical(condition)
    with guarded(columns, truth):
        yes = parts[1](columns)
    with guarded(columns, np.logical_not(truth) if isinstance(truth, np.ndarray) else None):
        no = parts[2](columns)
    return apply(condition, yes, no)


def _run_bool(conjunction: bool, parts: list[Run], columns: Columns) -> Any:
    """Join conditions; what an earlier one has decided guards the later ones."""
    result = logical(parts[0](columns))
    for part in parts[1:]:
        undecided = result if conjunction else (np.logical_not(result) if isinstance(result, np.ndarray) else None)
        with guarded(columns, undecided):
            value = logical(part(columns))
        result = np.logical_and(result, value) if conjunction else np.logical_or(result, value)
    return result


def _has_comment(text: str) -> bool:
    """Tell whether there is a # outside quotes."""
    return "#" in re.sub(r"\"[^\"]*\"|'[^']*'", "", text)

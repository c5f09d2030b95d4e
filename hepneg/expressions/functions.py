"""The operators and functions of column expressions, as tables: numpy on flat columns, awkward on jagged ones.

A value is a number, a flat array with one entry per event, or a jagged :class:`awkward.Array` with one list per event.
Arithmetic is carried out in double precision, as in ``TTree::Draw``: unsigned counters do not wrap around and masses
do not lose digits. Comparisons, ``%``, ``//`` and bit operations between integers stay exact.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import awkward as ak

__all__ = ["BINARY", "COMPARE", "CONSTANTS", "FUNCTIONS", "UNARY", "Function", "Value", "is_jagged", "logical"]

Value: TypeAlias = "int | float | np.generic | NDArray[Any] | ak.Array"

CONSTANTS: dict[str, float] = {"pi": float(np.pi)}


def is_jagged(value: object) -> bool:
    """Tell whether a value has a list for each event. Flat values are never wrapped in awkward arrays."""
    return not isinstance(value, (int, float, np.generic, np.ndarray))


def _dtype(value: Any) -> np.dtype[Any]:
    if not is_jagged(value):
        return np.asarray(value).dtype if not isinstance(value, int) else np.dtype(type(value))
    import awkward as ak

    return np.asarray(ak.flatten(value, axis=None)[:0]).dtype


def _real(value: Any) -> Any:
    """Return the value in double precision."""
    if isinstance(value, np.ndarray):
        return value.astype(np.float64, copy=False)
    if not is_jagged(value):
        return np.float64(value)
    import awkward as ak

    return ak.values_astype(value, np.float64)


def logical(value: Any) -> Any:
    """Return the truth of each element: numbers are true where they are not zero."""
    return value if _dtype(value).kind == "b" else value != 0


def _in_double(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *values: function(*map(_real, values))


def _exact(function: Callable[..., Any]) -> Callable[..., Any]:
    """Apply a function to integers as they are, and to anything else in double precision."""

    def apply(*values: Any) -> Any:
        integers = all(_dtype(value).kind in "iu" for value in values)
        arrays = any(isinstance(value, np.ndarray) or is_jagged(value) for value in values)
        return function(*values) if integers and arrays else function(*map(_real, values))

    return apply


def _bits(function: Callable[..., Any], symbol: str) -> Callable[..., Any]:
    def apply(left: Any, right: Any) -> Any:
        if any(_dtype(value).kind not in "biu" for value in (left, right)):
            raise TypeError(f"{symbol} joins conditions or integers, not floating-point numbers")
        return function(left, right)

    return apply


def _invert(value: Any) -> Any:
    if _dtype(value).kind != "b":
        raise TypeError("~ negates conditions; write `x == 0` for a number")
    return ~value if is_jagged(value) else np.logical_not(value)


BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: _in_double(np.add),
    ast.Sub: _in_double(np.subtract),
    ast.Mult: _in_double(np.multiply),
    ast.Div: _in_double(np.divide),
    ast.Pow: _in_double(np.power),
    ast.FloorDiv: _exact(np.floor_divide),
    ast.Mod: _exact(np.remainder),
    ast.BitAnd: _bits(np.bitwise_and, "&"),
    ast.BitOr: _bits(np.bitwise_or, "|"),
}
UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.USub: _in_double(np.negative),
    ast.UAdd: lambda value: value,
    ast.Not: lambda value: _invert(logical(value)),
    ast.Invert: _invert,
}
COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: lambda left, right: left < right,
    ast.LtE: lambda left, right: left <= right,
    ast.Gt: lambda left, right: left > right,
    ast.GtE: lambda left, right: left >= right,
    ast.Eq: lambda left, right: left == right,
    ast.NotEq: lambda left, right: left != right,
}


def _reduction(name: str) -> Callable[..., Any]:
    """Make a reduction over each event's list (the inner ones of nested lists); ``default`` is what an empty one
    gives."""

    def reduce(value: Any, default: float = 0.0) -> Any:
        import awkward as ak

        if not is_jagged(value):
            raise TypeError(f"{name}() reduces each event's list, but its argument has one number per event")
        axis = value.ndim - 1  # of lists of lists, the inner ones
        if name in {"len", "count"}:
            return _plain(ak.num(value, axis=axis))
        if name in {"any", "all"}:
            return _plain(getattr(ak, name)(logical(value), axis=axis))
        result = getattr(ak, name)(_real(value) if _dtype(value).kind == "f" else value, axis=axis)
        if name == "sum":
            return _plain(result)
        result = _plain(ak.fill_none(result, default, axis=axis - 1))
        return _where(_plain(ak.num(value, axis=axis)) == 0, default, result)

    return reduce


def _plain(value: Any) -> Any:
    """Return one number per event as numpy, lists as they are."""
    return np.asarray(value) if value.ndim == 1 else value


def _where(condition: Any, yes: Any, no: Any) -> Any:
    if not any(map(is_jagged, (condition, yes, no))):
        return np.where(logical(condition), yes, no)
    import awkward as ak

    return ak.where(*ak.broadcast_arrays(logical(condition), yes, no))


def _clip(value: Any, low: Any, high: Any) -> Any:
    return np.minimum(np.maximum(value, low), high)


def _delta_phi(left: Any, right: Any) -> Any:
    """Return the azimuthal difference in [-pi, pi)."""
    return (left - right + np.pi) % (2 * np.pi) - np.pi


def _delta_r(eta1: Any, phi1: Any, eta2: Any, phi2: Any) -> Any:
    return np.hypot(eta1 - eta2, _delta_phi(phi1, phi2))


@dataclass(frozen=True, slots=True)
class Function:
    """A function that expressions may call.

    Attributes:
        apply: the function, on values.
        arguments: how many positional arguments it takes.
        reduces: it turns each event's list into one number, and accepts ``axis=1``.
        has_default: it accepts ``default=``, the result for an empty list (0.0 if not given).
    """

    apply: Callable[..., Any]
    arguments: int
    reduces: bool = False
    has_default: bool = False


_ONE = {
    **{name: getattr(np, name) for name in ("sqrt", "exp", "log", "log10", "log1p", "expm1", "sign", "floor", "ceil")},
    **{name: getattr(np, name) for name in ("sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh")},
    "abs": np.abs,
    "round": np.rint,
    "isfinite": np.isfinite,
    "isnan": np.isnan,
}
_TWO = {
    **{name: getattr(np, name) for name in ("arctan2", "hypot", "minimum", "maximum")},
    "delta_phi": _delta_phi,
}
_REDUCTIONS = ("sum", "min", "max", "mean", "any", "all", "len", "count")

FUNCTIONS: Mapping[str, Function] = {
    **{name: Function(_in_double(function), 1) for name, function in _ONE.items()},
    **{name: Function(_in_double(function), 2) for name, function in _TWO.items()},
    **{name: Function(_reduction(name), 1, True, name in {"min", "max", "mean"}) for name in _REDUCTIONS},
    "where": Function(_where, 3),
    "clip": Function(_in_double(_clip), 3),
    "delta_r": Function(_in_double(_delta_r), 4),
}

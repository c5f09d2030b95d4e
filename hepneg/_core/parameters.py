"""Checks of the parameters of schemes and objectives: numbers of the right kind, finite and in range."""

from __future__ import annotations

import math
import numbers

__all__ = ["require_between", "require_count", "require_positive", "require_whole"]


def require_positive(**parameters: object) -> None:
    """Refuse parameters that are not positive numbers.

    Raises:
        ValueError: with the name of the first such one.
    """
    for name, value in parameters.items():
        if not 0 < _number(value) < math.inf:
            raise ValueError(f"{name} must be positive and finite, not {_shown(value)}")


def require_between(low: float, high: float, **parameters: object) -> None:
    """Refuse parameters that are not numbers between two others.

    Raises:
        ValueError: with the name of the first such one.
    """
    for name, value in parameters.items():
        if not low < _number(value) < high:
            raise ValueError(f"{name} must be between {low:g} and {high:g}, not {_shown(value)}")


def require_count(**parameters: object) -> None:
    """Refuse parameters that are not whole numbers of at least 1.

    Raises:
        ValueError: with the name of the first such one.
    """
    for name, value in parameters.items():
        if not isinstance(value, numbers.Integral) or not _number(value) >= 1:
            raise ValueError(f"{name} must be a whole number of at least 1, not {_shown(value)}")


def require_whole(low: int, high: int, /, **parameters: object) -> None:
    """Refuse parameters that are not whole numbers from ``low`` to ``high``.

    Raises:
        ValueError: with the name of the first such one.
    """
    for name, value in parameters.items():
        if not isinstance(value, numbers.Integral) or not low <= _number(value) <= high:
            raise ValueError(f"{name} must be a whole number from {low} to {high}, not {_shown(value)}")


def _number(value: object) -> float:
    """Return a number as one, and anything else, truth values among them, as NaN."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return math.nan
    try:
        return float(value)
    except OverflowError:  # an integer beyond all floats
        return math.inf


def _shown(value: object) -> str:
    """Show a value, and say where YAML took for text what looks like a number."""
    try:
        float(value) if isinstance(value, str) else None
    except ValueError:
        return repr(value)
    hint = " (text; YAML wants numbers without quotes, and powers of ten as 1.0e-3)" if isinstance(value, str) else ""
    return f"{value!r}{hint}"

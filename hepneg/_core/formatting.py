"""Numbers as a reader wants them: as many digits as their errors carry, large counts in groups, ± beside the value."""

from __future__ import annotations

import math

from hepneg._core.estimate import Estimate

__all__ = [
    "MISSING",
    "count",
    "estimate",
    "interval",
    "measured",
    "measured_percent",
    "p_value",
    "percent",
    "significant",
    "with_p",
]

MISSING = "—"
"""Stands for what is undefined, ``null`` in the JSON files."""

_SPACE = "\N{NO-BREAK SPACE}"
_MINUS = "\N{MINUS SIGN}"
_GROUP = "\N{NARROW NO-BREAK SPACE}"
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_LARGE, _SMALL = 1e5, 1e-3  # outside of them a power of ten is split off


def count(number: float | None) -> str:
    """Return a whole number in groups of three digits."""
    return MISSING if number is None else f"{round(number):,}".replace(",", _GROUP)


def significant(number: float | None, digits: int = 3) -> str:
    """Return a number with so many significant digits."""
    if number is None:
        return MISSING
    magnitude = abs(number)
    if magnitude and not _SMALL <= magnitude < _LARGE:
        mantissa, _, exponent = f"{number:.{digits - 1}e}".partition("e")
        text = mantissa + _power(int(exponent))
    else:
        text = f"{number:.{digits}g}" if magnitude < 10**digits else f"{number:.0f}"
    return text.replace("-", _MINUS)


def estimate(value: float | None, error: float | None) -> str:
    """Return a value and its standard error, to two digits of the error.

    Large and small ones share a power of ten: ``(2.550 ± 0.025) × 10⁷``.
    """
    if value is None or error is None:
        return significant(value)
    size = max(abs(value), error)
    if size == 0 or _SMALL <= size < _LARGE:
        return _plus_minus(value, error)
    exponent = max(math.floor(math.log10(size)), -300)
    scale = 10.0**exponent
    return f"({_plus_minus(value / scale, error / scale)}){_power(exponent)}"


def measured(quantity: Estimate) -> str:
    """Return an estimate as :func:`estimate` does; without an error that is known, the value alone."""
    return estimate(quantity.value, None if math.isnan(quantity.error) else quantity.error)


def measured_percent(quantity: Estimate) -> str:
    """Return an estimate of a share in per cent."""
    return percent(quantity.value, None if math.isnan(quantity.error) else quantity.error)


def percent(value: float | None, error: float | None = None) -> str:
    """Return a share in per cent, with its error where there is one."""
    if value is None:
        return MISSING
    text = f"{100.0 * value:.1f}" if error is None else _plus_minus(100.0 * value, 100.0 * error)
    return f"{text}{_SPACE}%"


def p_value(number: float | None) -> str:
    """Return a probability to two digits; below 10⁻¹⁰ its size is of no interest."""
    if number is None:
        return MISSING
    return f"<{_SPACE}10⁻¹⁰" if number < 1e-10 else significant(number, 2)


def with_p(number: float | None) -> str:
    """Return ``p = 0.012``, or ``p < 10⁻¹⁰`` where its size is of no interest."""
    text = p_value(number)
    return f"p{_SPACE}{text}" if text.startswith("<") else f"p{_SPACE}={_SPACE}{text}"


def luminosity_and_unit(luminosity: float) -> tuple[str, str]:
    """Write a luminosity with three digits, and the unit of its inverse: below 1/fb in 1/pb.

    Args:
        luminosity: in 1/fb.
    """
    return (f"{1000 * luminosity:.3g}", "pb") if luminosity < 1 else (f"{luminosity:.3g}", "fb")


def interval(low: float | None, high: float | None) -> str:
    """Return an interval; an open end is ∞."""
    left = "−∞" if low is None else significant(low, 4)
    right = "∞" if high is None else significant(high, 4)
    return f"{left} to {right}"


def _plus_minus(value: float, error: float) -> str:
    return str(Estimate(value, error)).replace(" ", _SPACE).replace("-", _MINUS)


def _power(exponent: int) -> str:
    return f"{_SPACE}×{_SPACE}10" + str(exponent).translate(_SUPERSCRIPTS)

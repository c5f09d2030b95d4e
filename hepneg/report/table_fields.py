"""How a column of a table takes its values from the data of a row, one kind of field for each kind of value."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, Protocol, TypeAlias

from hepneg._core.estimate import Estimate
from hepneg._core.formatting import count, measured, measured_percent, p_value, percent, significant
from hepneg._core.tables import Cell, Column, Table

__all__ = [
    "Data",
    "Field",
    "cell_field",
    "chi2_cell",
    "count_field",
    "measured_field",
    "measured_share_field",
    "measurement",
    "number_field",
    "precise_field",
    "probability_field",
    "prose_field",
    "rough_field",
    "seconds_field",
    "share_field",
    "table_of",
    "text_field",
    "with_names",
]

Data: TypeAlias = Mapping[str, Any]
Pick: TypeAlias = Callable[[Data], Any]
Field: TypeAlias = tuple[Column, Pick]
"""A column, and how its value is taken from the data of a row."""


def table_of(name: str, caption: str, rows: Iterable[Data], *fields: Field) -> Table:
    """Return the table with a column for each field and a row for each of ``rows``."""
    columns, picks = zip(*fields, strict=True)
    return Table(name, caption, columns, tuple(tuple(pick(row) for pick in picks) for row in rows))


def with_names(parts: Mapping[str, Data], key: str = "sample", **more: Mapping[str, str]) -> list[Data]:
    """Return the data of each part with its name under ``key``, and with what ``more`` holds for that name."""
    return [{**data, key: name, **{also: of[name] for also, of in more.items()}} for name, data in parts.items()]


def measurement(data: Data, key: str) -> Estimate | None:
    """Return a value with its error, whether they are kept as ``{"value": …, "error": …}`` or as two keys."""
    value, error = data.get(key), data.get(f"{key}_error")
    if isinstance(value, Mapping):
        value, error = value["value"], value["error"]
    return None if value is None else Estimate(value, math.nan if error is None else error)


def chi2_cell(chi2: float | None, bins: int) -> Cell | None:
    """Return χ² and the number of its bins, sorted by their ratio; None where there is no bin."""
    return None if chi2 is None or not bins else Cell(f"{chi2:.1f} / {bins}", chi2 / bins)


class _FieldMaker(Protocol):
    def __call__(self, head: str, key: str | Pick = "", *, essential: bool = True) -> Field:
        """Make a field: ``key`` of its value, if not the head itself, or a function that takes it from the row."""


def _value(data: Data, key: str) -> Any:
    return data.get(key)


def _maker(
    show: Callable[[Any], str],
    kind: Literal["text", "number", "prose"] = "number",
    take: Callable[[Data, str], Any] = _value,
) -> _FieldMaker:
    def make(head: str, key: str | Pick = "", *, essential: bool = True) -> Field:
        pick = key if callable(key) else lambda row: take(row, key or head)
        return Column(head, show, kind, essential), pick

    return make


text_field, prose_field, cell_field = _maker(str, "text"), _maker(str, "prose"), _maker(str)
count_field, probability_field, seconds_field = _maker(count), _maker(p_value), _maker("{:.1f}".format)
measured_field, measured_share_field = _maker(measured, take=measurement), _maker(measured_percent, take=measurement)
share_field, number_field = _maker(percent), _maker(significant)
rough_field = _maker(functools.partial(significant, digits=2))
precise_field = _maker(functools.partial(significant, digits=5))

"""The fields of an RNTuple by the names of their C++ types.

Building awkward's forms with uproot takes a time that grows with the square of the number of fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

__all__ = ["CARDINALITY", "ONE_LIST", "field_types", "plain_types"]

_NUMBERS = {
    "bool": "bool",
    "float": "float32",
    "double": "float64",
    "char": "int8",
    "std::byte": "uint8",
    **{f"std::{sign}int{bits}_t": f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)},
}
_NUMBER_NAMES = frozenset(_NUMBERS.values())
_LISTS = re.compile(r"(?:std::vector|ROOT::VecOps::RVec)<(.+)>")
CARDINALITY = "ROOT::RNTupleCardinality"
ONE_LIST = re.compile(r"(var|\d+) \* [a-z]+\d*")


def field_types(tree: Any) -> dict[str, str]:
    """Return all fields and the members of records and of collections, by name; reads no data.

    Returns:
        Awkward's words for numbers and lists of them, the C++ type for everything else.
    """
    records = list(tree.ntuple.field_records)
    children: dict[int, list[int]] = {}
    for number, record in enumerate(records):
        if record.parent_field_id != number:
            children.setdefault(record.parent_field_id, []).append(number)
    top = [number for number, record in enumerate(records) if record.parent_field_id == number]
    return {name: text for number in top for name, text in _columns(records, children, number)}


def plain_types(tree: Any) -> dict[str, str]:
    """Return the fields that hold a number or a list of numbers per event, with their types."""
    types = field_types(tree).items()
    return {name: text for name, text in types if text in _NUMBER_NAMES or ONE_LIST.fullmatch(text)}


def _columns(records: Sequence[Any], children: dict[int, list[int]], number: int) -> Iterator[tuple[str, str]]:
    """Yield a field of an RNTuple with its type, and its members where it is a record or a list of records."""
    record = records[number]
    own = _awkward_name(str(record.type_name))
    yield str(record.field_name), own
    if own in _NUMBER_NAMES or ONE_LIST.fullmatch(own):
        return
    if own.startswith("std::variant"):
        return  # of an event, one of the members is there
    inner, lists = children.get(number, []), ""
    if len(inner) == 1 and records[inner[0]].field_name in {"_0", ""}:
        inner, lists = children.get(inner[0], []), "var * "
    for member in inner:
        kind = _awkward_name(str(records[member].type_name))
        if kind in _NUMBER_NAMES:
            yield f"{record.field_name}.{records[member].field_name}", lists + kind


def _awkward_name(cpp: str) -> str:
    """Return awkward's name of a C++ type: ``var * float32`` for ``std::vector<float>``; others stay as they are."""
    if cpp.startswith(CARDINALITY):
        return "uint64" if "64" in cpp else "uint32"
    inner = _LISTS.fullmatch(cpp)
    return f"var * {_awkward_name(inner[1])}" if inner else _NUMBERS.get(cpp, cpp)

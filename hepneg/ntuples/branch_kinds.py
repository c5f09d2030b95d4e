"""The types of all branches of a tree at once, however many there are, and the first entries of some of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from hepneg.errors import DataError
from hepneg.ntuples.columns import BranchType, branch_names, branch_types
from hepneg.ntuples.files import is_rntuple, refuse_damage

__all__ = ["all_types", "first_entries_of", "list_lengths"]

_NUMBERS = {
    "bool": "bool",
    "float": "float32",
    "double": "float64",
    "char": "int8",
    "std::byte": "uint8",
    **{f"std::{sign}int{bits}_t": f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)},
}
_LISTS = re.compile(r"(?:std::vector|ROOT::VecOps::RVec)<(.+)>")
_CARDINALITY = "ROOT::RNTupleCardinality"


def all_types(tree: Any) -> dict[str, BranchType]:
    """Return the type of every branch; reads no data.

    The fields of an RNTuple are known by the names of their C++ types: building awkward's forms takes uproot a time that grows
    with the square of their number.
    """
    names = branch_names(tree)
    if not is_rntuple(tree):
        return {name: _branch_type(tree, name) for name in names}
    known = {field.name: _awkward_name(str(field.record.type_name)) for field in tree.fields}
    return {name: BranchType(known.get(name, "unknown")) for name in names}


def _branch_type(tree: Any, name: str) -> BranchType:
    """Return the type of a branch of a TTree, "unknown" where uproot has no name for it."""
    try:
        with refuse_damage("the file", name):
            return branch_types(tree, [name])[name]
    except DataError:
        return BranchType("unknown")


def list_lengths(tree: Any) -> frozenset[str]:
    """Return the branches that hold the lengths of lists."""
    if is_rntuple(tree):
        return frozenset(field.name for field in tree.fields if str(field.record.type_name).startswith(_CARDINALITY))
    counters = (branch.count_branch for branch in tree.itervalues(recursive=True))
    return frozenset(str(counter.name) for counter in counters if counter is not None)


def first_entries_of(tree: Any, path: str, names: Sequence[str], entries: int) -> dict[str, Any]:
    """Return the first entries of some branches as awkward arrays; what cannot be read is left out."""
    columns: dict[str, Any] = {}
    for name in names:
        with suppress(DataError), refuse_damage(path, name):
            columns[name] = tree[name].array(entry_stop=entries, library="ak")
    # A field with a dot in its name is found by a filter only, which goes through all fields.
    dotted = [name for name in names if name not in columns and "." in name]
    if dotted:
        with suppress(DataError), refuse_damage(path, "the first entries"):
            read = tree.arrays(filter_name=set(dotted).__contains__, entry_stop=entries, library="ak")
            columns |= {name: read[name] for name in dotted}
    return columns


def _awkward_name(cpp: str) -> str:
    """Return awkward's name of a C++ type: ``var * float32`` for ``std::vector<float>``; others stay as they are."""
    if cpp.startswith(_CARDINALITY):
        return "uint64" if "64" in cpp else "uint32"
    inner = _LISTS.fullmatch(cpp)
    return f"var * {_awkward_name(inner[1])}" if inner else _NUMBERS.get(cpp, cpp)

"""The types of all branches of a tree at once, and the first entries of some of them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing, suppress
from typing import Any

from hepneg.errors import DataError
from hepneg.ntuples.column_stream import stream_columns
from hepneg.ntuples.columns import BranchType, branch_types
from hepneg.ntuples.event_source import EventSource, source_of
from hepneg.ntuples.files import is_rntuple, refuse_damage
from hepneg.ntuples.parquet import ParquetTree
from hepneg.ntuples.rntuple_fields import CARDINALITY, ONE_LIST, field_types

__all__ = ["all_types", "first_entries_of", "is_one_list", "list_lengths"]


def all_types(tree: Any) -> dict[str, BranchType]:
    """Return the type of every branch; reads no data."""
    if not is_rntuple(tree):
        source = source_of(tree, "the file")
        return {name: _branch_type(source, name) for name in source.names}
    return {name: BranchType(text) for name, text in field_types(tree).items()}


def is_one_list(kind: BranchType) -> bool:
    """Tell a list of numbers per event from numbers and from lists of lists."""
    return kind.is_jagged and ONE_LIST.fullmatch(kind.text) is not None


def _branch_type(tree: EventSource, name: str) -> BranchType:
    """Return the type of a branch of a TTree, "unknown" where uproot has no name for it."""
    try:
        with refuse_damage("the file", name):
            return branch_types(tree, [name])[name]
    except DataError:  # uproot knows no such class, or two branches have that name
        return BranchType("unknown")


def list_lengths(tree: Any) -> frozenset[str]:
    """Return the branches that hold the lengths of lists."""
    if isinstance(tree, ParquetTree):
        return frozenset()
    if is_rntuple(tree):
        return frozenset(field.name for field in tree.fields if str(field.record.type_name).startswith(CARDINALITY))
    counters = (branch.count_branch for branch in tree.itervalues(recursive=True))
    return frozenset(str(counter.name) for counter in counters if counter is not None)


def first_entries_of(tree: Any, path: str, names: Sequence[str], entries: int) -> dict[str, Any]:
    """Return the first entries of some branches as awkward arrays; what cannot be read is left out."""
    columns: dict[str, Any] = {}
    for name in names:
        with suppress(DataError), refuse_damage(path, name):
            columns[name] = _read(tree, path, name, entries)
    if isinstance(tree, ParquetTree):
        return columns
    # A field with a dot in its name is found by a filter only, which goes through all fields.
    dotted = [name for name in names if name not in columns and "." in name]
    if dotted:
        with suppress(DataError), refuse_damage(path, "the first entries"):
            read = tree.arrays(filter_name=set(dotted).__contains__, entry_stop=entries, library="ak")
            columns |= {name: read[name] for name in dotted}
    return columns


def _read(tree: Any, path: str, name: str, entries: int) -> Any:
    """Read a branch or field, or a leaf of a branch with several."""
    if isinstance(tree, ParquetTree):
        import awkward as ak

        with closing(stream_columns(tree, [name], path, entries)) as steps:
            return ak.Array(next(steps)[1][name])
    branch, _, leaf = name.rpartition(".")
    if is_rntuple(tree) or not branch or name in tree or branch not in tree:
        return tree[name].array(entry_stop=entries, library="ak")
    return tree[branch].array(entry_stop=entries, library="ak")[leaf]

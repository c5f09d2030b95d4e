"""Branches by the names of an ntuple, whatever the shape in which columnar code holds them.

A flat record has fields called as the branches. NanoEvents gathers ``Jet_pt``, ``Jet_eta`` … into ``events.Jet`` and
turns ``nJet`` into the length of its lists. The expressions of an ``analysis.yaml`` work with both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hepneg.ntuples.columns import BranchType, Needs

if TYPE_CHECKING:
    import awkward as ak

__all__ = ["Columns", "read_columns"]


@dataclass(frozen=True, eq=False, slots=True)
class Columns:
    """The branches behind some expressions.

    Attributes:
        values: by branch, flat numpy or jagged awkward arrays of n events.
        missing: (n,), which events have None in the place of a number or a list of any of them.
    """

    values: Mapping[str, Any]
    missing: NDArray[np.bool_]


def read_columns(events: ak.Array, needs: Needs, where: str) -> Columns:
    """Take branches out of an array of records; nothing else of it is read.

    Args:
        events: n records, for instance NanoEvents, with virtual columns or without.
        needs: the branches.
        where: what messages call the events.

    Returns:
        The columns. A missing number is NaN, a missing list is empty.

    Raises:
        DataError: a branch is missing, or is neither numbers nor lists of numbers.
    """
    import awkward as ak

    records = ak.Array(events.layout, behavior={})  # without the methods of vectors, which ask for all coordinates
    missing = np.zeros(len(records), dtype=bool)
    values = {}
    for branch in needs.used_by:
        column = _find(records, branch)
        if column is None:
            raise needs.no_branch(branch, _names(records), where)
        needs.check_type(branch, _type_of(column), where)
        column = ak.without_parameters(column)
        values[branch] = _plain(column)
        missing |= np.asarray(ak.is_none(column))
    return Columns(values, missing)


def _find(records: ak.Array, branch: str) -> ak.Array | None:
    """Return a field, a field of a collection (``Jet_pt``, ``Jet.pt``), or the length of a collection (``nJet``)."""
    import awkward as ak

    if branch in records.fields:
        return records[branch]
    for position in (i for i, letter in enumerate(branch) if letter in "_."):
        collection, name = branch[:position], branch[position + 1 :]
        if collection in records.fields and name in records[collection].fields:
            return records[collection, name]
    if branch[:1] == "n" and branch[1:] in records.fields and records[branch[1:]].ndim > 1:
        return ak.num(records[branch[1:]], axis=1)
    return None


def _names(records: ak.Array) -> list[str]:
    """Return the names of all branches, for hints."""
    return [f"{field}_{name}" if name else field for field in records.fields for name in records[field].fields or [""]]


def _type_of(column: ak.Array) -> BranchType:
    """Return the type of the numbers, lists or strings, whether some are missing or not."""
    import awkward as ak

    kind = column.layout.purelist_parameter("__array__")
    text = str(ak.without_parameters(column).type.content)
    return BranchType(kind or text.removeprefix("option[").removesuffix("]").replace("?", ""))


def _plain(column: ak.Array) -> Any:
    """Return a flat column as numpy, and lists as awkward lists of variable length, without None."""
    import awkward as ak

    column = ak.materialize(column)
    optional = "?" in str(column.type) or "option" in str(column.type)
    if column.ndim == 1:
        return np.asarray(ak.fill_none(column, np.nan) if optional else column)
    lists = ak.from_regular(column)
    return ak.fill_none(ak.fill_none(lists, np.nan, axis=1), [], axis=0) if optional else lists

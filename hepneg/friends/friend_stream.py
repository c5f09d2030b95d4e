"""Through one input and into its friend file, step by step: what all kinds of friend files share."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepneg.expressions import identifier_expression
from hepneg.friends.plan import Job
from hepneg.ntuples.column_stream import stream_columns
from hepneg.ntuples.columns import Needs, branch_types
from hepneg.ntuples.event_source import EventSource, open_events
from hepneg.ntuples.files import is_rntuple, refuse_damage
from hepneg.ntuples.friend_files import TreeFormat, write_friend

__all__ = ["ENTRY", "Advance", "Columns", "identifying_columns", "stream_friend"]

ENTRY = "hepneg_entry"

Advance = Callable[[float], None]
Columns = dict[str, NDArray[Any]]


def stream_friend(
    job: Job,
    tree_name: str,
    needs: Needs,
    event_id: Sequence[str],
    types: Mapping[str, np.dtype[Any]],
    chunk: Callable[[int, Mapping[str, Any]], Columns],
    note: Callable[[int], Mapping[str, Any]],
    *,
    tree_format: TreeFormat | None,
    advance: Advance,
    friends: Sequence[str] = (),
) -> int:
    """Write the friend file of one input.

    Args:
        job: the input and the friend file.
        tree_name: of the input's tree.
        needs: the branches to read.
        event_id: identifiers to write. Branches of one number keep their types, others are of 64 bits; without any, the
            entry number is written.
        types: of the new columns.
        chunk: from the first entry and the branches of a step to all columns of the friend.
        note: from the number of entries to what the file remembers of its making, asked when all is written.
        tree_format: left out, that of the input.
        advance: is told the share of the file that each step is, 1 in total; what it raises ends the work.
        friends: other files with columns of the input's events.

    Returns:
        The number of entries.

    Raises:
        DataError: the input is unusable.
        OutputError: the friend file cannot be written.
    """
    with open_events(job.source, tree_name, friends) as source:
        names = needs.check(source, job.source)
        with refuse_damage(job.source, "the types of branches"):
            columns_of_friend = {**_identifying_types(source, event_id), **types}
            total = source.num_entries
            kind: TreeFormat = tree_format or ("rntuple" if is_rntuple(source.tree) else "ttree")
        with write_friend(job.path, columns_of_friend, kind) as writer:
            for start, columns in stream_columns(source, names, job.source):
                part = chunk(start, columns)
                writer.extend(part)
                advance(len(next(iter(part.values()))) / total)
            writer.note = note(total)
    if not total:
        advance(1.0)
    return total


def identifying_columns(columns: Mapping[str, Any], event_id: Sequence[str], entry: NDArray[np.int64]) -> Columns:
    """Return the columns of a step that identify its events: the identifiers, or the entry number without any."""
    return {_column_name(name): _identifier(columns, name) for name in event_id} or {ENTRY: entry}


def _identifier(columns: Mapping[str, Any], name: str) -> NDArray[Any]:
    if name in columns:
        return np.asarray(columns[name])
    return np.asarray(identifier_expression(name).evaluate(columns)).astype(np.int64)


def _identifying_types(source: EventSource, event_id: Sequence[str]) -> dict[str, np.dtype[Any]]:
    kinds = branch_types(source, event_id)
    types = {_column_name(name): np.dtype(kinds[name].text if name in kinds else np.int64) for name in event_id}
    return types or {ENTRY: np.dtype(np.int64)}


def _column_name(identifier: str) -> str:
    """Return a name for a friend's column: RNTuple allows no dots, and a tree no formula."""
    return re.sub(r"\W+", "_", identifier).rstrip("_") or "id"

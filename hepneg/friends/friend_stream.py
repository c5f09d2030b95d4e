"""Through one input and into its friend file, step by step: what all kinds of friend files share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepneg.friends.plan import Job
from hepneg.ntuples.column_stream import stream_columns
from hepneg.ntuples.columns import Needs, branch_types
from hepneg.ntuples.files import is_rntuple, open_tree, refuse_damage
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
) -> int:
    """Write the friend file of one input.

    Args:
        job: the input and the friend file.
        tree_name: of the input's tree.
        needs: the branches to read.
        event_id: branches that identify an event; they keep their types. Without any, the entry number is written.
        types: of the new columns.
        chunk: from the first entry and the branches of a step to all columns of the friend.
        note: from the number of entries to what the file remembers of its making, asked when all is written.
        tree_format: left out, that of the input.
        advance: is told the share of the file that each step is, 1 in total; what it raises ends the work.

    Returns:
        The number of entries.

    Raises:
        DataError: the input is unusable.
        OutputError: the friend file cannot be written.
    """
    with open_tree(job.source, tree_name) as tree:
        needs.check(tree, job.source)
        with refuse_damage(job.source, "the types of branches"):
            columns_of_friend = {**_identifying_types(tree, event_id), **types}
            total = int(tree.num_entries)
            kind: TreeFormat = tree_format or ("rntuple" if is_rntuple(tree) else "ttree")
        with write_friend(job.path, columns_of_friend, kind) as writer:
            for start, columns in stream_columns(tree, list(needs.used_by), job.source):
                part = chunk(start, columns)
                writer.extend(part)
                advance(len(next(iter(part.values()))) / total)
            writer.note = note(total)
    if not total:
        advance(1.0)
    return total


def identifying_columns(columns: Mapping[str, Any], event_id: Sequence[str], entry: NDArray[np.int64]) -> Columns:
    """Return the columns of a step that identify its events: the branches, or the entry number without any."""
    return {_column_name(name): np.asarray(columns[name]) for name in event_id} or {ENTRY: entry}


def _identifying_types(tree: Any, event_id: Sequence[str]) -> dict[str, np.dtype[Any]]:
    kinds = branch_types(tree, event_id)
    return {_column_name(name): np.dtype(kind.text) for name, kind in kinds.items()} or {ENTRY: np.dtype(np.int64)}


def _column_name(branch: str) -> str:
    """Return a name for a friend's column: RNTuple allows no dots."""
    return branch.replace(".", "_")

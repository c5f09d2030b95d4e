"""Friend files on disk: a tree of new columns, and a note of how they were made."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hepneg._core.output import atomic_path
from hepneg.errors import DataError
from hepneg.ntuples.files import open_file, refuse_damage

__all__ = ["FRIEND_TREE", "NOTE", "FriendWriter", "TreeFormat", "find_note", "read_note", "write_friend"]

FRIEND_TREE = "hepneg"
NOTE = "hepneg_meta"
_ZSTD_LEVEL = 3

TreeFormat = Literal["ttree", "rntuple"]


class FriendWriter:
    """A friend tree that grows by chunks.

    Attributes:
        note: JSON-ready; kept as a TObjString beside the tree when it is complete.
    """

    def __init__(self, tree: Any) -> None:
        self._tree = tree
        self.note: Mapping[str, Any] = {}

    def extend(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Append as many entries as the columns have."""
        self._tree.extend(dict(columns))


@contextmanager
def write_friend(path: Path, types: Mapping[str, np.dtype[Any]], kind: TreeFormat) -> Iterator[FriendWriter]:
    """Write a friend file chunk by chunk under a temporary name, and give it its name when it is complete.

    Args:
        path: the final name.
        types: of the columns, in order.
        kind: TTree or RNTuple. Compression is ZSTD.

    Raises:
        OutputError: the operating system refuses to write.
    """
    import uproot

    with atomic_path(path) as temporary, uproot.recreate(temporary, compression=uproot.ZSTD(_ZSTD_LEVEL)) as file:
        make = file.mktree if kind == "ttree" else file.mkrntuple
        writer = FriendWriter(make(FRIEND_TREE, dict(types)))
        yield writer
        file[NOTE] = json.dumps(writer.note, sort_keys=True)


def find_note(path: Path) -> dict[str, Any] | None:
    """Return the note in a friend file, or None if the file was not written by :func:`write_friend`.

    Raises:
        DataError: it is no ROOT file, damaged, or cannot be read.
    """
    with open_file(str(path)) as file, refuse_damage(str(path), "the note"):
        note = json.loads(str(file[NOTE])) if {NOTE, FRIEND_TREE} <= set(file.keys(cycle=False)) else None
    return note if isinstance(note, dict) else None


def read_note(path: Path) -> dict[str, Any] | None:
    """Return the note in a friend file, or None if there is none or it cannot be read."""
    try:
        return find_note(path)
    except DataError:
        return None

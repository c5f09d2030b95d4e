"""The events of one file: its tree, and the trees of friend files that have more columns of the same events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hepneg.errors import DataError
from hepneg.ntuples.catalogue import Catalogue, Column
from hepneg.ntuples.files import is_tree, open_file, open_tree, refuse_damage
from hepneg.ntuples.friend_files import FRIEND_TREE
from hepneg.ntuples.parquet import ParquetTree, is_parquet

__all__ = ["EventSource", "Located", "TreePart", "open_events", "source_of"]


@dataclass(frozen=True)
class TreePart:
    """One of the trees that hold the columns of the same events."""

    path: str
    tree: Any

    @cached_property
    def catalogue(self) -> Catalogue:
        """Its columns."""
        return Catalogue(self.tree)

    @property
    def entries(self) -> int:
        """Number of events.

        Raises:
            DataError: the bytes make no sense.
        """
        with refuse_damage(self.path, "the structure"):
            return int(self.tree.num_entries)


@dataclass(frozen=True, slots=True)
class Located:
    """A column, and the number of the tree that holds it."""

    part: int
    column: Column


@dataclass(frozen=True)
class EventSource:
    """The trees of one file and its friends; the file's own columns come first."""

    parts: tuple[TreePart, ...]

    @property
    def path(self) -> str:
        """Of the file."""
        return self.parts[0].path

    @property
    def tree(self) -> Any:
        """The file's own tree."""
        return self.parts[0].tree

    @property
    def num_entries(self) -> int:
        """Number of events."""
        return self.parts[0].entries

    @property
    def names(self) -> list[str]:
        """All columns."""
        return list(dict.fromkeys(name for part in self.parts for name in part.catalogue.names))

    def find(self, name: str) -> Located | None:
        """Return where a column is, None if it is nowhere.

        Args:
            name: of the column; ``name@1`` is that of the first friend, where a friend writes ``_`` for a dot.

        Raises:
            DataError: the name is ambiguous, or the bytes make no sense.
        """
        plain, _, friend = name.rpartition("@")
        numbered = enumerate(self.parts)
        if plain and friend.isdecimal() and int(friend) < len(self.parts):
            name, numbered = plain.replace(".", "_"), enumerate(self.parts[int(friend) :][:1], start=int(friend))
        for number, part in numbered:
            with refuse_damage(part.path, "the branches"):
                column = part.catalogue.find(name, part.path)
            if column is not None:
                return Located(number, column)
        return None

    def types(self, names: Iterable[str]) -> dict[str, str]:
        """Return the types of columns that are there, in awkward's words; reads no data."""
        located = {name: found for name in names if (found := self.find(name)) is not None}
        types: dict[str, str] = {}
        for number, part in enumerate(self.parts):
            mine = {name: found.column for name, found in located.items() if found.part == number}
            if mine:
                with refuse_damage(part.path, "the types of branches"):
                    types |= zip(mine, part.catalogue.types(list(mine.values())), strict=True)
        return types


def source_of(tree: Any, path: str) -> EventSource:
    """Return a tree as the source of its own columns, a source as it is."""
    return tree if isinstance(tree, EventSource) else EventSource((TreePart(path, tree),))


@contextmanager
def open_events(path: str, tree: str, friends: Sequence[str] = ()) -> Iterator[EventSource]:
    """Open a file and its friends.

    Args:
        path: a ROOT or Parquet file.
        tree: name of its tree; ignored for Parquet.
        friends: files with a tree of the same name, or one as hepneg writes it, or a single tree.

    Raises:
        DataError: a file is unusable, or a friend has another number of entries.
    """
    with ExitStack() as stack:
        parts = [TreePart(path, stack.enter_context(_open(path, tree)))]
        for friend in friends:
            part = TreePart(friend, stack.enter_context(_open_friend(friend, tree)))
            if part.entries != parts[0].entries:
                raise DataError(
                    f"the friend {friend} has {part.entries} entries, but {path} has {parts[0].entries}; a friend "
                    "must be of the same events in the same order"
                )
            parts.append(part)
        yield EventSource(tuple(parts))


@contextmanager
def _open(path: str, tree: str) -> Iterator[Any]:
    if not is_parquet(path):
        with open_tree(path, tree) as found:
            yield found
        return
    parquet = ParquetTree(path)
    with refuse_damage(path, "the structure"):
        parquet.keys()
    yield parquet


@contextmanager
def _open_friend(path: str, tree: str) -> Iterator[Any]:
    if is_parquet(path):
        with _open(path, tree) as found:
            yield found
        return
    with open_file(path) as file, refuse_damage(path, "the trees"):
        trees = [name for name, kind in file.classnames(cycle=False).items() if is_tree(kind)]
    name = next((known for known in (tree, FRIEND_TREE) if known in trees), trees[0] if len(trees) == 1 else tree)
    with open_tree(path, name) as found:
        yield found

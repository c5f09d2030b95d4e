"""Reading some columns window by window, whatever kind of tree each is in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from hepneg.ntuples.event_source import EventSource, Located, TreePart
from hepneg.ntuples.parquet import ParquetTree

__all__ = ["read_windows"]


def read_windows(source: EventSource, names: Sequence[str], start: int, window: int) -> Iterator[dict[str, Any]]:
    """Yield the columns of each window, from an entry on.

    Args:
        source: holds all the columns.
        names: the columns to read.
        start: first entry.
        window: entries in each window but the last.

    Yields:
        Awkward arrays by name.
    """
    located = {name: found for name in names if (found := source.find(name)) is not None}
    readers = [
        reader for number, part in enumerate(source.parts) for reader in _readers(part, number, located, start, window)
    ]
    for _ in range(start, source.num_entries, window):
        columns: dict[str, Any] = {}
        for reader in readers:
            columns |= next(reader, {})
        yield {name: columns[name] for name in names if name in columns}


def _readers(
    part: TreePart, number: int, located: dict[str, Located], start: int, window: int
) -> Iterator[Iterator[dict[str, Any]]]:
    mine = {name: found for name, found in located.items() if found.part == number}
    together = {name: found for name, found in mine.items() if not found.column.alone}
    if isinstance(part.tree, ParquetTree) and mine:
        yield _parquet(part.tree, mine, start, window)
        return
    if together:
        yield _iterated(part, together, start, window)
    for name, found in mine.items():
        if found.column.alone:
            yield _alone(part, name, found, start, window)


def _iterated(part: TreePart, located: dict[str, Located], start: int, window: int) -> Iterator[dict[str, Any]]:
    keys = {name: _uproot_key(part, found.column.key) for name, found in located.items()}
    wanted = set(keys.values())
    for batch in part.tree.iterate(filter_name=wanted.__contains__, step_size=window, entry_start=start, library="ak"):
        yield {name: _taken(batch, part, keys[name], found) for name, found in located.items()}


def _uproot_key(part: TreePart, key: str) -> str:
    """Return the name under which uproot delivers a branch: without the objects that it is in."""
    return key if part.catalogue.by_field else str(part.catalogue.branches[key].name)


def _taken(batch: Any, part: TreePart, key: str, found: Located) -> Any:
    if part.catalogue.by_field:
        return batch[found.column.fields]
    return batch[(key, *found.column.fields)]


def _alone(part: TreePart, name: str, found: Located, start: int, window: int) -> Iterator[dict[str, Any]]:
    branch, total = part.catalogue.branches[found.column.key], int(part.tree.num_entries)
    for first in range(start, total, window):
        column = branch.array(entry_start=first, entry_stop=min(first + window, total), library="ak")
        yield {name: column[found.column.fields] if found.column.fields else column}


def _parquet(tree: ParquetTree, located: dict[str, Located], start: int, window: int) -> Iterator[dict[str, Any]]:
    keys = list({found.column.key for found in located.values()})
    for first in range(start, tree.num_entries, window):
        batch = tree.arrays(keys, first, min(first + window, tree.num_entries))
        yield {name: batch[found.column.fields] for name, found in located.items()}

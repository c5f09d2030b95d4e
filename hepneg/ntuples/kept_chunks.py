"""Chunks kept in memory, so that a job of several passes reads its files once."""

from __future__ import annotations

import os
from collections.abc import Iterator

from hepneg._core.progress import SILENT, Progress
from hepneg.config import Config
from hepneg.ntuples.chunk import Chunk
from hepneg.ntuples.read import read_chunks
from hepneg.ntuples.reading_notes import ReadingNotes

__all__ = ["KeptChunks"]

_SHARE = 0.25
"""Of the machine's memory that chunks may take."""
_MODEST = 10**9
"""Bytes, where the system does not say how much memory there is."""


class KeptChunks:
    """Reads the samples of one analysis, and keeps what it has read as long as there is room.

    Called as :func:`hepneg.ntuples.read_chunks` is, in whose place it stands.

    Args:
        systematics: whether any pass needs the systematic variations of the weight: they are read with the rest.
        most_bytes: kept; left out, a quarter of the machine's memory. Samples beyond are read again in every pass.
    """

    def __init__(self, *, systematics: bool = False, most_bytes: int | None = None) -> None:
        self._systematics = systematics
        self._room = _default_room() if most_bytes is None else most_bytes
        self._kept: dict[str, list[Chunk]] = {}

    def __call__(
        self,
        config: Config,
        sample: str,
        *,
        systematics: bool = False,
        notes: ReadingNotes | None = None,
        progress: Progress = SILENT,
    ) -> Iterator[Chunk]:
        """Read a sample, from memory where it is kept there."""
        if sample in self._kept:
            return _from_memory(self._kept[sample], sample, notes)
        varied = systematics or self._systematics
        return self._keep(sample, read_chunks(config, sample, systematics=varied, notes=notes, progress=progress))

    def last(
        self, config: Config, sample: str, *, notes: ReadingNotes | None = None, progress: Progress = SILENT
    ) -> Iterator[Chunk]:
        """Read a sample for the last time: what is kept of it is given up."""
        if sample in self._kept:
            return _from_memory(self._kept.pop(sample), sample, notes)
        return read_chunks(config, sample, notes=notes, progress=progress)

    def _keep(self, sample: str, chunks: Iterator[Chunk]) -> Iterator[Chunk]:
        kept, room = [], self._room
        for chunk in chunks:
            room -= _size(chunk)
            if room >= 0:
                kept.append(chunk)
            else:
                kept.clear()
            yield chunk
        if room >= 0:
            self._kept[sample], self._room = kept, room


def _from_memory(chunks: list[Chunk], sample: str, notes: ReadingNotes | None) -> Iterator[Chunk]:
    for chunk in chunks:
        if notes is not None:
            notes.add(sample, chunk)
        yield chunk


def _size(chunk: Chunk) -> int:
    columns = (chunk.features, chunk.weight, chunk.event_id, chunk.variations, chunk.target, chunk.grade, chunk.fold)
    kept = (*columns, *chunk.collections.values())
    return sum(column.nbytes for column in kept if column is not None)


def _default_room() -> int:
    try:
        return int(_SHARE * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, OSError, ValueError):
        return _MODEST

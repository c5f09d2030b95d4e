"""Reading columns of one tree in steps, ahead of the consumer and on two threads."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import numpy as np

from hepneg.errors import DataError
from hepneg.ntuples.column_reader import read_windows
from hepneg.ntuples.event_source import EventSource, source_of
from hepneg.ntuples.files import is_rntuple, refuse_damage
from hepneg.ntuples.page_checksums import verify_pages
from hepneg.ntuples.parquet import ParquetTree
from hepneg.ntuples.retry import retried

__all__ = ["STEP_SIZE", "plain_column", "stream_columns"]

logger = logging.getLogger(__name__)

STEP_SIZE = 65_536
_WINDOW = "100 MB"
_END: dict[str, Any] = {}


def stream_columns(
    tree: Any, names: Sequence[str], path: str, step_size: int | str = STEP_SIZE
) -> Generator[tuple[int, dict[str, Any]]]:
    """Yield the first entry and the columns of each step of a tree, or of a file and its friends.

    Decompression dominates, and neither of uproot's readers uses a second core by itself. The branches are dealt out
    to two lanes, each a ``tree.iterate`` of its own on a thread, one window ahead of the consumer.
    Windows of 100 MB are read, or larger ones to hold a step or a cluster of an RNTuple, which is unpacked as a whole;
    at most two windows are in memory. Steps are parts of a window: small ones stay in the caches of the processor.

    Args:
        tree: TTree, RNTuple or Parquet file, or an :class:`~hepneg.ntuples.event_source.EventSource`, with all the
            branches.
        names: the branches to read; at least one.
        path: of the file, for messages.
        step_size: entries in a step, or its size in memory (``"24 MB"``).

    Yields:
        ``(first entry, {branch: flat numpy array or jagged awkward array})``. An empty tree yields nothing.

    Raises:
        DataError: the bytes make no sense, or the checksum of an RNTuple's page does not agree; the message gives the
        file and the range of entries. TransferError: the same for an address, after three tries at the window.
    """
    source = source_of(tree, path)
    for number, part in enumerate(source.parts):
        located = [found.column for name in names if (found := source.find(name)) and found.part == number]
        verify_pages(part.path, part.tree, {column.key.partition(".")[0] for column in located})
    total, step, window = retried(lambda: _plan(source, names, path, step_size))
    logger.info("reading %s: %d entries, %d branches", path, total, len(names))
    lanes = [names[start::2] for start in range(min(2, len(names)))] if (os.cpu_count() or 1) > 1 else [names]
    with ThreadPoolExecutor(len(lanes), thread_name_prefix="hepneg-read") as pool:
        windows = _Windows(source, lanes, path, window, total, pool)
        for start in range(0, total, window):
            columns = windows.take(start)
            for first in range(0, min(window, total - start), step):
                yield start + first, {name: column[first : first + step] for name, column in columns.items()}


class _Windows:
    """Reads the windows of a tree in order, each while the one before is consumed."""

    def __init__(
        self,
        source: EventSource,
        lanes: Sequence[Sequence[str]],
        path: str,
        window: int,
        total: int,
        pool: ThreadPoolExecutor,
    ) -> None:
        self.source, self.lanes, self.path, self.window, self.total = source, lanes, path, window, total
        self.pool = pool
        self.readers: list[Iterator[Any]] = []
        self.ahead: list[Future[dict[str, Any]]] = []

    def take(self, start: int) -> dict[str, Any]:
        """Return the columns of the window that starts at an entry, and begin with the next."""
        columns = retried(lambda: self._collect(start))
        if start + self.window < self.total:
            self._read_ahead()
        return columns

    def _collect(self, start: int) -> dict[str, Any]:
        if not self.ahead:  # at the beginning, and after a failure
            self.readers = [self._reader(lane, start) for lane in self.lanes]
            self._read_ahead()
        ahead, self.ahead = self.ahead, []
        stop = min(start + self.window, self.total)
        columns: dict[str, Any] = {}
        with refuse_damage(self.path, f"entries {start} to {stop - 1}"):
            wait(ahead)  # both: a lane that still reads must not meet its successor
            for lane in ahead:
                columns.update(lane.result())
        if not columns or any(len(column) != stop - start for column in columns.values()):
            message = f"{self.path}: branches end before entry {stop - 1}"
            raise DataError(f"{message}; the file is damaged, fetch or write it again")
        return columns

    def _reader(self, lane: Sequence[str], start: int) -> Iterator[Any]:
        return read_windows(self.source, lane, start, self.window)

    def _read_ahead(self) -> None:
        self.ahead = [
            self.pool.submit(_read_lane, reader, lane) for reader, lane in zip(self.readers, self.lanes, strict=True)
        ]


def _plan(source: EventSource, names: Sequence[str], path: str, step_size: int | str) -> tuple[int, int, int]:
    """Return the entries in the file, in a step and in a window."""
    with refuse_damage(path, "the structure"):
        step = _entries_of(step_size, source, names)
        clusters = max(_largest_cluster(part.tree) for part in source.parts)
        return source.num_entries, step, max(step, _entries_of(_WINDOW, source, names), clusters)


def _entries_of(size: int | str, source: EventSource, names: Sequence[str]) -> int:
    if isinstance(size, int):
        return max(1, size)
    tree, located = source.tree, [found for name in names if (found := source.find(name)) and not found.part]
    keys = {found.column.key for found in located}
    if not keys or isinstance(tree, ParquetTree):
        return max(1, int(_bytes_of(size) / (8 * len(names))))
    try:
        if is_rntuple(tree):
            return max(1, int(tree.num_entries_for(size, filter_name=keys.__contains__)))
        # uproot would read a basket of each branch for this; over XRootD it cannot.
        total = sum(int(source.parts[0].catalogue.branches[key].member("fTotBytes")) for key in keys)
        return max(1, int(_bytes_of(size) / total * int(tree.num_entries)))
    except ZeroDivisionError:  # no bytes at all
        return max(1, int(tree.num_entries))


def _bytes_of(size: str) -> float:
    """Return the bytes in a text such as ``"24 MB"``."""
    parts = re.fullmatch(r"([\d.]+)\s*([kMG]?)B", size)
    if parts is None:
        raise ValueError(f"a size in memory is written as '24 MB', not {size!r}")
    return float(parts[1]) * {"": 1, "k": 1e3, "M": 1e6, "G": 1e9}[parts[2]]


def _largest_cluster(tree: Any) -> int:
    if isinstance(tree, ParquetTree):
        return max(tree.row_groups, default=1)
    if not is_rntuple(tree):
        return 1
    return max((int(cluster.num_entries) for cluster in tree.ntuple.cluster_summaries), default=1)


def _read_lane(reader: Iterator[Any], names: Sequence[str]) -> dict[str, Any]:
    batch = next(reader, None)
    return _END if batch is None else {name: plain_column(batch[name]) for name in names}


def plain_column(column: Any) -> Any:
    """Return a flat column as the numpy array that it is, and lists as an awkward array; a missing number is NaN.

    Raises:
        IndexError: the offsets of its lists decrease, or point beyond the elements.
        ValueError: it holds neither numbers nor lists of them.
    """
    import awkward as ak

    if "?" in str(column.type) or "option" in str(column.type):
        column = _filled(column)
    if column.ndim == 1:
        return ak.to_numpy(column)
    broken = ak.validity_error(column)
    if broken:
        raise IndexError(broken)
    return ak.from_regular(column, axis=None)


def _filled(column: Any) -> Any:
    """Fill what a Parquet file leaves out: a number by NaN where it is one of floating point, a list by an empty
    one."""
    import awkward as ak

    if column.ndim > 1:
        return ak.fill_none(ak.fill_none(column, np.nan, axis=-1), [], axis=0)
    return ak.fill_none(column, np.nan) if bool(ak.any(ak.is_none(column))) else ak.drop_none(column)

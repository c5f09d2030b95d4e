"""Parquet files, read through awkward in the place of trees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hepneg.errors import DataError

__all__ = ["ParquetTree", "is_parquet"]


def is_parquet(path: str) -> bool:
    """Tell a Parquet file by its name."""
    return path.partition("?")[0].lower().endswith((".parquet", ".parq", ".pq"))


class ParquetTree:
    """One Parquet file with the face of a tree: entries, names of columns, forms and arrays.

    Args:
        path: a local path or an address.

    Raises:
        DataError: pyarrow is not installed, or there is no such file.
    """

    def __init__(self, path: str) -> None:
        if find_spec("pyarrow") is None:
            raise DataError(f"{path}: reading Parquet needs pyarrow: pip install 'hepneg[parquet]'")
        if "://" not in path and not Path(path).is_file():
            raise DataError(f"no such file: {path}")
        self.path = path

    @cached_property
    def _metadata(self) -> dict[str, Any]:
        import awkward as ak

        found: dict[str, Any] = ak.metadata_from_parquet(self.path)
        return found

    @property
    def num_entries(self) -> int:
        """Number of events."""
        return int(self._metadata["num_rows"])

    @property
    def row_groups(self) -> list[int]:
        """Events in each row group, which is read as a whole."""
        return [int(size) for size in self._metadata["col_counts"]]

    def keys(self) -> list[str]:
        """Return the names of columns and collections, and of the fields of these (``Jet.pt``)."""
        columns = list(self._metadata["columns"])
        names = [
            ".".join(_plain(column).split(".")[: depth + 1])
            for column in columns
            for depth in range(column.count(".") + 1)
        ]
        return list(dict.fromkeys(names))

    def to_akform(self, filter_name: Callable[[str], bool]) -> Any:  # noqa: ARG002  (the face of an RNTuple)
        """Return the form of the whole file."""
        return self._metadata["form"]

    def arrays(self, columns: Sequence[str], start: int, stop: int) -> Any:
        """Return some columns of a range of events as records."""
        import awkward as ak

        first, chosen, begin = 0, [], None
        for number, size in enumerate(self.row_groups):
            if first < stop and first + size > start:
                chosen.append(number)
                begin = first if begin is None else begin
            first += size
        array = ak.from_parquet(self.path, columns=list(columns), row_groups=chosen)
        return array[start - (begin or 0) : stop - (begin or 0)]


def _plain(column: str) -> str:
    """Return a column's name without the levels that Parquet puts into lists."""
    return column.replace(".list.item", "").replace(".list.element", "")

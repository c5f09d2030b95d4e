"""Checksums of the pages of an RNTuple, which ROOT writes and uproot does not look at.

The format (ROOT's binary specification of RNTuple, "Page Locations") marks a page with a checksum by a negative number
of elements; XXH3 of the 64 bits stands behind its bytes, little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from functools import lru_cache
from pathlib import Path
from typing import Any

from hepneg.errors import DataError
from hepneg.ntuples.files import is_remote, is_rntuple, refuse_damage

__all__ = ["verify_pages"]

_CHECKSUM = struct.Struct("<Q")


def verify_pages(path: str, tree: Any, fields: AbstractSet[str]) -> None:
    """Compare the checksums of all pages of some fields of a local file; does nothing where there are none.

    Args:
        path: of the file.
        tree: a TTree, an RNTuple or a Parquet file.
        fields: names of top-level fields.

    Raises:
        DataError: a page is damaged.
    """
    if not is_rntuple(tree) or is_remote(path):
        return
    with refuse_damage(path, "the pages"):
        status = Path(path).stat()
        pages = tuple(_pages(tree.ntuple, fields))
        damaged = _first_damaged(path, pages, status.st_size, status.st_mtime_ns)
    if damaged is not None:
        raise DataError(
            f"{path}: the checksum of a page at byte {damaged} does not agree; the file is damaged, fetch or write "
            "it again"
        )


def _pages(ntuple: Any, fields: AbstractSet[str]) -> Iterator[tuple[int, int]]:
    """Yield where the pages with a checksum are, and their sizes."""
    records = ntuple.field_records
    wanted = [number for number, column in enumerate(ntuple.column_records) if _top(records, column.field_id) in fields]
    for cluster in ntuple.page_link_list:
        for number in (number for number in wanted if number < len(cluster) and not cluster[number].suppressed):
            for page in (page for page in cluster[number].pages if page.has_checksum):
                yield int(page.locator.offset), int(page.locator.num_bytes)


def _top(records: Any, field: int) -> str:
    """Return the name of the top-level field that a field is in."""
    while records[field].parent_field_id != field:
        field = records[field].parent_field_id
    return str(records[field].field_name)


@lru_cache(maxsize=1024)
def _first_damaged(path: str, pages: tuple[tuple[int, int], ...], _size: int, _changed: int) -> int | None:
    """Return where the first damaged page is, None if all are whole; a file that has not changed is looked at once."""
    import xxhash

    with Path(path).open("rb") as file:
        for offset, size in pages:
            file.seek(offset)
            content, checksum = file.read(size), file.read(_CHECKSUM.size)
            if len(checksum) < _CHECKSUM.size or xxhash.xxh3_64_intdigest(content) != _CHECKSUM.unpack(checksum)[0]:
                return offset
    return None

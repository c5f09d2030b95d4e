"""Knowing a ROOT file again by what it holds, whatever it is called and wherever it lies."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Self
from urllib.parse import urlsplit

from hepneg.config import Config
from hepneg.errors import DataError
from hepneg.ntuples.files import is_remote, open_file, refuse_damage, sample_files
from hepneg.ntuples.parquet import is_parquet
from hepneg.ntuples.retry import retried

__all__ = ["NO_UUID", "FileIdentity", "base_name", "find_same", "identify_file", "identify_files"]

# The head of a ROOT file holds its UUID and the first data, its tail the index of all baskets or pages.
_SAMPLED = 65_536
NO_UUID = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class FileIdentity:
    """What tells one ROOT file from another.

    Attributes:
        name: without folders; part of the event identifier where no branch identifies an event.
        uuid: that ROOT gave to the file when it was created. It survives additions to the file.
        size: in bytes.
        fingerprint: SHA-256 over the size and the first and last 64 KiB. They hold the UUID and the sizes of all
            compressed baskets or pages, so two files agree only if one is a copy of the other, or was made to look so.
    """

    name: str
    uuid: str
    size: int
    fingerprint: str

    def to_dict(self) -> dict[str, Any]:
        """Return the identity as plain values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Rebuild an identity from :meth:`to_dict`."""
        return cls(str(data["name"]), str(data["uuid"]), int(data["size"]), str(data["fingerprint"]))


def base_name(path: str) -> str:
    """Return the name of a file without folders; of an address without server and query."""
    return PurePosixPath((urlsplit(path).path if is_remote(path) else path).replace("\\", "/")).name


def identify_file(path: str) -> FileIdentity:
    """Identify a ROOT file by 128 KiB of it.

    Raises:
        DataError: missing, not a ROOT file, truncated or damaged.
    """
    if is_parquet(path):
        with refuse_damage(path, "the file"):
            return _parquet_identity(path)
    with open_file(path) as directory:
        return retried(lambda: _identity(path, directory))


def _parquet_identity(path: str) -> FileIdentity:
    """Identify a local Parquet file by its ends: the last holds the index of all pages."""
    with Path(path).open("rb") as file:
        size = file.seek(0, 2)
        digest = hashlib.sha256(str(size).encode())
        for start in (0, max(0, size - _SAMPLED)):
            file.seek(start)
            digest.update(file.read(_SAMPLED))
    return FileIdentity(base_name(path), NO_UUID, size, digest.hexdigest())


def _identity(path: str, directory: Any) -> FileIdentity:
    with refuse_damage(path, "the header"):
        source = directory.file.source
        size = int(source.num_bytes)
        digest = hashlib.sha256(str(size).encode())
        for start, stop in ((0, min(size, _SAMPLED)), (max(0, size - _SAMPLED), size)):
            digest.update(bytes(source.chunk(start, stop).raw_data))
        return FileIdentity(base_name(path), str(directory.file.uuid), size, digest.hexdigest())


def identify_files(config: Config) -> tuple[FileIdentity, ...]:
    """Identify every file of the simulated samples; those that cannot be read are left out, as :func:`read_chunks`
    does.

    Raises:
        DataError: a file is missing, or the only one of a sample is unusable.
    """
    found: dict[str, FileIdentity] = {}
    for sample in config.samples:
        paths = sample_files(config, sample)
        for path in (path for path in paths if path not in found):
            try:
                found[path] = identify_file(path)
            except DataError:
                if len(paths) == 1:
                    raise
    return tuple(found.values())


def find_same(file: FileIdentity, known: Iterable[FileIdentity]) -> FileIdentity | None:
    """Find a file among known ones.

    Args:
        file: to be found.
        known: what it may be.

    Returns:
        The known file of the same content, preferably of the same name; else one of the same UUID, to which something
        may have been added since; else None.
    """
    same = [other for other in known if other.fingerprint == file.fingerprint]
    same = same or [other for other in known if other.uuid == file.uuid != NO_UUID]
    return next((other for other in same if other.name == file.name), same[0] if same else None)

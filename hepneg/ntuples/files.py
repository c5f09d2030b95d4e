"""Finding input files and opening the tree in each, with one clear line for everything that can be wrong with them."""

from __future__ import annotations

import errno
import glob
import os
import re
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hepneg._core.input import require_regular
from hepneg.errors import DataError, nearest_names
from hepneg.ntuples.damage import is_remote, read_error, refuse_damage
from hepneg.ntuples.retry import retried
from hepneg.ntuples.uproot_classes import restore_classes

__all__ = [
    "begins_as_root",
    "is_glob",
    "is_remote",
    "is_rntuple",
    "is_tree",
    "matching_files",
    "natural_order",
    "open_file",
    "open_tree",
    "refuse_damage",
    "resolve_files",
    "sample_files",
]

_MAGIC = b"root"
_TREES = ("TTree", "TNtuple", "TNtupleD", "ROOT::RNTuple")


def natural_order(path: str) -> list[tuple[int, str]]:
    """Sort key under which ``part_2`` comes before ``part_10``."""
    return [(int(piece), "") if piece.isdecimal() else (-1, piece) for piece in re.split(r"(\d+)", path)]


def is_glob(pattern: str) -> bool:
    """Tell whether a path has characters that stand for others, such as ``*``."""
    return glob.has_magic(pattern)


def matching_files(pattern: str, folder: Path) -> list[str]:
    """Return what is there under a path or glob, in natural order; an address stays as it is.

    Args:
        pattern: a path, a glob (``**`` goes into subfolders) or an address.
        folder: what relative paths are relative to.

    Raises:
        DataError: the folder cannot be read, ``~`` names no user, or no path can be so long.
    """
    if is_remote(pattern):
        return [pattern]
    try:
        path = folder / Path(pattern).expanduser()
        if path.exists():
            return [str(path)]
        _require_readable(path)
        return sorted(glob.glob(str(path), recursive=True), key=natural_order)  # noqa: PTH207
    except RuntimeError as error:  # ~nosuchuser
        raise DataError(f"cannot look for {pattern!r}: {error}; write the path in full") from None
    except (OSError, ValueError) as error:
        raise DataError(f"cannot look for {pattern!r}: {getattr(error, 'strerror', None) or error}") from None


def _require_readable(path: Path) -> None:
    """Refuse a pattern whose folder cannot be listed, where a glob would only find nothing.

    Raises:
        PermissionError: it cannot.
    """
    parents = (parent for parent in (path, *path.parents) if not glob.has_magic(str(parent)))
    folder = next((parent for parent in parents if parent.is_dir()), None)
    if folder is not None and not os.access(folder, os.R_OK | os.X_OK):
        raise PermissionError(errno.EACCES, f"the folder {folder} cannot be read: permission denied")


def resolve_files(patterns: Sequence[str], folder: Path, sample: str) -> tuple[str, ...]:
    """Turn paths and globs into file names, each once, in natural order within a pattern.

    Args:
        patterns: paths, globs (``**`` goes into subfolders) or addresses, which stay as they are.
        folder: what relative paths are relative to.
        sample: whose files they are, for messages.

    Raises:
        DataError: a pattern matches nothing.
    """
    found: dict[str, None] = {}
    for pattern in patterns:
        matches = matching_files(pattern, folder)
        if not matches:
            what = "file matches" if is_glob(pattern) else "file"
            raise DataError(f"sample {sample!r}: no {what} {pattern!r} in {folder}; check `samples.{sample}.files`")
        found.update(dict.fromkeys(matches))
    return tuple(found)


def sample_files(config: Any, sample: str) -> tuple[str, ...]:
    """Return the files of one sample of a :class:`hepneg.config.Config`.

    Raises:
        DataError: the configuration has no such sample, or a pattern matches nothing.
    """
    known = {**config.samples, **config.data}
    if sample not in known:
        raise DataError(f"no sample {sample!r} in the configuration{nearest_names(sample, known)}")
    return resolve_files(known[sample].files, config.folder, sample)


def _check_header(path: str) -> None:
    """Compare the magic bytes and the length in the header of a local file with the file itself."""
    try:
        require_regular(Path(path))
        with Path(path).open("rb") as file:
            head = file.read(20)
            size = file.seek(0, 2)
    except FileNotFoundError:
        raise DataError(f"no such file: {path}") from None
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from None
    if len(head) < 20 or not head.startswith(_MAGIC):
        raise DataError(f"{path} is not a ROOT file; give the path of a ROOT file with a TTree or an RNTuple")
    version, _ = struct.unpack(">ii", head[4:12])
    (end,) = struct.unpack(">q", head[12:20]) if version >= 1_000_000 else struct.unpack(">i", head[12:16])
    if size < end:
        raise DataError(f"{path} is truncated: it should have {end} bytes, but has {size}; fetch or write it again")


def begins_as_root(path: Path) -> bool:
    """Tell whether a local file begins as every ROOT file does, whole or not; a file that cannot be read may be one."""
    try:
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return path.is_file()


@contextmanager
def open_file(path: str) -> Iterator[Any]:
    """Open a ROOT file for reading. An address is tried three times.

    Raises:
        DataError: missing, not a ROOT file, truncated or damaged, or an address that needs a missing package.
        TransferError: an address that cannot be opened.
    """
    if not is_remote(path):
        _check_header(path)
    with retried(lambda: _open(path)) as file:
        yield file


def _open(path: str) -> Any:
    import uproot

    restore_classes()
    try:
        # A dictionary keeps a colon in the path from being taken for the name of an object. A cache of arrays would
        # hold up to 100 MB that are read once.
        return uproot.open({path: None}, array_cache=None)
    except Exception as error:
        raise read_error(path, f"cannot open {path}", error) from error


@contextmanager
def open_tree(path: str, name: str) -> Iterator[Any]:
    """Open a TTree or RNTuple of a file by name.

    Raises:
        DataError: the file is unusable, or has no such tree; trees with near names are offered.
    """
    with open_file(path) as file:
        classes, tree = retried(lambda: _look_up(file, path, name))
        if tree is None:
            trees = [key for key, kind in classes.items() if kind in _TREES]
            reason = f"{name!r} is a {classes[name]}, not a tree" if name in classes else f"there is no tree {name!r}"
            raise DataError(f"{path}: {reason}{nearest_names(name, trees) or '; it has no tree at all'}")
        yield tree


def _look_up(file: Any, path: str, name: str) -> tuple[dict[str, str], Any]:
    """Return the classes of all objects of a file, and the tree of a name or None."""
    with refuse_damage(path, f"tree {name!r}"):
        classes = file.classnames(cycle=";" in name)  # t;1 names an older cycle
        return classes, file[name] if classes.get(name) in _TREES else None


def is_tree(classname: str) -> bool:
    """Tell whether a class of ROOT objects holds events."""
    return classname in _TREES


def is_rntuple(tree: Any) -> bool:
    """Tell an RNTuple from a TTree."""
    return hasattr(tree, "ntuple")

"""Files grouped into samples by their names, and what the names say of a sample: data, signal or background."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hepneg.errors import DataError
from hepneg.ntuples.files import is_remote, natural_order

__all__ = ["FileGroup", "find_input_files", "group_files", "guessed_kind"]

_INPUT_FILE = re.compile(r"(.+?)((\.pool)?\.root(\.\d+)?|\.parquet|\.parq|\.pq)")
_OWN_FILES = re.compile(r".*\.hepneg\.root|histograms\.root")
_PART = re.compile(r"(.*?)[._-]+(part|job|file|chunk|split)?_?(\d{1,3}|0\d+|\d{5,})")
"""A number at the end counts parts, but not one of four digits: that is a year or a mass."""
_NAMELESS = re.compile(
    r"[0-9a-fA-F-]{8,}|\d+|(nano|mini)?(aod|output|out|tree|ntuple|events?|file|part|job|skim|chunk|nano|root|hist)?[._-]?\d*",
    re.IGNORECASE,
)
"""Stems that name no process: UUIDs, numbers, ``output_3``; the folder does."""

_KINDS = {
    "data": re.compile(
        r"(^|[^a-z])data(\d\d)?([^a-z]|$)|run20\d\d[a-h]|(single|double)(muon|electron|eg)|muoneg|egamma|jetht|physics_main|collision",
        re.IGNORECASE,
    ),
    "signal": re.compile(
        r"(^|[^a-z])(signal|sig)([^a-z]|$)|higgs|gg_?h|vbf|tt_?h([^a-z]|$)|(^|[^a-z])[wz]h([^a-z]|$)|h(ww|zz|gg|bb|tautau)"
        r"|[wz]prime|susy|bsm|graviton|(^|[^a-z])hh([^a-z]|$)|axion|darkphoton|leptoquark",
        re.IGNORECASE,
    ),
    "background": re.compile(r"(^|[^a-z])(background|bkg|back|bg)([^a-z]|$)", re.IGNORECASE),
}


@dataclass(frozen=True, slots=True)
class FileGroup:
    """Files of one sample.

    Attributes:
        name: fit for the name of a sample.
        files: paths or addresses, in natural order.
        pattern: one glob that matches these files and no others; left out where there is none.
    """

    name: str
    files: tuple[str, ...]
    pattern: str | None = None

    @property
    def written(self) -> tuple[str, ...]:
        """The pattern, or the files."""
        return (self.pattern,) if self.pattern is not None else self.files


def find_input_files(paths: Iterable[str | Path]) -> list[str]:
    """Replace folders by the ROOT and Parquet files in them and below, without results of hepneg; each file once.

    Raises:
        DataError: a folder cannot be read, or holds no such file.
    """
    found: dict[str, str] = {}
    for path in map(str, paths):
        inside = _search(Path(path)) if not is_remote(path) and Path(path).is_dir() else [path]
        for file in inside:
            found.setdefault(file if is_remote(file) else os.path.realpath(file), file)
    return list(found.values())


def _search(folder: Path) -> list[str]:
    if not os.access(folder, os.R_OK | os.X_OK):
        raise DataError(f"cannot read the folder {folder}: permission denied")
    found = [str(Path(parent, name)) for parent, _, names in os.walk(folder) for name in names if _is_input(name)]
    if not found:
        raise DataError(f"no ROOT file in the folder {folder} or below; give the folder with *.root or *.parquet files")
    return sorted(found, key=natural_order)


def _is_input(name: str) -> bool:
    """Tell a ROOT or Parquet file that is not hidden and no result of hepneg."""
    return bool(_INPUT_FILE.fullmatch(name)) and not name.startswith(".") and not _OWN_FILES.fullmatch(name)


def group_files(files: Sequence[str]) -> list[FileGroup]:
    """Put the parts of one sample together: ``x_0.root x_1.root`` by their stem, files without a name by their
    folder."""
    groups: dict[tuple[Path, str], list[str]] = {}
    for file in files:
        groups.setdefault(_key(file), []).append(file)
    taken: set[str] = set()
    return [_make_group(folder, stem, members, taken) for (folder, stem), members in groups.items()]


def _key(file: str) -> tuple[Path, str]:
    """Return the folder with a name in which a file lies, and what the parts of its sample have in common."""
    path = Path(file)
    folder, stem = _named_folder(path.parent), _whole_stem(path.name)
    if _NAMELESS.fullmatch(stem) and folder.name:
        return folder, ""
    part = _PART.fullmatch(stem)
    return folder, part[1] if part else stem


def _make_group(folder: Path, stem: str, members: Sequence[str], taken: set[str]) -> FileGroup:
    own = _whole_stem(Path(members[0]).name) if len(members) == 1 and stem else stem
    name = _unique(_sample_name(own or folder.name), _sample_name(folder.name), taken)
    return FileGroup(name, tuple(members), _pattern(folder, members) if len(members) > 1 else None)


def _named_folder(folder: Path) -> Path:
    """Leave out subfolders that only count, such as ``0000``."""
    return folder.parent if re.fullmatch(r"\d+", folder.name) and folder.parent.name else folder


def guessed_kind(group: FileGroup) -> str | None:
    """Return ``data``, ``signal`` or ``background`` where the name of a sample says so, else None."""
    return next((kind for kind, pattern in _KINDS.items() if pattern.search(group.name)), None)


def _whole_stem(name: str) -> str:
    match = _INPUT_FILE.fullmatch(name)
    return match[1] if match else Path(name).stem


def _sample_name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "_", text).strip("-_")[:80] or "sample"


def _unique(name: str, folder: str, taken: set[str]) -> str:
    """Return a name that no other sample has, with that of the folder or a number."""
    options = (name, f"{folder}_{name}", *(f"{name}_{number}" for number in range(2, len(taken) + 3)))
    free = next(option for option in options if option not in taken)
    taken.add(free)
    return free


def _pattern(folder: Path, files: Sequence[str]) -> str | None:
    """Return a glob that matches these files and nothing else, or None."""
    if is_remote(files[0]):
        return None
    names = [Path(file).name for file in files]
    start, end = _common_start(names), _common_start([name[::-1] for name in names])[::-1]
    wanted = {os.path.realpath(file) for file in files}
    root, endings = glob.escape(str(folder)), dict.fromkeys(Path(name).suffix for name in names)
    for pattern in (
        Path(root, f"{glob.escape(start)}*{glob.escape(end)}"),
        *(Path(root, *below, f"*{ending}") for below in ((), ("**",)) for ending in endings),
    ):
        matches = glob.glob(str(pattern), recursive=True)  # noqa: PTH207
        if {os.path.realpath(path) for path in matches} == wanted:
            return str(pattern)
    return None


def _common_start(names: Sequence[str]) -> str:
    first, last = min(names), max(names)
    length = next((place for place, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    return re.sub(r"\d+$", "", first[:length])

"""Lists of files that look as if some were missing: then Σw is too small, and the events are scaled up for it."""

from __future__ import annotations

import json
import re
import warnings
from collections import defaultdict
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path

from hepneg.config import Config
from hepneg.errors import HepnegWarning
from hepneg.ntuples.files import is_glob, is_remote, matching_files, sample_files
from hepneg.ntuples.identity import base_name

__all__ = ["missing_numbers", "warn_about_file_lists"]

_LAST_NUMBER = re.compile(r"(.*\D|)(\d+)(\D*)")
_YEARS = range(1980, 2100)
_MOST_SHOWN = 5


def warn_about_file_lists(config: Config) -> None:
    """Look at the globs of the simulated samples.

    Warns:
        HepnegWarning: a gap in numbered files, or files that the last training of this analysis had and that are not
        there.
    """
    trained = _trained_on(config.output / "model" / "model.json")
    for name, sample in config.samples.items():
        now = {base_name(path) for path in sample_files(config, name)}
        for pattern in (pattern for pattern in sample.files if is_glob(pattern) and not is_remote(pattern)):
            gaps = missing_numbers(matching_files(pattern, config.folder))
            if gaps:
                _warn(
                    f"sample {name!r}: the files {pattern!r} have gaps in their numbers: {_listed(gaps)} is not there"
                )
            lost = [file for file in trained if fnmatch(file, base_name(pattern)) and file not in now]
            if lost:
                _warn(
                    f"sample {name!r}: {pattern!r} matched {len(lost)} more files in the last training of this "
                    f"analysis: {_listed(lost)} is not there"
                )


def missing_numbers(paths: Sequence[str]) -> list[str]:
    """Return the files that are missing between numbered ones, as far as fewer are missing than there are.

    Args:
        paths: of files whose names may differ in their last number.
    """
    groups: dict[tuple[str, str], dict[int, int]] = defaultdict(dict)
    for path in paths:
        parts = _LAST_NUMBER.fullmatch(Path(path).stem)
        if parts is not None:
            groups[f"{Path(path).parent}/{parts[1]}", parts[3] + Path(path).suffix][int(parts[2])] = len(parts[2])
    missing = []
    for (before, after), numbers in groups.items():
        absent = (
            [number for number in range(min(numbers), max(numbers)) if number not in numbers] if _dense(numbers) else []
        )
        width = min(numbers.values()) if len(set(numbers.values())) == 1 else 1
        missing += [
            f"{Path(before).name if not before.endswith('/') else ''}{number:0{width}d}{after}" for number in absent
        ]
    return missing


def _dense(numbers: dict[int, int]) -> bool:
    """Tell numbers of parts from years and other numbers in names: fewer are missing than are there."""
    span = max(numbers) - min(numbers) + 1
    return span - len(numbers) < len(numbers) and not all(number in _YEARS for number in numbers)


def _trained_on(path: Path) -> list[str]:
    """Return the names of the files that the model of an analysis was trained on; none if there is no model."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return [str(file["name"]) for file in data["inputs"]["files"]]
    except (OSError, ValueError, LookupError, TypeError):
        return []


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_MOST_SHOWN]) + (", …" if len(names) > _MOST_SHOWN else "")


def _warn(message: str) -> None:
    warnings.warn(
        f"{message}; without it Σw is smaller, and the events are scaled up for it", HepnegWarning, stacklevel=4
    )

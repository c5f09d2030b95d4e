"""Writing results so that a file under its final name is always whole.

Everything is written to a temporary name in the same folder and renamed when it is complete, so that a full disk, a
crash or Ctrl-C leaves the previous result untouched.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hepneg._core.json_values import json_ready
from hepneg._core.leftovers import remove_leftovers, temporary_path
from hepneg.errors import OutputError

__all__ = ["atomic_path", "json_ready", "json_text", "make_folder", "write_json"]

_SURROGATE = re.compile("[\ud800-\udfff]")


def make_folder(path: Path, setting: str = "") -> Path:
    """Create a folder and its parents.

    Args:
        path: of the folder.
        setting: what names another folder, for messages; left out, they name nothing.

    Raises:
        OutputError: it cannot be created or written to.
    """
    advice = f"choose another with {setting}" if setting else "choose another"
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise OutputError(f"cannot create the output folder {path}: it is a file; {advice}") from None
    except OSError as error:
        raise OutputError(f"cannot create the output folder {path}: {error.strerror}; {advice}") from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise OutputError(f"cannot write into the output folder {path}: permission denied; {advice}")
    return path


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Give a temporary path to write to, renamed to ``path`` on success and removed on any failure.

    What killed processes have left of the same file is removed.

    Args:
        path: the final name; its folder is created. The temporary name keeps the suffix, for writers that look at it.

    Raises:
        OutputError: the operating system refuses to write, for instance because the disk is full.
    """
    final = Path(path)
    make_folder(final.parent)
    remove_leftovers(final)
    temporary = temporary_path(final)
    try:
        yield temporary
        temporary.replace(final)
    except OSError as error:
        raise OutputError(f"cannot write {final}: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def json_text(payload: Mapping[str, Any]) -> str:
    r"""Return readable JSON that is UTF-8, with ``\udc80`` for a byte of a file name that is none."""
    text = json.dumps(json_ready(payload), indent=2, allow_nan=False, ensure_ascii=False)
    return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def write_json(path: str | Path, payload: Mapping[str, Any]) -> Path:
    """Write a result as readable JSON, atomically, and return its path.

    Raises:
        OutputError: the file cannot be written.
    """
    with atomic_path(path) as temporary:
        temporary.write_text(json_text(payload) + "\n", encoding="utf-8")
    return Path(path)

"""Temporary files of processes that were killed: found by the process number in their names, and removed."""

from __future__ import annotations

import glob
import os
import sys
from pathlib import Path

__all__ = ["remove_leftovers", "temporary_path"]

_QUERY = 0x1000  # PROCESS_QUERY_LIMITED_INFORMATION
_DENIED = 5  # ERROR_ACCESS_DENIED


def temporary_path(final: Path) -> Path:
    """Return the name under which this process writes a file; the suffix stays, for writers that look at it."""
    return final.with_name(f".{final.stem}.{os.getpid()}.part{final.suffix}")


def remove_leftovers(final: Path) -> None:
    """Remove the temporary files that killed processes left beside a file; keep those of live processes."""
    suffix = f".part{final.suffix}"
    for leftover in final.parent.glob(f".{glob.escape(final.stem)}.*{glob.escape(suffix)}"):
        number = leftover.name.removesuffix(suffix).rpartition(".")[2]
        if number.isdecimal() and not _is_alive(int(number)):
            leftover.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    if sys.platform == "win32":  # os.kill would end the process there
        return _is_alive_on_windows(process)
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _is_alive_on_windows(process: int) -> bool:
    import ctypes

    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009  # only there
    handle = kernel.OpenProcess(_QUERY, False, process)
    if not handle:
        return bool(kernel.GetLastError() == _DENIED)
    kernel.CloseHandle(handle)
    return True

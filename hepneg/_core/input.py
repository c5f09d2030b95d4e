"""Reading small text files of the user: no device, pipe or huge file is ever waited for."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

__all__ = ["read_small_text", "require_regular"]

_MOST_BYTES = 100_000_000


def require_regular(path: Path, most_bytes: int | None = None) -> None:
    """Refuse devices, pipes and sockets, which may never end, and files that are larger than such a file can be.

    Raises:
        OSError: it is none, too large, or not there; ``strerror`` says which.
    """
    try:
        status = path.stat()
    except ValueError as error:  # a NUL in the path
        raise OSError(errno.EINVAL, str(error)) from None
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is no regular file")
    if most_bytes is not None and status.st_size > most_bytes:
        raise OSError(errno.EFBIG, f"it is larger than {most_bytes // 1_000_000} MB")


def read_small_text(path: Path, most_bytes: int = _MOST_BYTES) -> str:
    """Return the text of a file.

    Raises:
        OSError: as :func:`require_regular`, or it cannot be read.
        UnicodeDecodeError: it is not in UTF-8.
    """
    require_regular(path, most_bytes)
    return path.read_text(encoding="utf-8")

"""The folder in which a long command keeps what it has trained, for one job at a time."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hepneg._core.output import make_folder
from hepneg.errors import OutputError

__all__ = ["checkpoint_folder", "fold_folder"]


@contextmanager
def checkpoint_folder(output: Path, command: str, *, resume: bool) -> Iterator[Path]:
    """Give ``checkpoint/<command>`` of an output folder to one job; it is removed once the job has ended well.

    Two jobs of the same command would write each other's checkpoints and results. Other commands have folders of their
    own.

    Args:
        output: of the analysis.
        command: ``train``, ``compare`` or ``closure``.
        resume: keep what an interrupted job has left there.

    Raises:
        OutputError: another job of this command is at work, or the folder cannot be created.
    """
    folder = make_folder(output, "`output:`") / "checkpoint" / command
    with _taken(folder, command):
        if not resume:
            _clear(folder)
        yield folder
        _clear(folder)


@contextmanager
def fold_folder(output: Path, command: str, fold: int) -> Iterator[Path]:
    """Give the same folder to a job that trains one fold, beside those of other folds; what it leaves there stays.

    Args:
        output: of the analysis.
        command: ``train`` or ``compare``.
        fold: which.

    Raises:
        OutputError: another job trains this fold or all folds, or the folder cannot be created.
    """
    folder = make_folder(output, "`output:`") / "checkpoint" / command
    with _taken(folder, command, shared=True):
        lock = folder / f"fold_{fold}.lock"
        lock.touch()
        handle = _lock(lock, f"{command} --fold {fold}", output)
        try:
            yield folder
        finally:
            _release(handle)


@contextmanager
def _taken(folder: Path, command: str, *, shared: bool = False) -> Iterator[None]:
    """Create a folder and hold it; the system lets go of it when the process ends, in whatever way."""
    make_folder(folder)
    handle = _lock(folder, command, folder.parent.parent, shared=shared)
    try:
        yield
    finally:
        with suppress(OSError):  # folders that hold something stay
            folder.rmdir()
            folder.parent.rmdir()
        _release(handle)


def _lock(path: Path, command: str, output: Path, *, shared: bool = False) -> int | None:
    """Lock a folder or file for this process and return what holds the lock; None where the system has no such locks.

    ``shared`` ones exclude only those that are not.
    """
    if sys.platform == "win32":
        return None
    import fcntl

    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise OutputError(
            f"another `hepneg {command}` is writing into {output}: wait for it, or choose another `output:`"
        ) from None
    except OSError:
        pass  # a file system without locks
    return handle


def _release(handle: int | None) -> None:
    if handle is not None:
        os.close(handle)


def _clear(folder: Path) -> None:
    for entry in folder.iterdir() if folder.is_dir() else ():
        if entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)

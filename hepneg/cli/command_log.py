"""The file of ``--log``: what a command does, from its beginning to its end, one JSON object a line."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hepneg._core.line_progress import JsonLines


class _Handler(logging.Handler):
    """Records what the library logs: what is read, and how long each step takes."""

    def __init__(self, log: JsonLines) -> None:
        super().__init__(logging.INFO)
        self.log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Add a record."""
        self.log.write("step", message=record.getMessage())


@contextmanager
def take_down(path: Path, command: str) -> Iterator[JsonLines]:
    """Record steps, progress and warnings, and in the end whether the command failed.

    Args:
        path: of the file; more is added to what is there.
        command: its arguments.

    Raises:
        OutputError: the file cannot be opened.
    """
    log, logger, show = JsonLines(path), logging.getLogger("hepneg"), warnings.showwarning
    handler, level = _Handler(log), logger.level

    def recorded(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        log.write("warning", message=str(message), kind=category.__name__)
        show(message, category, *place, **more)

    warnings.showwarning = recorded
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    log.write("start", command=command)
    try:
        yield log
        log.write("end", status="done")
    except BaseException as error:
        log.write("end", status="failed", error=type(error).__name__, message=str(error))
        raise
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        warnings.showwarning = show
        log.close()

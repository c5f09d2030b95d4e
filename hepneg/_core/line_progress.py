"""Progress without a terminal: a line on standard error each half minute, and a record of each step in a file."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from hepneg._core.plain_text import visible
from hepneg._core.progress import Progress, Task, Unopened
from hepneg.errors import OutputError

__all__ = ["JsonLines", "LineProgress", "Together"]

PERIOD = 30.0
"""Seconds between two lines: enough to see in the log of a batch job that it lives."""


@dataclass
class _Line:
    """One task, as far as it has come."""

    description: str
    total: float | None
    started: float
    done: float = 0.0
    note: str = ""

    def text(self, now: float) -> str:
        """Say where it stands and what remains."""
        parts = [self.description]
        if self.total:
            share = min(1.0, self.done / self.total)
            parts.append(f"{100 * share:.0f} %")
            if 0 < share < 1:
                parts.append(f"at most {_duration((now - self.started) * (1 - share) / share)} left")
        return ", ".join([*parts, self.note] if self.note else parts)


def _duration(seconds: float) -> str:
    """Return a time as people say it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


class LineProgress(Unopened):
    """Writes where the work stands, of what has moved since the last lines.

    Args:
        write: takes a line.
        clock: gives seconds.
        period: between two writings.
    """

    def __init__(
        self,
        write: Callable[[str], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        period: float = PERIOD,
    ) -> None:
        self._write, self._clock, self._period = write or _to_stderr, clock, period
        self._moved: dict[int, _Line] = {}
        self._last = clock()
        self._lock = threading.Lock()

    def task(self, description: str, total: float | None = None) -> Task:
        """Add a task."""
        return _LineTask(self, _Line(description, total, self._clock()))

    def moved(self, line: _Line) -> None:
        """Note that a task has moved on, and write if it is time to."""
        now = self._clock()
        with self._lock:
            self._moved[id(line)] = line
            if now - self._last < self._period:
                return
            self._last = now
            lines, self._moved = list(self._moved.values()), {}
        for one in lines:
            self._write(one.text(now))


@dataclass(frozen=True)
class _LineTask:
    progress: LineProgress
    line: _Line

    def advance(self, step: float = 1.0, note: str = "") -> None:
        self.line.done += step
        self.line.note = note or self.line.note
        self.progress.moved(self.line)


def _to_stderr(line: str) -> None:
    sys.stderr.write(f"{datetime.now().astimezone():%H:%M:%S} {visible(line)}\n")
    sys.stderr.flush()


class JsonLines(Unopened):
    """A file with one JSON object a line, whole at any time: ``time``, ``event`` and what belongs to it.

    Args:
        path: of the file; what is there is kept, and more is added.

    Raises:
        OutputError: it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file: TextIO = path.open("a", encoding="utf-8")
        except OSError as error:
            raise OutputError(f"cannot write the log {path}: {error.strerror}; choose another file") from None
        self._lock = threading.Lock()

    def write(self, event: str, **content: Any) -> None:
        """Add a record."""
        record = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **content}
        with self._lock:
            self._file.write(json.dumps(record, ensure_ascii=False) + "\n")
            self._file.flush()

    def close(self) -> None:
        """End the file."""
        self._file.close()

    def task(self, description: str, total: float | None = None) -> Task:
        """Add a task, whose steps with a note (an epoch, a file) are records."""
        self.write("begin", task=description)
        return _RecordedTask(self, _Line(description, total, 0.0))


@dataclass(frozen=True)
class _RecordedTask:
    log: JsonLines
    line: _Line

    def advance(self, step: float = 1.0, note: str = "") -> None:
        self.line.done += step
        share = round(self.line.done / self.line.total, 4) if self.line.total else None
        if note or share == 1.0:
            self.log.write("progress", task=self.line.description, share=share, note=note)


@dataclass(frozen=True)
class Together(AbstractContextManager["Progress"]):
    """Several displays of the same work."""

    parts: Sequence[Progress]
    _stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        for part in self.parts:
            self._stack.enter_context(part)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def task(self, description: str, total: float | None = None) -> Task:
        """Add a task to each."""
        return _Tasks(tuple(part.task(description, total) for part in self.parts))


@dataclass(frozen=True)
class _Tasks:
    parts: tuple[Task, ...]

    def advance(self, step: float = 1.0, note: str = "") -> None:
        for part in self.parts:
            part.advance(step, note)

"""Progress bars on a terminal, with rich."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rich import progress as rich_progress
from rich.console import Console

from hepneg._core.line_progress import LineProgress
from hepneg._core.progress import SILENT, Progress, Task

__all__ = ["RichProgress", "terminal_progress"]


@dataclass(frozen=True)
class _RichTask:
    display: rich_progress.Progress
    number: rich_progress.TaskID

    def advance(self, step: float = 1.0, note: str = "") -> None:
        """Move the bar on."""
        self.display.update(self.number, advance=step, note=note)


class RichProgress:
    """Bars on standard error: description, bar, share, remaining time, note. Each ``with`` starts with an empty set."""

    def __init__(self) -> None:
        self._display = _new_display()

    def __enter__(self) -> Self:
        self._display = _new_display()
        self._display.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._display.stop()

    def task(self, description: str, total: float | None = None) -> Task:
        """Add a bar."""
        return _RichTask(self._display, self._display.add_task(description, total=total, note=""))


def _new_display() -> rich_progress.Progress:
    return rich_progress.Progress(
        rich_progress.TextColumn("{task.description}", markup=False),
        rich_progress.BarColumn(),
        rich_progress.TaskProgressColumn(),
        rich_progress.TimeRemainingColumn(),
        rich_progress.TextColumn("{task.fields[note]}", markup=False),
        console=Console(stderr=True),
        transient=True,
    )


def terminal_progress(*, quiet: bool = False, bars: bool = True) -> Progress:
    """Return a display on standard error: bars on a terminal, lines elsewhere or without ``bars``, nothing if quiet."""
    if quiet:
        return SILENT
    return RichProgress() if bars and sys.stderr.isatty() else LineProgress()

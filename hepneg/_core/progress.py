"""Progress of long work: the Protocol that library code speaks to, silent by default."""

from __future__ import annotations

from contextlib import AbstractContextManager
from types import TracebackType
from typing import Protocol, Self

__all__ = ["SILENT", "Progress", "SilentProgress", "Task", "Unopened"]


class Task(Protocol):
    """One bar of a display."""

    def advance(self, step: float = 1.0, note: str = "") -> None:
        """Move on by ``step`` and replace the note behind the bar."""


class Progress(AbstractContextManager["Progress"], Protocol):
    """A display of several bars; a context manager."""

    def task(self, description: str, total: float | None = None) -> Task:
        """Add a bar. ``total`` is in whatever unit ``advance`` counts, or None where it is not known."""


class _SilentTask:
    def advance(self, step: float = 1.0, note: str = "") -> None:
        """Show nothing."""


class Unopened:
    """A display that needs neither opening nor closing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


class SilentProgress(Unopened):
    """Shows nothing."""

    def task(self, description: str, total: float | None = None) -> Task:  # noqa: ARG002
        """Return a bar that shows nothing."""
        return _SilentTask()


SILENT = SilentProgress()

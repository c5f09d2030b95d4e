"""Ctrl-C where a test wants it."""

from __future__ import annotations

from hepneg._core.progress import SilentProgress, Task


class CtrlCAfter(SilentProgress):
    """Ctrl-C after some epochs of any networks."""

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs

    def task(self, description: str, total: float | None = None) -> Task:
        return self

    def advance(self, step: float = 1.0, note: str = "") -> None:
        self.epochs -= bool(note)
        if self.epochs <= 0:
            raise KeyboardInterrupt

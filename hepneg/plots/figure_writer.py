"""Drawing the figures of a step into files: in this process, or by others while the next step runs."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from hepneg._core.timing import timed
from hepneg._core.worker_process import live_with_parent
from hepneg.config import Config
from hepneg.errors import OutputError

__all__ = ["FigureWriter", "NoFigures"]

_STOP: Any = None
"""In a worker: the event that asks it to draw no more."""


class FigureWriter:
    """Draws what :mod:`hepneg.plots.gallery` makes of results; a context manager.

    Args:
        jobs: processes that draw while this one goes on; 0 draws here, at once. They are spawned, so a script that asks
            for them needs ``if __name__ == "__main__":``.
    """

    def __init__(self, jobs: int = 0) -> None:
        self._jobs = jobs
        self._pool: ProcessPoolExecutor | None = None
        self._stop: Any = None
        self._drawn: list[list[Future[list[Path]]]] = []
        self._files: list[Path] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the processes; after an error or Ctrl-C figures that are not begun are not drawn."""
        if self._pool is not None:
            self._stop.set()
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def draw(self, config: Config, kind: str, *results: Any) -> None:
        """Draw figures into the folder ``plots`` of the results.

        Args:
            config: the analysis; its ``plots`` says the formats.
            kind: name of a function of :mod:`hepneg.plots.gallery`.
            *results: its arguments.

        Raises:
            OutputError: a file cannot be written; raised by :meth:`finish` where other processes draw.
        """
        if not self._jobs:
            self._files += _draw(config, kind, results)
            return
        pool = self._pool or self._start()
        parts = [pool.submit(_draw, config, kind, results, part, self._jobs) for part in range(self._jobs)]
        self._drawn.append(parts)

    @timed("waiting for figures")
    def finish(self) -> tuple[Path, ...]:
        """Wait for all figures and return their files.

        Raises:
            OutputError: a file could not be written, or a process was killed.
        """
        try:
            for parts in self._drawn:
                self._files += [path for part in parts for path in part.result()]
        except BrokenProcessPool:
            raise OutputError(
                "a process that draws figures was killed, perhaps for want of memory; the results are written: "
                "`hepneg check` and `hepneg plot` draw the figures"
            ) from None
        self._drawn.clear()
        return tuple(self._files)

    def _start(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        self._stop = context.Event()
        self._pool = ProcessPoolExecutor(self._jobs, context, _begin, (self._stop,))
        return self._pool


class NoFigures(FigureWriter):
    """Draws nothing."""

    def draw(self, config: Config, kind: str, *results: Any) -> None:
        """Leave the figures out."""


def _begin(stop: Any) -> None:
    """Prepare a worker."""
    global _STOP  # noqa: PLW0603 - the one way to hand an event to the jobs of a pool
    _STOP = stop
    live_with_parent()


def _draw(config: Config, kind: str, results: tuple[Any, ...], part: int = 0, parts: int = 1) -> list[Path]:
    """Draw every ``parts``-th figure of a step and return the files."""
    from hepneg.plots import gallery
    from hepneg.plots.experiment_label import figure_style
    from hepneg.plots.save_figure import save

    files: list[Path] = []
    with figure_style(config.plots):
        for number, (stem, draw) in enumerate(getattr(gallery, kind)(*results)):
            if _STOP is not None and _STOP.is_set():
                break
            if number % parts == part:
                files += save(draw().figure, config.output / "plots" / stem, config.plots.formats)
    return files

"""What a command puts on the screen: tables and progress, one JSON document, the seconds of its steps, or nothing."""

from __future__ import annotations

import functools
import logging
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from hepneg._core.line_progress import JsonLines
    from hepneg._core.progress import Progress

__all__ = ["Display", "with_display"]

Command = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Display:
    """What the user wants to see.

    Attributes:
        quiet: no progress and no tables.
        json: the result as one JSON document on standard output, instead of tables.
        verbose: what is read and how long each step takes, on standard error, instead of progress.
        log: takes down progress as well.
    """

    quiet: bool = False
    json: bool = False
    verbose: bool = False
    log: JsonLines | None = None

    @property
    def progress(self) -> Progress:
        """Bars on a terminal, a line each half minute elsewhere, and records in the log."""
        from hepneg._core.line_progress import Together
        from hepneg._core.terminal import terminal_progress

        shown = terminal_progress(quiet=self.quiet, bars=not self.verbose)
        return shown if self.log is None else Together((shown, self.log))

    def warn(self, sentences: Iterable[str]) -> None:
        """Show what a result is to be taken with, on standard error."""
        from hepneg.errors import HepnegWarning

        for sentence in sentences:
            warnings.warn(sentence, HepnegWarning, stacklevel=2)

    def finish(
        self, content: Mapping[str, Any], files: Iterable[Path] | None = None, show: Callable[[], None] | None = None
    ) -> None:
        """Show what a command has done: one JSON document, or tables and the paths of the written files, or nothing.

        Args:
            content: the result as the document holds it.
            files: what was written; the document lists it as well.
            show: prints the tables.
        """
        if self.json:
            from hepneg._core.output import json_text

            paths = {} if files is None else {"files": [str(path) for path in files]}
            click.echo(json_text({**content, **paths}))
        elif not self.quiet:
            from hepneg.cli.show import show_files

            show_files(files or ())
            if show:
                show()


_OPTIONS = (
    click.option("--quiet", is_flag=True, help="No progress and no tables: warnings and errors only."),
    click.option("--verbose", is_flag=True, help="Say on stderr what is read and how long each step takes."),
    click.option(
        "--log",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Add steps, epochs and warnings to this file, one JSON object a line.",
    ),
    click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout, and nothing else there."),
)


def with_display(function: Command) -> Command:
    """Add ``--quiet``, ``--verbose``, ``--log`` and ``--json`` to a command; it receives a :class:`Display`."""

    @functools.wraps(function)
    def command(*arguments: Any, quiet: bool, verbose: bool, log: Path | None, as_json: bool, **options: Any) -> Any:
        if quiet and verbose:
            raise click.UsageError("--quiet and --verbose exclude each other")
        with _logging() if verbose else nullcontext(), _logged(log) as taken:
            return function(*arguments, display=Display(quiet, as_json, verbose, taken), **options)

    for add in _OPTIONS:
        command = add(command)
    return command


class _Once(logging.Filter):
    """Lets what one logger says pass once: several steps of a command read the same events."""

    def __init__(self, logger: str) -> None:
        super().__init__()
        self.logger = logger
        self.shown: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether to show a record."""
        if record.name != self.logger:
            return True
        message = record.getMessage()
        new = message not in self.shown
        self.shown.add(message)
        return new


@contextmanager
def _logging() -> Iterator[None]:
    """Show what the library logs on standard error."""
    logger, handler = logging.getLogger("hepneg"), logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    handler.addFilter(_Once("hepneg.ntuples.table_checks"))
    before = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


@contextmanager
def _logged(path: Path | None) -> Iterator[JsonLines | None]:
    """Open the file of ``--log`` and close it with how the command ended."""
    if path is None:
        yield None
        return
    from hepneg.cli.command_log import take_down

    with take_down(path, " ".join(sys.argv[1:])) as log:
        yield log

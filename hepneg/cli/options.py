"""Arguments that several commands share."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from hepneg.cli.display import Display, with_display

if TYPE_CHECKING:
    from hepneg.config import Config
    from hepneg.plots.figure_writer import FigureWriter

__all__ = [
    "Display",
    "Interruption",
    "complete_schemes",
    "figures_option",
    "format_option",
    "resumable",
    "resume_option",
    "with_config",
    "with_display",
]

Command = Callable[..., Any]


def complete_schemes(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Complete the last of several names of schemes with commas between them."""
    from hepneg.schemes import scheme_names

    before, comma, last = incomplete.rpartition(",")
    taken = before.split(",")
    return [
        CompletionItem(f"{before}{comma}{name}")
        for name in scheme_names()
        if name.startswith(last) and name not in taken
    ]


_CONFIG = (
    click.option(
        "--set",
        "overrides",
        multiple=True,
        metavar="KEY=VALUE",
        help="Override a key of CONFIG: --set training.seed=2",
    ),
    click.argument("config_path", metavar="CONFIG", type=click.Path(path_type=Path)),
)

resume_option = click.option(
    "--resume", is_flag=True, help="Go on from the checkpoint of an interrupted training of the same events."
)


def _figure_writer(_ctx: click.Context, _param: click.Parameter, left_out: bool) -> FigureWriter | None:
    from hepneg.plots.figure_writer import NoFigures

    return NoFigures() if left_out else None


figures_option = click.option(
    "--no-figures", "figures", is_flag=True, callback=_figure_writer, help="Write the results without figures."
)

format_option = click.option(
    "--format", "tree_format", type=click.Choice(["ttree", "rntuple"]), help="Left out, that of the input."
)


def with_config(function: Command) -> Command:
    """Add CONFIG, ``--set`` and what :func:`with_display` adds; the command receives ``config`` and ``display``."""

    @functools.wraps(function)
    def loaded(config_path: Path, overrides: tuple[str, ...], **options: Any) -> Any:
        from hepneg.config import load_config

        return function(load_config(config_path, overrides), **options)

    command = with_display(loaded)
    for add in _CONFIG:
        command = add(command)
    return command


class Interruption(click.ClickException):
    """Ctrl-C, with a word on what is kept."""

    exit_code = 130


@contextmanager
def resumable(config: Config, command: str, again: str = "go on with --resume") -> Iterator[None]:
    """Say on Ctrl-C what the training of a command has kept, and how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        kept = config.output / "checkpoint" / command
        if not kept.is_dir():
            raise Interruption("interrupted before anything was trained") from None
        raise Interruption(f"interrupted; what is trained is kept in {kept}: {again}") from None

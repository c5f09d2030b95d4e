"""Arguments that several commands share."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from hepneg.config import Config

__all__ = ["Interruption", "resumable", "resume_option", "with_config"]

Command = Callable[..., Any]

_SHARED = (
    click.option("--quiet", is_flag=True, help="No progress and no tables: warnings and errors only."),
    click.option(
        "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a key of CONFIG: --set training.seed=2"
    ),
    click.argument("config_path", metavar="CONFIG", type=click.Path(path_type=Path)),
)

resume_option = click.option(
    "--resume", is_flag=True, help="Go on from the checkpoint of an interrupted training of the same events."
)


def with_config(function: Command) -> Command:
    """Add CONFIG, ``--set`` and ``--quiet`` to a command; it receives the loaded configuration and ``quiet``."""

    @functools.wraps(function)
    def command(config_path: Path, overrides: tuple[str, ...], **options: Any) -> Any:
        from hepneg.config import load_config

        return function(load_config(config_path, overrides), **options)

    for add in _SHARED:
        command = add(command)
    return command


class Interruption(click.ClickException):
    """Ctrl-C, with a word on what is kept."""

    exit_code = 130


@contextmanager
def resumable(config: Config) -> Iterator[None]:
    """Say on Ctrl-C what is kept and how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        kept = config.output / "checkpoint"
        raise Interruption(f"interrupted; what is trained is kept in {kept}: go on with --resume") from None

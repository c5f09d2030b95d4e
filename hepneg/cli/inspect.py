"""``hepneg inspect``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hepneg.cli.options import with_config

if TYPE_CHECKING:
    from hepneg.config import Config

__all__ = ["command"]


@click.command("inspect")
@with_config
def command(config: Config, *, quiet: bool) -> None:
    """What the negative weights cost: sums, fractions, outliers, batch risk.

    Writes inspect.json and figures. The files are read in chunks, so they may be of any size.

    Example: hepneg inspect analysis.yaml
    """
    from hepneg import workflow
    from hepneg.cli.tables import show_files, show_weights
    from hepneg.terminal import terminal_progress

    outcome = workflow.inspect(config, progress=terminal_progress(quiet=quiet))
    if not quiet:
        show_weights(outcome.result)
        show_files(outcome.files)

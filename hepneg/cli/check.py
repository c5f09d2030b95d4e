"""``hepneg check``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hepneg.cli.options import Display, with_config

if TYPE_CHECKING:
    from hepneg.config import Config

__all__ = ["command"]


@click.command("check")
@with_config
def command(config: Config, *, display: Display) -> None:
    """Compare the kinematic shapes of positive and negative events; verdict.

    Writes check.json and figures. The files are read in chunks, so they may be of any size.

    Example: hepneg check analysis.yaml
    """
    from hepneg import workflow
    from hepneg.cli.show import show_shapes

    outcome = workflow.check(config, progress=display.progress)
    display.finish(outcome.result.to_dict(), outcome.files, lambda: show_shapes(outcome.result))

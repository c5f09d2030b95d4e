"""``hepneg report``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hepneg.cli.options import Display, with_config

if TYPE_CHECKING:
    from hepneg.config import Config

__all__ = ["command"]


@click.command("report")
@with_config
def command(config: Config, *, display: Display) -> None:
    """Put the results of the other commands onto one HTML page.

    Writes report.html, which holds the figures and needs no network. What was not run is named in it.

    Example: hepneg report analysis.yaml
    """
    from hepneg import workflow
    from hepneg.cli.show import show_missing

    outcome = workflow.report(config)
    display.finish(outcome.result.to_dict(), outcome.files, lambda: show_missing(outcome.result))

"""``hepneg check``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hepneg.cli.options import Display, figures_option, with_config

if TYPE_CHECKING:
    from hepneg.config import Config
    from hepneg.plots.figure_writer import FigureWriter

__all__ = ["command"]


@click.command("check")
@with_config
@figures_option
def command(config: Config, *, display: Display, figures: FigureWriter | None) -> None:
    """Compare the kinematic shapes of positive and negative events; verdict.

    Writes check.json and figures. The files are read in chunks, so they may be of any size.

    Example: hepneg check analysis.yaml
    """
    from hepneg import workflow
    from hepneg.cli.show import show_left_out, show_shapes

    outcome = workflow.check(config, progress=display.progress, figures=figures)

    def show() -> None:
        show_shapes(outcome.result)
        show_left_out(config)

    display.finish(outcome.result.to_dict(), outcome.files, show)

"""``hepneg inspect``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hepneg.cli.options import Display, figures_option, with_config

if TYPE_CHECKING:
    from hepneg.config import Config
    from hepneg.plots.figure_writer import FigureWriter

__all__ = ["command"]


@click.command("inspect")
@with_config
@figures_option
def command(config: Config, *, display: Display, figures: FigureWriter | None) -> None:
    """Weight summary: sums, negative fractions, effective events, outliers, batch risk.

    Writes inspect.json and figures. The files are read in chunks, so they may be of any size.

    Example: hepneg inspect analysis.yaml
    """
    from hepneg import workflow
    from hepneg.cli.show import show_weights

    outcome = workflow.inspect(config, progress=display.progress, figures=figures)
    display.finish(outcome.result.to_dict(), outcome.files, lambda: show_weights(outcome.result, config))

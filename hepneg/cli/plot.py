"""``hepneg plot``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hepneg.cli.options import Display, with_config

if TYPE_CHECKING:
    from hepneg.config import Config

__all__ = ["command"]


@click.command("plot")
@with_config
def command(config: Config, *, display: Display) -> None:
    """Draw the response or prediction of the trained model and its diagnostics, all signed weights applied.

    Needs the model that `hepneg train` wrote. Writes plots/, metrics.json and histograms.root.

    Example: hepneg plot analysis.yaml
    """
    from hepneg import workflow
    from hepneg.cli.show import show_evaluation, show_left_out

    outcome = workflow.plot(config, progress=display.progress)

    def show() -> None:
        show_evaluation(outcome.result.evaluation)
        show_left_out(config)

    display.finish(outcome.result.to_dict(), outcome.files, show)

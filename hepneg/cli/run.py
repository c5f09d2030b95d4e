"""``hepneg run``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hepneg.cli.options import Display, resumable, resume_option, with_config

if TYPE_CHECKING:
    from hepneg.config import Config

__all__ = ["command"]


@click.command("run")
@with_config
@resume_option
def command(config: Config, *, display: Display, resume: bool) -> None:
    """Do the main job: inspect, check, train, plot and report.

    Writes inspect.json, check.json, model/, metrics.json, histograms.root, plots/ and report.html.

    Example: hepneg run analysis.yaml
    """
    from hepneg import workflow
    from hepneg.cli.show import show_run

    with resumable(config, "train"):
        outcome = workflow.run(config, resume=resume, progress=display.progress)
    display.finish(outcome.result.to_dict(), outcome.files, lambda: show_run(outcome.result, config))

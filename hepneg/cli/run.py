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
    from hepneg.cli.show import show_evaluation, show_files, show_health, show_shapes, show_weights

    with resumable(config, "train"):
        outcome = workflow.run(config, resume=resume, progress=display.progress)
    display.document(outcome.result.to_dict(), outcome.files)
    if display.tables:
        show_weights(outcome.result.weights, config)
        show_shapes(outcome.result.shapes)
        show_files(outcome.files)
        show_evaluation(outcome.result.trained.evaluation)
        show_health(outcome.result.trained.model.health)

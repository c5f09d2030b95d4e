"""``hepneg train``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hepneg.cli.options import Display, resumable, resume_option, with_config

if TYPE_CHECKING:
    from hepneg.config import Config

__all__ = ["command"]


@click.command("train")
@with_config
@resume_option
def command(config: Config, *, display: Display, resume: bool) -> None:
    """Train a classifier, or a regression with `task: regression`, under one weight scheme.

    Writes model/, metrics.json and histograms.root.

    Example: hepneg train analysis.yaml --set training.scheme.name=signed
    """
    from hepneg import workflow
    from hepneg.cli.show import show_training
    from hepneg.report.warnings_section import training_warnings

    with resumable(config, "train"):
        outcome = workflow.train(config, resume=resume, progress=display.progress)
    display.warn(training_warnings(outcome.result.evaluation.to_dict()))
    display.finish(outcome.result.to_dict(), outcome.files, lambda: show_training(outcome.result))

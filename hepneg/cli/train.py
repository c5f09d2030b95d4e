"""``hepneg train``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hepneg.cli.options import Display, resumable, with_config
from hepneg.cli.workers import Workers, train_fold_alone, workers_options

if TYPE_CHECKING:
    from hepneg.config import Config

__all__ = ["command"]


@click.command("train")
@with_config
@workers_options
def command(config: Config, *, display: Display, workers: Workers) -> None:
    """Train a classifier, or a regression with `task: regression`, under one weight scheme.

    Writes model/, metrics.json and histograms.root. Folds run on the cores of this machine, on a Dask cluster, or each
    as a job of its own with --fold, whose networks --collect makes the model of; the bytes are the same.

    Example: hepneg train analysis.yaml --set training.scheme.name=signed
    """
    from hepneg import workflow
    from hepneg.cli.show import show_training
    from hepneg.report.warnings_section import training_warnings

    if workers.fold is not None:
        train_fold_alone(config, workers.fold, display)
        return
    with resumable(config, "train"), workers.client() as client:
        outcome = workflow.train(
            config, resume=workers.resume, collect=workers.collect, client=client, progress=display.progress
        )
    display.warn(training_warnings(outcome.result.evaluation.to_dict()))
    display.finish(outcome.result.to_dict(), outcome.files, lambda: show_training(outcome.result))

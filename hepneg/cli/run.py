"""``hepneg run``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hepneg.cli.options import Display, figures_option, resumable, resume_option, with_config

if TYPE_CHECKING:
    from hepneg.config import Config
    from hepneg.plots.figure_writer import FigureWriter

__all__ = ["command"]


_MOST_JOBS = 4
"""Processes that draw figures while the training runs; one core is left to that."""


@click.command("run")
@with_config
@resume_option
@figures_option
def command(config: Config, *, display: Display, resume: bool, figures: FigureWriter | None) -> None:
    """Do the main job: inspect, check, train, plot and report.

    Writes inspect.json, check.json, model/, metrics.json, histograms.root, plots/ and report.html.

    Example: hepneg run analysis.yaml
    """
    from hepneg import workflow
    from hepneg._core.worker_process import cores
    from hepneg.cli.show import show_run
    from hepneg.plots.figure_writer import FigureWriter
    from hepneg.report.warnings_section import training_warnings

    drawing = figures or FigureWriter(min(cores() - 1, _MOST_JOBS))
    with resumable(config, "train"):
        outcome = workflow.run(config, resume=resume, progress=display.progress, figures=drawing)
    display.warn(training_warnings(outcome.result.trained.evaluation.to_dict()))
    display.finish(outcome.result.to_dict(), outcome.files, lambda: show_run(outcome.result, config))

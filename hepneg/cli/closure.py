"""``hepneg closure``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hepneg.cli.options import Display, figures_option, resumable, resume_option, with_config

if TYPE_CHECKING:
    from hepneg.config import Config
    from hepneg.plots.figure_writer import FigureWriter

__all__ = ["command"]


@click.command("closure")
@with_config
@resume_option
@figures_option
def command(config: Config, *, display: Display, resume: bool, figures: FigureWriter | None) -> None:
    """Train classifiers with |w| on each sign alone and on both, and look for mismodelling.

    One is trained on positive events only, one on negative events only, one on all, each with |w|. If each sign is
    modelled well alone and the signed events are not, the combination of the signs is at fault. The response of the
    third is compared between positive and negative events. Writes closure.json and figures.

    Example: hepneg closure analysis.yaml --set training.folds=3
    """
    from hepneg import workflow
    from hepneg.cli.show import show_closure

    with resumable(config, "closure"):
        outcome = workflow.closure(config, resume=resume, progress=display.progress, figures=figures)
    display.finish(outcome.result.to_dict(), outcome.files, lambda: show_closure(outcome.result))

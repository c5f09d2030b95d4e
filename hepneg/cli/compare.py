"""``hepneg compare``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hepneg.cli.options import Display, complete_schemes, figures_option, resumable, with_config
from hepneg.cli.workers import Workers, train_fold_alone, workers_options

if TYPE_CHECKING:
    from hepneg.config import Config
    from hepneg.plots.figure_writer import FigureWriter

__all__ = ["command"]


@click.command("compare")
@with_config
@click.option(
    "--schemes",
    metavar="A,B,…",
    shell_complete=complete_schemes,
    help="Which schemes; left out, absolute, positive, signed, paired, refined and auto.",
)
@workers_options
@figures_option
def command(
    config: Config, *, schemes: str | None, display: Display, workers: Workers, figures: FigureWriter | None
) -> None:
    """Train several schemes on the same folds and compare them on the same signed events.

    Writes compare.json and a figure. Folds run where `hepneg train` has them.

    Example: hepneg compare analysis.yaml --schemes absolute,signed
    """
    from hepneg import workflow
    from hepneg.cli.show import show_comparison
    from hepneg.studies.scheme_comparison import DEFAULT_SCHEMES

    names = [name.strip() for name in schemes.split(",")] if schemes else DEFAULT_SCHEMES
    if workers.fold is not None:
        train_fold_alone(config, workers.fold, display, names)
        return
    with resumable(config, "compare"), workers.client() as client:
        outcome = workflow.compare(
            config,
            names,
            resume=workers.resume,
            collect=workers.collect,
            client=client,
            progress=display.progress,
            figures=figures,
        )
    display.finish(outcome.result.to_dict(), outcome.files, lambda: show_comparison(outcome.result))

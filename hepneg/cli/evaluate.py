"""``hepneg evaluate``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hepneg.cli.options import Display, figures_option, with_config

if TYPE_CHECKING:
    from hepneg.config import Config
    from hepneg.plots.figure_writer import FigureWriter

__all__ = ["command"]


@click.command("evaluate")
@with_config
@figures_option
def command(config: Config, *, display: Display, figures: FigureWriter | None) -> None:
    """Evaluate and draw a score from elsewhere, all signed weights applied.

    CONFIG names it: `response: my_bdt`, a branch or expression in (0, 1), or `response: {logit: my_log_odds}`; of
    several classes `response: {probabilities: {ttbar: p_tt, …}}`.
    Writes metrics.json, histograms.root and plots/.

    Example: hepneg evaluate analysis.yaml --set response=my_bdt
    """
    from hepneg import workflow
    from hepneg.cli.show import show_evaluation

    outcome = workflow.evaluate(config, progress=display.progress, figures=figures)
    display.finish(outcome.result.to_dict(), outcome.files, lambda: show_evaluation(outcome.result.evaluation))

"""``hepneg refine``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hepneg.cli.options import Display, format_option, with_config

if TYPE_CHECKING:
    from hepneg.config import Config
    from hepneg.ntuples.friend_files import TreeFormat

__all__ = ["command"]


@click.command("refine")
@with_config
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder of the friend files.")
@click.option("--resample", is_flag=True, help="Write hepneg_resampled too: fewer events, the same uncertainties.")
@format_option
def command(config: Config, *, output: Path, resample: bool, tree_format: TreeFormat | None, display: Display) -> None:
    """Write friend files with non-negative weights that have the density of the signed ones.

    Each has a tree `hepneg` with the event identifier, hepneg_weight and its error, entry for entry; events that fail
    the selection hold NaN. Any other tool can train on these weights. They close for functions of the features that
    the configuration lists; refine.json says how well. With --resample, hepneg_resampled is 0 for events to be dropped
    and positive for the others, which then have the sums and the statistical uncertainties of the signed events.

    Example: hepneg refine analysis.yaml -o refined
    """
    from hepneg.cli.show import show_refinement
    from hepneg.friends import refine_files

    outcome = refine_files(config, output, resample=resample, tree_format=tree_format, progress=display.progress)
    display.finish(
        outcome.refinement.to_dict(), outcome.files, lambda: show_refinement(outcome.refinement, outcome.resampled)
    )

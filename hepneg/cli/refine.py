"""``hepneg refine``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hepneg.cli.options import with_config

if TYPE_CHECKING:
    from hepneg.config import Config
    from hepneg.ntuples.friends import TreeFormat

__all__ = ["command"]


@click.command("refine")
@with_config
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder of the friend files.")
@click.option("--format", "tree_format", type=click.Choice(["ttree", "rntuple"]), help="Left out, that of the input.")
def command(config: Config, *, output: Path, tree_format: TreeFormat | None, quiet: bool) -> None:
    """Write friend files with non-negative weights that have the density of the signed ones.

    Each has a tree `hepneg` with the event identifier, hepneg_weight and its error, entry for entry; events that fail
    the selection hold NaN. Any other tool can train on these weights. They close for functions of the features that
    the configuration lists; refine.json says how well.

    Example: hepneg refine analysis.yaml -o refined
    """
    from hepneg.cli.tables import show_files, show_refinement
    from hepneg.friends import refine_files
    from hepneg.terminal import terminal_progress

    outcome = refine_files(config, output, tree_format=tree_format, progress=terminal_progress(quiet=quiet))
    if not quiet:
        show_refinement(outcome.refinement)
        show_files(outcome.files)

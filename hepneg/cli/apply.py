"""``hepneg apply``."""

from __future__ import annotations

from pathlib import Path

import click

from hepneg.cli.options import Interruption

__all__ = ["command"]


@click.command("apply")
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("files", nargs=-1, required=True)
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder of the friend files.")
@click.option("--tree", metavar="NAME", help="Name of the tree; left out, that of the model.")
@click.option("--format", "tree_format", type=click.Choice(["ttree", "rntuple"]), help="Left out, that of the input.")
@click.option(
    "--held-out",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Give an event the network that has not seen it: in files that the model was trained on, always, or never.",
)
@click.option("-j", "--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Files at a time.")
@click.option(
    "--engine",
    type=click.Choice(["torch", "onnxruntime"]),
    default="torch",
    show_default=True,
    help="What runs the mean of the networks; onnxruntime needs hepneg[onnx]; faster from millions of entries on.",
)
@click.option("--quiet", is_flag=True, help="No progress and no summary: warnings and errors only.")
def command(model: Path, files: tuple[str, ...], *, output: Path, jobs: int, quiet: bool, **options: str) -> None:
    """Write a friend file with the response, or the prediction, for each of the ROOT FILES.

    Each has a tree `hepneg` with the event identifier, hepneg_response and hepneg_logit, or hepneg_prediction, entry for
    entry. Events that fail the selection hold NaN. After an interruption, the same command goes on: finished files are kept.

    Example: hepneg apply results/toy/model ntuples/*.root -o friends --jobs 4
    """
    from hepneg.cli.tables import show_friends
    from hepneg.friends import apply_model
    from hepneg.terminal import terminal_progress

    progress = terminal_progress(quiet=quiet)
    try:
        friends = apply_model(model, files, output, jobs=jobs, progress=progress, **options)  # type: ignore[arg-type]
    except KeyboardInterrupt:
        raise Interruption("interrupted; finished friend files are kept: the same command goes on") from None
    if not quiet:
        show_friends(friends)

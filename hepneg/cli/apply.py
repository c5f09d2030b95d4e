"""``hepneg apply``."""

from __future__ import annotations

from pathlib import Path

import click

from hepneg.cli.options import Display, Interruption, format_option, with_display

__all__ = ["command"]


@click.command("apply")
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("files", nargs=-1, required=True, type=click.Path())
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder of the friend files.")
@click.option("--tree", metavar="NAME", help="Name of the tree; left out, that of the model.")
@click.option("--selection", metavar="EXPRESSION", help="Condition in the place of the model's; empty for none.")
@format_option
@click.option(
    "--held-out",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Give an event the network that has not seen it: in files that the model was trained on, always (for skims or "
    "merged files of those, with the same event_id), or never.",
)
@click.option("-j", "--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Files at a time.")
@click.option(
    "--engine",
    type=click.Choice(["torch", "onnxruntime"]),
    default="torch",
    show_default=True,
    help="What runs the mean of the networks; onnxruntime needs hepneg[onnx]; it pays from 10⁷ entries on.",
)
@click.option(
    "--in-place", is_flag=True, help="Also write copies of FILES into the folder, their TTree with the new branches."
)
@click.option("--overwrite-input", is_flag=True, help="With --in-place: add the branches to FILES themselves.")
@with_display
def command(
    model: Path,
    files: tuple[str, ...],
    *,
    output: Path,
    jobs: int,
    in_place: bool,
    overwrite_input: bool,
    display: Display,
    **options: str,
) -> None:
    """Write a friend file with the response, or the prediction, for each of the ROOT FILES (paths, globs or addresses).

    Each has a tree `hepneg` with the event identifier, hepneg_response and hepneg_logit, or hepneg_prediction, entry
    for entry. Events that fail the selection hold NaN. With --in-place, the new branches are added to copies of FILES
    as well, if their events are in a TTree: an RNTuple has the friend file alone. After an interruption, the same
    command goes on: finished files are kept.

    Example: hepneg apply results/toy/model ntuples/*.root -o friends --jobs 4
    """
    from hepneg.cli.show import show_friends
    from hepneg.friends import apply_model

    if overwrite_input and not in_place:
        raise click.UsageError("--overwrite-input goes with --in-place")
    where = None if not in_place else "input" if overwrite_input else "copy"
    try:
        friends = apply_model(model, files, output, jobs=jobs, in_place=where, progress=display.progress, **options)  # type: ignore[arg-type]
    except KeyboardInterrupt:
        raise Interruption("interrupted; finished friend files are kept: the same command goes on") from None
    display.finish(friends.to_dict(), show=lambda: show_friends(friends, warn=options["held_out"] == "auto"))

"""``hepneg init``: a starter configuration from ROOT or Parquet files."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["command"]


@click.command("init")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write to this file, which must not exist yet.")
def command(files: tuple[Path, ...], output: Path | None) -> None:
    """Look into ROOT or Parquet FILES, or folders of them, and print a starter analysis.yaml.

    Files that count on (x_0.root, x_1.root) become one sample. It lists the trees, the numeric and jagged branches, the
    weight candidates with their share of negative values and the candidates for the event identifier; every default is
    written out. What it cannot guess is a line that says what to fill in.

    Example: hepneg init ttbar.root wjets.root -o analysis.yaml
    """
    from hepneg._core.output import atomic_path
    from hepneg.config.yaml_text import PLACEHOLDER
    from hepneg.errors import OutputError
    from hepneg.ntuples import starter_config

    folder = output.absolute().parent if output else Path.cwd()
    if output is not None and output.exists():
        raise OutputError(f"{output} exists already; remove it or choose another name")
    text = starter_config(files, folder, output.stem if output else "analysis")
    if output is None:
        click.echo(text, nl=False)
        return
    with atomic_path(output) as temporary:
        temporary.write_text(text, encoding="utf-8")
    todo = f"fill in what begins with {PLACEHOLDER!r}, and " if PLACEHOLDER in text else ""
    click.echo(f"wrote {output}; {todo}check the labels, the weight and the features in it", err=True)

"""``hepneg export``."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["command"]


@click.command("export")
@click.argument("model", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="The file to write, ….onnx.")
@click.option("--quiet", is_flag=True, help="Do not print the path of the file.")
def command(model: Path, *, output: Path, quiet: bool) -> None:
    """Write a model as ONNX: raw features in, response and logit out, or the prediction of a regression.

    The graph is the mean of the networks of all folds; its metadata name the features and describe the folds. Needs the
    packages of hepneg[onnx].

    Example: hepneg export results/toy/model -o toy.onnx
    """
    from hepneg.cli.tables import show_files
    from hepneg.export import export_onnx
    from hepneg.loading import load_model

    written = export_onnx(load_model(model), output)
    if not quiet:
        show_files([written])

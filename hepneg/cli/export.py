"""``hepneg export``."""

from __future__ import annotations

from pathlib import Path

import click

from hepneg.cli.options import Display, with_display

__all__ = ["command"]


@click.command("export")
@click.argument("model", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="The file to write, ….onnx.")
@with_display
def command(model: Path, *, output: Path, display: Display) -> None:
    """Write a model as ONNX: raw features in, response and logit out, or the prediction of a regression.

    The graph is the mean of the networks of all folds; its metadata name the features and describe the folds. Needs the
    packages of hepneg[onnx].

    Example: hepneg export results/toy/model -o toy.onnx
    """
    from hepneg.models.loading import load_model
    from hepneg.models.onnx import export_onnx

    written = export_onnx(load_model(model), output)
    display.finish({"schema_version": 1}, [written])

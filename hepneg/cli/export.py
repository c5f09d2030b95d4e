"""``hepneg export``."""

from __future__ import annotations

from pathlib import Path

import click

from hepneg.cli.options import Display, with_display

__all__ = ["command"]


@click.command("export")
@click.argument("model", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="The file to write, ….onnx.")
@click.option(
    "--opset", type=int, help="Version of the set of operators, 18 or newer. Left out, 18: onnxruntime from 1.14 on."
)
@with_display
def command(model: Path, *, output: Path, opset: int | None, display: Display) -> None:
    """Write a model as ONNX: raw features in, response and logit out, or the prediction of a regression.

    The graph is the mean of the networks of all folds; its metadata name the features and describe the folds. Needs the
    packages of hepneg[onnx].

    Example: hepneg export results/toy/model -o toy.onnx
    """
    from hepneg.models.loading import load_model
    from hepneg.models.onnx import export_onnx

    written = export_onnx(load_model(model), output, opset)
    display.finish({"schema_version": 1}, [written])

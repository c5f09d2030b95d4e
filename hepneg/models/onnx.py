"""A classifier or regressor in ONNX: one file for C++ and frameworks without torch, also run by onnxruntime."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepneg._core.class_names import TWO_CLASSES
from hepneg._core.output import atomic_path, json_ready
from hepneg._core.timing import timed
from hepneg.errors import OutputError
from hepneg.events import EventInputs, Rows
from hepneg.models.classifier import Classifier
from hepneg.models.regressor import Regressor

__all__ = ["export_onnx", "mean_graph", "onnx_output"]

# The fastest of 256 to 16384 for networks of 3 × 64.
_BATCH = 2048
_OUTPUTS = {
    "classification": {
        "response": "1/(1 + exp(-logit)), in (0, 1)",
        "logit": "mean log-odds of the networks of all folds, natural logarithm, equal priors",
    },
    "regression": {
        "prediction": "mean prediction of the networks of all folds, in the target's unit; a column for each target",
        "outputs": "all outputs, (events, T*M): M of each target, the quantiles where the model predicts several",
    },
}
_OF_CLASSES = {
    "response": "probability of each of hepneg.classes at equal priors; they sum to 1",
    "logit": "log-odds of each class against all others together, natural logarithm, equal priors",
    "log_ratios": "mean log-ratios of the other classes' densities to that of the first",
}
_RAW = ("log_ratios", "logit", "outputs")
"""Which output of a graph, the first that it has, is that of :meth:`hepneg.models.model.Model.output`."""
_USE = "for events that the model was not trained on: events of the training need the network of their fold"


@timed("export")
def export_onnx(model: Classifier | Regressor, path: str | Path, opset: int | None = None) -> Path:
    """Write the mean of a model's networks as ONNX, atomically.

    The graph takes ``features``, (events, F) float32, raw: the scaling is inside. For each collection it takes its
    name, as ``jets``, (events, most, m) float32, whatever behind the objects, and ``jets_number``, (events,) int64, how
    many there are. That of a classifier gives
    ``response`` and ``logit``, (events,) float32, and ``output`` on its scale if it has one, or, of K classes other
    than signal and background, ``response`` and ``logit``, (events, K), and ``log_ratios``; that of a regressor
    ``prediction``, (events,), or (events, T) of T targets, and ``outputs``, (events, T·M): the M quantiles of each
    target, or the prediction once more. Operators are those of the standard without extensions. The file's metadata
    describe it, each value in JSON: ``hepneg.features`` (name to expression, in order), ``hepneg.targets`` (alike),
    ``hepneg.classes`` (in order, where they are others than background and signal),
    ``hepneg.collections`` (by name: expressions in order, ``most``),
    ``hepneg.selection``, ``hepneg.event_id``, ``hepneg.folds`` (number, seed, rule), ``hepneg.scheme``,
    ``hepneg.outputs``, ``hepneg.use``, ``hepneg.versions``.

    Args:
        model: the classifier or regressor.
        path: the file; by custom ``….onnx``.
        opset: version of the set of operators, from 18 on; left out, 18, which onnxruntime reads from 1.14 on.

    Returns:
        The path.

    Raises:
        OutputError: the packages of the extra ``hepneg[onnx]`` are missing, they cannot write this opset, or the file
        cannot be
            written.
    """
    graph = _graph(model, opset)
    graph.producer_name, graph.producer_version = "hepneg", version("hepneg")
    for key, value in _metadata(model).items():
        graph.metadata_props.add(key=key, value=value)
    with atomic_path(path) as temporary:
        temporary.write_bytes(graph.SerializeToString())
    return Path(path)


def mean_graph(model: Classifier | Regressor) -> bytes:
    """Return the graph of :func:`export_onnx` without metadata, to be run by :func:`onnx_output`.

    Raises:
        OutputError: the packages of the extra ``hepneg[onnx]`` are missing.
    """
    _require("onnxruntime")
    return bytes(_graph(model).SerializeToString())


def onnx_output(graph: bytes) -> Callable[[Rows], NDArray[np.float64]]:
    """Return a function from raw inputs to a model's output that runs in onnxruntime on one thread.

    It agrees with :meth:`hepneg.models.model.Model.output` to the rounding of float32.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    given = {output.name for output in session.get_outputs()}
    name = next(name for name in _RAW if name in given)

    def output(inputs: Rows) -> NDArray[np.float64]:
        starts = range(0, max(len(inputs), 1), _BATCH)
        pieces = (_fed(inputs, start, start + _BATCH) for start in starts)
        return np.concatenate([session.run([name], piece)[0] for piece in pieces]).astype(np.float64)

    return output


def _fed(inputs: Rows, start: int, stop: int) -> dict[str, NDArray[Any]]:
    """Return neighbouring events as the inputs of a graph."""
    if not isinstance(inputs, EventInputs):
        return {"features": np.ascontiguousarray(inputs[start:stop])}
    piece = inputs.piece(start, stop)
    fed: dict[str, NDArray[Any]] = {"features": np.ascontiguousarray(piece.features)}
    for name, part in piece.collections.items():
        fed |= {name: part.padded(), f"{name}_number": part.counts}
    return fed


def _graph(model: Classifier | Regressor, opset: int | None = None) -> Any:
    _require("onnx", "onnxscript")
    from hepneg.models.onnx_graph import OPSET, MeanClasses, MeanEnsemble, MeanRegression, ensemble_graph
    from hepneg.networks.regression_network import central_quantile

    mean: MeanRegression | MeanEnsemble | MeanClasses
    if isinstance(model, Regressor):
        mean = MeanRegression(model.networks, model.output_of_target, central_quantile(model.quantiles))
    elif model.classes == TWO_CLASSES:
        mean = MeanEnsemble(model.networks, model.scale)
    else:
        mean = MeanClasses(model.networks)
    wanted = OPSET if opset is None else opset
    if not OPSET <= wanted <= _newest_opset():
        raise OutputError(f"opset {wanted} cannot be written: choose one from {OPSET} to {_newest_opset()}")
    return ensemble_graph(mean, model.layout, list(_outputs(model)), wanted)


def _outputs(model: Classifier | Regressor) -> dict[str, str]:
    """Return what each output of the graph is, in their order."""
    if isinstance(model, Classifier) and model.classes != TWO_CLASSES:
        return _OF_CLASSES
    scale = model.scale if isinstance(model, Classifier) else None
    scaled = {"output": f"the response on the scale from {scale[0]:g} to {scale[1]:g}"} if scale else {}
    return {**_OUTPUTS[model.task], **scaled}


def _newest_opset() -> int:
    """Return the newest opset that the installed onnx knows and no longer develops, by its table of releases."""
    from onnx.helper import VERSION_TABLE

    return int(VERSION_TABLE[-1][2])


def _require(*packages: str) -> None:
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        raise OutputError(f"ONNX needs {' and '.join(missing)}: pip install 'hepneg[onnx]'")


def _metadata(model: Classifier | Regressor) -> dict[str, str]:
    described = model.to_dict()
    values = {
        "features": dict(model.inputs.features),
        "targets": dict(model.inputs.targets),
        **({"classes": described["classes"]} if "classes" in described else {}),
        **({"collections": described["inputs"]["collections"]} if model.inputs.collections else {}),
        "selection": model.inputs.selection,
        "event_id": model.inputs.event_id,
        "folds": described["folds"],
        "scheme": described["scheme"],
        "outputs": _outputs(model),
        "use": _USE,
        "versions": described["versions"],
    }
    return {f"hepneg.{key}": json.dumps(json_ready(value), ensure_ascii=False) for key, value in values.items()}

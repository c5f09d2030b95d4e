"""A classifier in ONNX: one file for C++ and for frameworks without torch, and the same graph in onnxruntime."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepneg.classifier import Classifier
from hepneg.errors import OutputError
from hepneg.output import atomic_path, json_ready
from hepneg.timing import timed

__all__ = ["export_onnx", "mean_graph", "onnx_logit"]

# The fastest of 256 to 16384 for networks of 3 × 64.
_BATCH = 2048
_OUTPUTS = {
    "logit": "mean log-odds of the networks of all folds, natural logarithm, equal priors",
    "response": "1/(1 + exp(-logit)), in (0, 1)",
}
_USE = "for events that the classifier was not trained on: events of the training need the network of their fold"


@timed("export")
def export_onnx(classifier: Classifier, path: str | Path) -> Path:
    """Write the mean of a classifier's networks as ONNX, atomically.

    The graph takes ``features``, (events, F) float32, raw: the scaling is inside. It gives ``response`` and ``logit``,
    (events,) float32. Operators are those of opset 18 without extensions. The file's metadata describe it, each value
    in JSON: ``hepneg.features`` (name to expression, in order), ``hepneg.selection``, ``hepneg.event_id``,
    ``hepneg.folds`` (number, seed, rule), ``hepneg.scheme``, ``hepneg.outputs``, ``hepneg.use``, ``hepneg.versions``.

    Args:
        classifier: the classifier.
        path: the file; by custom ``….onnx``.

    Returns:
        The path.

    Raises:
        OutputError: the packages of the extra ``hepneg[onnx]`` are missing, or the file cannot be written.
    """
    model = _graph(classifier)
    model.producer_name, model.producer_version = "hepneg", version("hepneg")
    for key, value in _metadata(classifier).items():
        model.metadata_props.add(key=key, value=value)
    with atomic_path(path) as temporary:
        temporary.write_bytes(model.SerializeToString())
    return Path(path)


def mean_graph(classifier: Classifier) -> bytes:
    """Return the graph of :func:`export_onnx` without metadata, to be run by :func:`onnx_logit`.

    Raises:
        OutputError: the packages of the extra ``hepneg[onnx]`` are missing.
    """
    _require("onnxruntime")
    return bytes(_graph(classifier).SerializeToString())


def onnx_logit(graph: bytes) -> Callable[[NDArray[np.float32]], NDArray[np.float64]]:
    """Return a function from raw features, (n, F), to log-odds, (n,), that runs in onnxruntime on one thread.

    It agrees with :meth:`hepneg.Classifier.logit` to the rounding of float32.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    def logit(features: NDArray[np.float32]) -> NDArray[np.float64]:
        result = np.empty(len(features))
        for start in range(0, len(features), _BATCH):
            piece = np.ascontiguousarray(features[start : start + _BATCH])
            result[start : start + _BATCH] = session.run(["logit"], {"features": piece})[0]
        return result

    return logit


def _graph(classifier: Classifier) -> Any:
    _require("onnx", "onnxscript")
    from hepneg.learning.ensemble import ensemble_graph

    return ensemble_graph(classifier.networks, len(classifier.feature_names))


def _require(*packages: str) -> None:
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        raise OutputError(f"ONNX needs {' and '.join(missing)}: pip install 'hepneg[onnx]'")


def _metadata(classifier: Classifier) -> dict[str, str]:
    described = classifier.to_dict()
    values = {
        "features": dict(classifier.inputs.features),
        "selection": classifier.inputs.selection,
        "event_id": classifier.inputs.event_id,
        "folds": described["folds"],
        "scheme": described["scheme"],
        "outputs": _OUTPUTS,
        "use": _USE,
        "versions": described["versions"],
    }
    return {f"hepneg.{key}": json.dumps(json_ready(value), ensure_ascii=False) for key, value in values.items()}

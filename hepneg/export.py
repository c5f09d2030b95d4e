"""A classifier as one ONNX file, for C++ and for frameworks without torch."""

from __future__ import annotations

import json
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from hepneg.classifier import Classifier
from hepneg.errors import OutputError
from hepneg.output import atomic_path, json_ready

__all__ = ["export_onnx"]

_OUTPUTS = {
    "logit": "mean log-odds of the networks of all folds, natural logarithm, equal priors",
    "response": "1/(1 + exp(-logit)), in (0, 1)",
}
_USE = "for events that the classifier was not trained on: events of the training need the network of their fold"


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
    missing = [name for name in ("onnx", "onnxscript") if find_spec(name) is None]
    if missing:
        raise OutputError(f"writing ONNX needs {' and '.join(missing)}: pip install 'hepneg[onnx]'")
    from hepneg.learning.ensemble import ensemble_graph

    model = ensemble_graph(classifier.networks, len(classifier.feature_names))
    model.producer_name, model.producer_version = "hepneg", version("hepneg")
    for key, value in _metadata(classifier).items():
        model.metadata_props.add(key=key, value=value)
    with atomic_path(path) as temporary:
        temporary.write_bytes(model.SerializeToString())
    return Path(path)


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

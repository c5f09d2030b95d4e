"""The ONNX file: the same numbers as torch, any number of events, plain operators, and what it says of itself."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from friend_models import FEATURES, small_classifier

from hepneg.errors import OutputError
from hepneg.events import EventTable
from hepneg.models.classifier import Classifier, ModelInputs
from hepneg.models.onnx import export_onnx
from hepneg.models.training import train

PLAIN = {
    *("Add", "Concat", "Constant", "Div", "Erf", "Gemm", "MatMul", "Mean", "Mul", "ReduceMean", "ReduceSum"),
    *("Relu", "Reshape", "Shape", "Sigmoid", "Squeeze", "Sub", "Sum", "Tanh", "Transpose", "Unsqueeze"),
}


def session(path: Path) -> Any:
    runtime = pytest.importorskip("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    return runtime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    inputs = ModelInputs(FEATURES, "x0 > -9", ("run", "event"), "Events", "genWeight")
    return replace(small_classifier(), inputs=inputs)


@pytest.fixture(scope="module")
def exported(classifier: Classifier, tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("onnxscript")
    return export_onnx(classifier, tmp_path_factory.mktemp("onnx") / "model.onnx")


@pytest.mark.parametrize("events", [0, 1, 2, 1000])
def test_onnxruntime_gives_the_numbers_of_torch(classifier: Classifier, exported: Path, events: int) -> None:
    rng = np.random.default_rng(1)
    features = np.column_stack([rng.normal(0, 2, events), rng.exponential(3, events), rng.exponential(60, events)])
    features = features.astype(np.float32)
    response, logit = session(exported).run(["response", "logit"], {"features": features})
    assert response.dtype == logit.dtype == np.float32
    np.testing.assert_allclose(response, classifier.response(features), rtol=0, atol=1e-6)
    # float32 carries 24 bits: rounding grows with the size of the log-odds.
    np.testing.assert_allclose(logit, classifier.logit(features), rtol=1e-6, atol=1e-6)


def test_other_activations(tmp_path: Path) -> None:
    """One graph holds networks of all of them, each a fold."""
    pytest.importorskip("onnxscript")
    rng = np.random.default_rng(1)
    label = np.arange(400) % 2
    features = rng.normal(size=(400, 2)).astype(np.float32) + label[:, None]
    events = EventTable.from_arrays(features, np.ones(400), label)
    each = [
        train(events, "signed", folds=2, epochs=1, network={"hidden": [8], "activation": activation})
        for activation in ("relu", "gelu", "tanh")
    ]
    trained = replace(each[0], networks=tuple(one.networks[0] for one in each))
    path = export_onnx(trained, tmp_path / "m.onnx")
    (response,) = session(path).run(["response"], {"features": events.features})
    np.testing.assert_allclose(response, trained.response(events.features), rtol=0, atol=1e-6)
    assert operators(path) <= PLAIN


def test_folds_that_combine_several_outputs(tmp_path: Path) -> None:
    """One graph holds the networks of three schemes, each a fold."""
    pytest.importorskip("onnxscript")
    rng = np.random.default_rng(1)
    label = np.arange(800) % 2
    features = (rng.normal(size=(800, 2)) + label[:, None]).astype(np.float32)
    events = EventTable.from_arrays(features, np.where(rng.random(800) < 0.25, -1.0, 1.0), label)
    schemes = ("mixture", "factorised", "signed_target")
    each = [train(events, scheme, folds=2, epochs=1, network={"hidden": [8]}) for scheme in schemes]
    trained = replace(each[0], networks=tuple(one.networks[0] for one in each))
    path = export_onnx(trained, tmp_path / "m.onnx")
    for events_given in (0, 1, 800):
        (response,) = session(path).run(["response"], {"features": features[:events_given]})
        np.testing.assert_allclose(response, trained.response(features[:events_given]), rtol=0, atol=1e-6)
    assert operators(path) <= PLAIN | {"Clip", "Expand", "Gather", "Log", "Max", "Slice"}


@pytest.mark.parametrize(("opset", "format_version"), [(None, 8), (20, 9)])
def test_the_format_is_the_lowest_that_has_the_operators(
    classifier: Classifier, exported: Path, tmp_path: Path, opset: int | None, format_version: int
) -> None:
    pytest.importorskip("onnxscript")
    onnx = pytest.importorskip("onnx")
    path = export_onnx(classifier, tmp_path / "m.onnx", opset) if opset else exported
    model = onnx.load(path)
    assert model.ir_version == format_version
    assert [part.version for part in model.opset_import] == [opset or 18]
    onnx.checker.check_model(model, full_check=True)
    features = np.ones((3, 3), np.float32)
    (response,) = session(path).run(["response"], {"features": features})
    np.testing.assert_allclose(response, classifier.response(features), rtol=0, atol=1e-6)


@pytest.mark.parametrize("opset", [17, 999])
def test_an_opset_that_cannot_be_written(classifier: Classifier, tmp_path: Path, opset: int) -> None:
    pytest.importorskip("onnxscript")
    with pytest.raises(OutputError, match=f"opset {opset} cannot be written: choose one from 18 to"):
        export_onnx(classifier, tmp_path / "m.onnx", opset)
    assert list(tmp_path.iterdir()) == []


def operators(path: Path) -> set[str]:
    onnx = pytest.importorskip("onnx")
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert [(part.domain, part.version) for part in model.opset_import if not part.domain] == [("", 18)]
    assert {node.domain for node in model.graph.node} <= {""}
    return {node.op_type for node in model.graph.node}


def test_only_plain_operators_and_no_paths_of_this_machine(exported: Path) -> None:
    assert operators(exported) <= PLAIN
    assert b".py" not in exported.read_bytes()


def test_the_file_describes_itself(classifier: Classifier, exported: Path) -> None:
    found = {key: json.loads(value) for key, value in session(exported).get_modelmeta().custom_metadata_map.items()}
    assert found["hepneg.features"] == FEATURES
    assert list(found["hepneg.features"]) == list(FEATURES)
    assert found["hepneg.selection"] == "x0 > -9"
    assert found["hepneg.event_id"] == ["run", "event"]
    assert (found["hepneg.folds"]["number"], found["hepneg.folds"]["seed"]) == (3, 1)
    assert found["hepneg.scheme"]["name"] == "absolute"
    assert {"hepneg", "torch"} <= set(found["hepneg.versions"])


def test_the_classifier_stays_as_it_is_and_the_file_is_the_same_again(
    classifier: Classifier, exported: Path, tmp_path: Path
) -> None:
    before = [network.training for network in classifier.networks]
    assert export_onnx(classifier, tmp_path / "again.onnx").read_bytes() == exported.read_bytes()
    assert [network.training for network in classifier.networks] == before


def test_without_the_extra_one_line_says_what_to_install(
    classifier: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hepneg.models.onnx.find_spec", lambda name: None if name == "onnxscript" else object())
    with pytest.raises(OutputError, match=r"^ONNX needs onnxscript: pip install 'hepneg\[onnx\]'$"):
        export_onnx(classifier, tmp_path / "m.onnx")
    assert list(tmp_path.iterdir()) == []

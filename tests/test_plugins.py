"""What other packages may add, through the same doors as our own: a scheme that fits its own way, and a network."""

from __future__ import annotations

import inspect
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
import uproot
from plugins import Neighbours, Residual
from torch import nn

import hepneg
from hepneg._core.plugins import NETWORKS, SCHEMES
from hepneg.errors import ConfigError, DataError, TrainingError
from hepneg.events import EventTable
from hepneg.models.model import ModelInputs
from hepneg.networks import Network, Standardise, as_network, register
from hepneg.schemes import register as register_scheme

FAST = {"folds": 2, "epochs": 6, "batch_size": 64}
SIGN_SCHEMES = ("refined", "combined", "mixture", "signed_target")


def toy(n: int = 3000, seed: int = 1) -> EventTable:
    """Signal and background that differ in mean, with a share of negative events that depends on x."""
    rng = np.random.default_rng(seed)
    label = np.arange(n) % 2
    features = rng.normal(size=(n, 3)) + 1.5 * label[:, None]
    negative = rng.random(n) < 0.1 + 0.3 * (features[:, 0] > 0.7)
    return EventTable.from_arrays(
        features, np.where(negative, -1.0, 1.0), label, feature_names=["a", "b", "c"], event_id=np.arange(n)
    )


def write(events: EventTable, path: Path) -> Path:
    with uproot.recreate(path) as file:
        tree = file.mktree("Events", {**dict.fromkeys("abc", np.float32), "w": np.float64, "event": np.uint64})
        columns = {name: events.feature(name) for name in "abc"}
        tree.extend(
            {**columns, "w": events.weight, "event": events.event_id.reshape(len(events), -1)[:, 0].astype(np.uint64)}
        )
    return path


def test_both_are_as_short_as_they_should_be() -> None:
    """The scheme in at most 40 lines, the network in at most 25."""
    module = inspect.getsource(sys.modules["plugins"])
    scheme = module[module.index("class Neighbours") : module.index("@dataclass(frozen=True)\nclass Residual")]
    network = module[module.index("class Residual") :]
    assert len(scheme.strip().splitlines()) <= 40
    assert len([line for line in network.strip().splitlines() if line]) <= 25


def assert_same_model(one: hepneg.Classifier, other: hepneg.Classifier, events: EventTable) -> None:
    """The same in all that a file of the model holds, and the same numbers: what is true of one is of the other."""
    assert one.to_dict() == other.to_dict()
    np.testing.assert_array_equal(one.held_out_logit(events), other.held_out_logit(events))


def test_a_scheme_with_signs_of_its_own_trains_compares_saves_loads_applies_and_exports(tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    register_scheme(Neighbours)
    events = toy()
    classifier = hepneg.train(events, {"name": "neighbours", "count": 80}, **FAST)
    assert_same_model(hepneg.train(events, Neighbours(count=80), **FAST), classifier, events)
    assert (classifier.scheme, classifier.scheme_parameters) == ("neighbours", {"count": 80})
    assert set(classifier.health["samples"]) == {"signal", "background"}  # its own ĝ was judged on held-out events
    check_everything_that_a_model_does(classifier, events, tmp_path)
    comparison = hepneg.compare(events, ["absolute", "neighbours"], **FAST)
    assert set(comparison.schemes) == {"absolute", "neighbours"}


def check_everything_that_a_model_does(classifier: hepneg.Classifier, events: EventTable, folder: Path) -> None:
    """Save, load, apply to a file, export: the same numbers everywhere."""
    import onnxruntime

    loaded = hepneg.load_model(classifier.save(folder / "model"))
    held_out = classifier.held_out_logit(events)
    np.testing.assert_array_equal(loaded.held_out_logit(events), held_out)
    area = hepneg.metrics.auc(held_out, events.label, events.weight)
    assert area.value > 0.5 + 5 * area.error
    path = write(events, folder / "events.root")
    inputs = ModelInputs({name: name for name in "abc"}, event_id=("event",), tree="Events")
    replace(classifier, inputs=inputs).save(folder / "model")
    hepneg.apply_model(folder / "model", [str(path)], folder / "friends")
    with uproot.open(folder / "friends" / "events.hepneg.root") as file:
        applied = file["hepneg"]["hepneg_logit"].array(library="np")
    expected = classifier.logit(events.features)
    np.testing.assert_allclose(applied, expected, atol=1e-5)
    hepneg.export_onnx(classifier, folder / "model.onnx")
    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    logit = session.run(["logit"], {"features": events.features[:500]})[0]
    np.testing.assert_allclose(np.ravel(logit), expected[:500], atol=1e-5)


@pytest.mark.parametrize("scheme", ["absolute", "signed", "auto", *SIGN_SCHEMES])
def test_a_network_of_ones_own_goes_with_every_scheme(scheme: str) -> None:
    events = toy(2000)
    first, again = (hepneg.train(events, scheme, network=Residual(8), **FAST) for _ in range(2))
    np.testing.assert_array_equal(first.held_out_logit(events), again.held_out_logit(events))
    area = hepneg.metrics.auc(first.held_out_logit(events), events.label, events.weight)
    assert area.value > 0.5 + 5 * area.error


def test_a_network_of_ones_own_trains_saves_loads_applies_and_exports(tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    register(Residual)
    events = toy()
    classifier = hepneg.train(events, "refined", network="residual", **FAST)
    mapping = {"name": "residual", "width": 16}
    for door in (Residual(16), mapping):
        assert_same_model(hepneg.train(events, "refined", network=door, **FAST), classifier, events)
    assert classifier.training["network"] == {"name": "residual", "width": 16, "output": None}
    check_everything_that_a_model_does(classifier, events, tmp_path)


def test_a_regression_and_a_resumed_training_take_it_too(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(1500, 2))
    events = EventTable.from_arrays(x, np.where(rng.random(1500) < 0.2, -1.0, 1.0), target=x[:, 0] + 0.1 * x[:, 1])
    settings = {**FAST, "network": Residual(), "objective": {"name": "quantile"}}
    whole = hepneg.train_regressor(events, "signed", **settings)
    kept = hepneg.train_regressor(events, "signed", checkpoint=tmp_path, **settings)
    resumed = hepneg.train_regressor(events, "signed", checkpoint=tmp_path, **settings)
    for model in (kept, resumed):
        np.testing.assert_array_equal(model.held_out_prediction(events), whole.held_out_prediction(events))
    assert np.corrcoef(whole.held_out_prediction(events), x[:, 0])[0, 1] > 0.8


def test_a_configuration_takes_registered_names_only(tmp_path: Path) -> None:
    path = write(toy(400), tmp_path / "events.root")
    text = f"""
name: own
weight: w
event_id: event
samples:
  s: {{label: signal, files: {path.name}}}
  b: {{label: background, files: {path.name}}}
features: [a, b]
training: {{network: {{name: residual, width: 4}}}}
"""
    (tmp_path / "analysis.yaml").write_text(text)
    with pytest.raises(ConfigError, match="training.network: unknown network 'residual'"):
        hepneg.load_config(tmp_path / "analysis.yaml")
    register(Residual)
    assert hepneg.load_config(tmp_path / "analysis.yaml").training.network.make() == Residual(4)


def test_a_model_whose_network_is_not_there_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    classifier = hepneg.train(toy(600), "absolute", network=Residual(4), **FAST)
    folder = classifier.save(tmp_path / "model")
    packages = {"plugins": "other-networks"}  # as if the module came from an installed package
    monkeypatch.setattr("hepneg.networks.network._package_of", packages.get)
    other = classifier.save(tmp_path / "other")
    NETWORKS.registered.clear()
    with pytest.raises(DataError, match=r"network 'residual' is not known here: register its class"):
        hepneg.load_model(folder)
    with pytest.raises(DataError, match="network 'residual' is not known here: install the package 'other-networks'"):
        hepneg.load_model(other)


class _Wrong(nn.Module):
    def __init__(self, outputs: int, value: float) -> None:
        super().__init__()
        self.linear = nn.Linear(3, outputs)
        self.value = value

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return self.linear(features) * self.value


@dataclass(frozen=True)
class Broken:
    """Wrong in a way of one's choice."""

    name: ClassVar[str] = "broken"
    how: str = "shape"

    def build(self, inputs: int, outputs: int) -> Any:
        if self.how == "raises":
            raise ValueError("no such layer")
        if self.how == "no module":
            return 3
        if self.how == "inputs":
            return nn.Linear(inputs + 1, outputs)
        return _Wrong(outputs + (self.how == "shape"), float("nan") if self.how == "nan" else 1.0)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("shape", r"network 'broken' gives \(256, 2\) for inputs \(256, 3\), not \(256, 1\)"),
        ("nan", "network 'broken' gives NaN or infinite outputs before any training"),
        ("inputs", r"network 'broken' fails on inputs of shape \(256, 3\): "),
        ("raises", "network 'broken' cannot be built: no such layer"),
        ("no module", "network 'broken' builds int, not a torch.nn.Module"),
    ],
)
def test_a_network_that_does_not_fit_gives_one_line(how: str, message: str) -> None:
    with pytest.raises(TrainingError, match=message) as caught:
        hepneg.train(toy(1000), "absolute", network=Broken(how), **FAST)
    assert "\n" not in str(caught.value)


@dataclass(frozen=True)
class Taken(Residual):
    """A name that is ours."""

    name: ClassVar[str] = "mlp"


@dataclass(frozen=True)
class NotPlain(Residual):
    """A parameter that no file can hold."""

    name: ClassVar[str] = "not_plain"
    activation: Any = nn.ReLU


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (Taken(), "the name 'mlp' is that of a network of hepneg"),
        (NotPlain(), "its parameters must be plain values"),
        (3, "a network is a name, a mapping"),
        (Residual, "a network is a name, a mapping"),
        ("perceptron", "unknown network 'perceptron'"),
        ({"name": "mlp", "hidden": "64"}, "hidden must be a list of widths"),
        ({"name": "mlp", "hidden": [0]}, "each width of hidden must be a whole number from 1 to 65536, not 0"),
        ({"hiden": [4]}, "no parameter 'hiden'; did you mean 'hidden'"),
        ({"activation": "swish"}, "activation must be one of silu, relu"),
    ],
)
def test_what_is_no_network_is_refused(network: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        as_network(network)
    with pytest.raises(ConfigError):
        hepneg.train(toy(200), "absolute", network=network, **FAST)


def test_our_own_keep_the_protocol_and_the_users_generator_is_left_alone() -> None:
    assert isinstance(as_network("mlp"), Network)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    hepneg.train(toy(400), "absolute", network=Residual(4), **FAST)
    assert torch.equal(torch.rand(3), expected)


def test_standardise_takes_mean_and_spread_and_leaves_constants() -> None:
    features = np.array([[1.0, 5.0], [3.0, 5.0]], dtype=np.float32)
    scaling = Standardise(2)
    scaling.fit(features)
    assert torch.equal(scaling(torch.from_numpy(features)), torch.tensor([[-1.0, 0.0], [1.0, 0.0]]))


def test_names_are_checked_without_torch() -> None:
    code = "import sys, hepneg.config as c; c.Training.of(network={'hidden': [4]}); print('torch' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"


def test_our_schemes_are_all_there() -> None:
    assert tuple(SCHEMES.own)[:4] == ("absolute", "positive", "signed", "paired")

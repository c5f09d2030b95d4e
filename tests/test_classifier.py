"""The trained classifier: held-out rules, files that are whole or refused."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from hepneg._core.hashing import assign_folds
from hepneg._core.log_odds import sigmoid
from hepneg.errors import DataError
from hepneg.events import EventTable
from hepneg.models.classifier import Classifier, ModelInputs
from hepneg.models.training import train
from hepneg.networks.inference import network_logits


def toy(n: int = 900) -> EventTable:
    rng = np.random.default_rng(0)
    label = np.arange(n) % 2
    weight = np.where(rng.random(n) < 0.2, -1.0, 1.0)
    return EventTable.from_arrays(rng.normal(size=(n, 2)) + label[:, None], weight, label, feature_names=["a", "b"])


@pytest.fixture(scope="module")
def events() -> EventTable:
    return toy()


@pytest.fixture(scope="module")
def classifier(events: EventTable) -> Classifier:
    inputs = ModelInputs({"a": "Jet_pt[:, 0]", "b": "b"}, "b > -9", ("run", "event"), "Events", "genWeight")
    return train(events, "signed", inputs=inputs, folds=3, epochs=3, network={"hidden": [8]})


def test_foreign_events_get_the_mean_log_odds(classifier: Classifier, events: EventTable) -> None:
    mean = np.mean([network_logits(network, events.features) for network in classifier.networks], axis=0)
    assert np.allclose(classifier.logit(events.features), mean, rtol=1e-12, atol=1e-12)
    assert np.allclose(classifier.response(events.features), 1 / (1 + np.exp(-mean)), rtol=1e-12)


def test_an_event_is_judged_by_the_network_that_has_not_seen_it(classifier: Classifier, events: EventTable) -> None:
    fold = assign_folds(events.event_id, 3, 1)
    held_out, seen = classifier.held_out_logit(events), classifier.trained_logit(events)
    for number, network in enumerate(classifier.networks):
        own = network_logits(network, events.features)
        assert np.allclose(held_out[fold == number], own[fold == number], rtol=1e-6, atol=1e-6)
        assert not np.allclose(seen[fold == number], own[fold == number], rtol=1e-6, atol=1e-6)
    assert np.array_equal(classifier.held_out_response(events), sigmoid(held_out))


def test_a_saved_model_is_the_same_model(classifier: Classifier, events: EventTable, tmp_path: Path) -> None:
    folder = classifier.save(tmp_path / "model")
    assert sorted(path.name for path in folder.iterdir()) == ["model.json", "weights.safetensors"]
    loaded = Classifier.load(folder)
    assert np.array_equal(loaded.held_out_logit(events), classifier.held_out_logit(events))
    assert loaded.inputs == classifier.inputs
    assert loaded.histories == tuple(replace(history, seconds=0.0) for history in classifier.histories)
    written = json.loads((folder / "model.json").read_text())
    assert written.pop("weights_sha256")
    assert written.pop("digest")
    assert json.loads(json.dumps(loaded.to_dict())) == written
    assert written["inputs"]["features"] == {"a": "Jet_pt[:, 0]", "b": "b"}
    assert written["scheme"] == {"name": "signed", "logit_bound": 10.0, "clip_norm": 1.0}


def test_saving_again_replaces_the_model(classifier: Classifier, events: EventTable, tmp_path: Path) -> None:
    train(events, "absolute", folds=2, epochs=1).save(tmp_path)
    classifier.save(tmp_path)
    assert Classifier.load(tmp_path).folds == 3


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "model.json").unlink(), "no model at .*: it has no model.json"),
        (lambda folder: (folder / "weights.safetensors").unlink(), "no weights.safetensors in the model folder"),
        (
            lambda folder: (folder / "model.json").write_text("{"),
            "model.json is damaged: .*train or copy the model again",
        ),
        (lambda folder: (folder / "model.json").write_text("[]"), "is not a hepneg model: it has no schema_version"),
        (lambda folder: (folder / "model.json").write_text('{"schema_version": 99}'), "has schema version 99"),
        (lambda folder: (folder / "weights.safetensors").write_bytes(b"x" * 100), "does not belong to model.json"),
    ],
)
def test_damaged_models_are_refused(classifier: Classifier, tmp_path: Path, damage: object, message: str) -> None:
    classifier.save(tmp_path)
    damage(tmp_path)  # type: ignore[operator]
    with pytest.raises(DataError, match=message):
        Classifier.load(tmp_path)


@pytest.mark.parametrize("key", ["networks", "inputs", "folds", "scheme", "feature_names", "digest", "histories"])
def test_a_model_with_a_key_missing_is_refused(classifier: Classifier, tmp_path: Path, key: str) -> None:
    change(classifier.save(tmp_path), lambda data: data.pop(key))
    with pytest.raises(DataError, match=f"is not a hepneg model: .*{key}"):
        Classifier.load(tmp_path)


def change(folder: Path, edit: Callable[[dict[str, Any]], Any], *, hide: bool = False) -> None:
    """Edit ``model.json``, and hide that by the digest that belongs to it."""
    path = folder / "model.json"
    data = json.loads(path.read_text())
    edit(data)
    if hide:
        numbers = json.loads(json.dumps({k: v for k, v in data.items() if k != "digest"}), parse_int=float)
        data["digest"] = hashlib.sha256(json.dumps(numbers, sort_keys=True).encode()).hexdigest()
    path.write_text(json.dumps(data))


def set_in(*keys: Any) -> Callable[[dict[str, Any]], None]:
    """Return an edit: all but the last argument lead to what the last one replaces."""

    def edit(data: dict[str, Any]) -> None:
        *path, last, value = keys
        for key in path:
            data = data[key]
        data[last] = value

    return edit


EDITS = {
    "another width": set_in("networks", 1, "network", "network", "hidden", [4]),
    "a width beyond all memory": set_in("networks", 1, "network", "network", "hidden", [65536, 65536]),
    "text for a number": set_in("networks", 0, "network", "inputs", "2"),
    "another number of inputs": set_in("networks", 0, "network", "inputs", 3),
    "another activation": set_in("networks", 0, "network", "network", "activation", "sine"),
    "another kind": set_in("networks", 0, "kind", "tree"),
    "a negative bound": set_in("networks", 0, "network", "logit_bound", -3.0),
    "a reversed range": set_in("networks", 0, "network", "output", {"activation": "sigmoid", "low": 0.9, "high": 0.1}),
    "another network": set_in("networks", 0, "network", "network", "name", "transformer"),
    "another number of knots": set_in("networks", 0, "knots", 9),
    "a number of knots without end": set_in("networks", 0, "knots", 10**9),
    "no description": set_in("networks", 0, 3),
    "a fold less": lambda data: data["networks"].pop(),
    "a feature less": lambda data: data["inputs"]["features"].pop("a"),
    "a feature twice": set_in("feature_names", ["a", "a"]),
    "a seed of text": set_in("folds", "seed", "1"),
    "no folds": set_in("folds", "number", 0),
    "a scheme without name": set_in("scheme", {}),
    "samples in a list": set_in("samples", [1]),
    "a history of numbers": set_in("histories", [1, 2, 3]),
    "a feature that is no text": set_in("inputs", "features", "a", 3),
    "another task": set_in("task", "clustering"),
    "a choice of numbers": set_in("choice", {"scheme": 3}),
}


@pytest.mark.parametrize("hide", [False, True], ids=["as it is", "with its digest"])
@pytest.mark.parametrize("what", EDITS)
def test_a_model_that_was_changed_is_refused_in_one_line(
    classifier: Classifier, tmp_path: Path, what: str, hide: bool
) -> None:
    change(classifier.save(tmp_path), EDITS[what], hide=hide)
    with pytest.raises(DataError) as caught:
        Classifier.load(tmp_path)
    assert "\n" not in str(caught.value)


def test_keys_in_another_order_and_numbers_in_other_digits_are_the_same_model(
    classifier: Classifier, events: EventTable, tmp_path: Path
) -> None:
    path = classifier.save(tmp_path) / "model.json"
    data = json.loads(path.read_text(), parse_float=float)
    data["inputs"]["features"] = dict(reversed(data["inputs"]["features"].items()))
    path.write_text(json.dumps(dict(reversed(data.items())), sort_keys=True).replace("10.0", "1e1"))
    loaded = Classifier.load(tmp_path)
    assert loaded.feature_names == classifier.feature_names
    np.testing.assert_array_equal(loaded.held_out_logit(events), classifier.held_out_logit(events))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [(lambda t: t.fill_(float("nan")), "NaN or infinite numbers"), (lambda t: t.double(), "float64, not float32")],
)
def test_weights_that_are_no_numbers_are_refused(
    classifier: Classifier, tmp_path: Path, spoil: Callable[[torch.Tensor], torch.Tensor], message: str
) -> None:
    weights = classifier.save(tmp_path) / "weights.safetensors"
    tensors = load_file(weights)
    name = next(iter(tensors))
    save_file({**tensors, name: spoil(tensors[name].clone())}, weights)
    checksum = hashlib.sha256(weights.read_bytes()).hexdigest()
    change(tmp_path, set_in("weights_sha256", checksum), hide=True)
    with pytest.raises(DataError, match=message):
        Classifier.load(tmp_path)


@pytest.mark.parametrize("renames", [1, 2])
def test_a_kill_while_a_model_is_replaced_leaves_one_that_can_be_read(
    classifier: Classifier, events: EventTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, renames: int
) -> None:
    folder, done = classifier.save(tmp_path / "model"), []
    replace_file = Path.replace

    def killed(self: Path, target: Path) -> Path:
        done.append(target)
        if len(done) == renames:
            raise KeyboardInterrupt
        return replace_file(self, target)

    other = train(events, "absolute", folds=2, epochs=1)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            other.save(folder)
    assert Classifier.load(folder).folds == 3  # the former model, whole
    other.save(folder)
    assert Classifier.load(folder).folds == 2
    assert sorted(path.name for path in folder.iterdir()) == ["model.json", "weights.safetensors"]


@pytest.mark.parametrize("name", ["model.json", "weights.safetensors"])
def test_a_fifo_is_no_model(classifier: Classifier, tmp_path: Path, name: str) -> None:
    path = classifier.save(tmp_path) / name
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(DataError):
        Classifier.load(tmp_path)


def test_wrong_features_are_refused(classifier: Classifier, events: EventTable) -> None:
    with pytest.raises(DataError, match=r"shape \(3, 5\), but the classifier takes \(n, 2\): a, b"):
        classifier.logit(np.zeros((3, 5)))
    with pytest.raises(DataError, match="1 events have NaN or infinite features, the first is 2"):
        classifier.logit([[0, 0], [1, 1], [np.nan, 0]])
    other = EventTable.from_arrays(events.features, events.weight, events.label, feature_names=["a", "c"])
    with pytest.raises(DataError, match="the events have the features a, c, but the classifier takes a, b"):
        classifier.held_out_logit(other)


def test_large_log_odds_do_not_overflow() -> None:
    assert np.array_equal(sigmoid(np.array([-1e4, 0.0, 1e4])), [0.0, 0.5, 1.0])

"""The trained classifier: held-out rules, files that are whole or refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

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
    assert loaded.histories == classifier.histories
    written = json.loads((folder / "model.json").read_text())
    assert written.pop("weights_sha256")
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


@pytest.mark.parametrize("key", ["architectures", "inputs", "folds", "scheme"])
def test_a_model_with_a_key_missing_is_refused(classifier: Classifier, tmp_path: Path, key: str) -> None:
    classifier.save(tmp_path)
    data = json.loads((tmp_path / "model.json").read_text())
    del data[key]
    (tmp_path / "model.json").write_text(json.dumps(data))
    with pytest.raises(DataError, match="is not a hepneg model"):
        Classifier.load(tmp_path)


def test_an_architecture_that_does_not_fit_is_refused(classifier: Classifier, tmp_path: Path) -> None:
    classifier.save(tmp_path)
    data = json.loads((tmp_path / "model.json").read_text())
    data["architectures"][1]["hidden"] = [4]
    (tmp_path / "model.json").write_text(json.dumps(data))
    with pytest.raises(DataError, match="does not fit the architecture of fold 1"):
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

"""Networks that take objects: what they must not depend on, and that they go with everything else."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import awkward as ak
import numpy as np
import pytest
import torch
import uproot
from ctrl_c import CtrlCAfter
from jet_toys import NETWORKS, Sums, jet_analysis, jet_collection, jet_columns, jet_table
from torch import nn

import hepneg
from hepneg.errors import ConfigError, DataError, TrainingError
from hepneg.events import CollectionLayout, InputLayout
from hepneg.models.onnx import export_onnx, onnx_output
from hepneg.networks import as_network
from hepneg.networks.make_body import make_body
from hepneg.networks.objects import Objects
from hepneg.networks.pair_features import Kinematics, pair_features

Write = Callable[..., Path]
SETTINGS: dict[str, Any] = {"folds": 2, "epochs": 2, "batch_size": 128}


def random_body(network: Any, table: hepneg.EventTable) -> nn.Module:
    """The layers of a network with outputs that depend on everything."""
    body = make_body(as_network(network), table.layout, 2)
    body.initialise(torch.Generator().manual_seed(1), table.inputs)
    with torch.no_grad():
        for parameter in body.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(2)))
    return body.eval()


def outputs(body: nn.Module, table: hepneg.EventTable) -> np.ndarray:
    from hepneg.networks.inference import network_logits

    return network_logits(body, table.inputs)


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network["name"])
def test_outputs_depend_on_the_objects_but_not_on_their_order_or_padding(network: Any) -> None:
    table = jet_table(60)
    body, jets = random_body(network, table), table.collections["jets"]
    expected = outputs(body, table)
    event = np.repeat(np.arange(len(table)), jets.counts)
    turned = np.lexsort((-np.arange(len(event)), event))
    backwards = replace(jets, contents=jets.contents[turned].copy())
    np.testing.assert_allclose(outputs(body, replace(table, collections={"jets": backwards})), expected, atol=2e-6)
    moved = jets.contents.copy()
    moved[jets.offsets[5] :, 0] += 30
    changed = outputs(body, replace(table, collections={"jets": replace(jets, contents=moved)}))
    there = (np.arange(len(table)) >= 5) & (jets.counts > 0)
    assert (np.abs(changed - expected).max(axis=1) > 1e-5)[there].all()
    np.testing.assert_allclose(changed[~there], expected[~there], atol=2e-6)
    alone = np.concatenate([outputs(body, table.select(np.array([row]))) for row in range(8)])
    np.testing.assert_allclose(alone, expected[:8], atol=2e-6)


def test_events_with_few_objects_are_taken_together_without_a_difference() -> None:
    table = jet_table(150)
    body = random_body(NETWORKS[1], table)
    parts = [np.arange(first, first + 100) for first in (0, 100, 200)]  # too few to be divided
    apart = np.concatenate([outputs(body, table.select(rows)) for rows in parts])
    np.testing.assert_allclose(outputs(body, table), apart, atol=2e-6)


def test_pairs_are_what_their_four_vectors_say() -> None:
    rng = np.random.default_rng(1)
    pt, eta, phi, mass = 20 + rng.exponential(50, 6), rng.normal(0, 2, 6), rng.uniform(-3.1, 3.1, 6), 5 + rng.random(6)
    found = pair_features(torch.tensor(np.stack([pt, eta, phi, mass], axis=-1)[None]))[0].numpy()
    vector = np.stack([pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)], axis=-1)
    energy = np.sqrt((vector**2).sum(-1) + mass**2)
    rapidity = np.arctanh(vector[:, 2] / energy)
    for i, j in ((0, 1), (2, 5), (3, 4)):
        dphi = np.angle(np.exp(1j * (phi[i] - phi[j])))
        distance, low = np.hypot(rapidity[i] - rapidity[j], dphi), min(pt[i], pt[j])
        square = (energy[i] + energy[j]) ** 2 - ((vector[i] + vector[j]) ** 2).sum()
        expected = [distance, low * distance / np.e**3, low / (pt[i] + pt[j]) * np.e, np.sqrt(square) / np.e**4]
        np.testing.assert_allclose(found[i, j], np.log(expected), rtol=1e-6)
    assert np.isfinite(pair_features(torch.zeros(1, 3, 3, 4)).numpy()).all()


def test_momenta_are_found_by_their_names() -> None:
    assert Kinematics(["Jet_btag", "Jet_phi", "Jet_eta", "Jet_pt"]).places == [3, 2, 1, None]
    assert Kinematics(["pt", "eta", "phi", "m"]).places == [0, 1, 2, 3]
    assert not Kinematics(["pt", "eta"]).known


@pytest.mark.parametrize("network", [*NETWORKS, Sums()], ids=lambda one: getattr(one, "name", None) or one["name"])
def test_they_train_save_load_and_export(tmp_path: Path, network: Any) -> None:
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    events = jet_table(300)
    classifier = hepneg.train(events, "absolute", network=network, **SETTINGS)
    classifier = replace(classifier, networks=classifier.networks[:1])  # one graph is enough, and soon made
    again = hepneg.Classifier.load(classifier.save(tmp_path / "model"))
    expected = classifier.logit(events)
    np.testing.assert_array_equal(again.logit(events), expected)
    path = export_onnx(classifier, tmp_path / "m.onnx")
    graph = onnx_output(path.read_bytes())
    np.testing.assert_allclose(graph(events.inputs), expected, atol=2e-6)
    np.testing.assert_allclose(graph(events.select(np.arange(1)).inputs), expected[:1], atol=2e-6)
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    jets = events.collections["jets"]
    padded, number = jets.padded(), jets.counts
    padded[np.arange(3) >= number[:, None]] = np.nan  # what stands behind the objects does not matter
    (logit,) = session.run(["logit"], {"features": events.features, "jets": padded, "jets_number": number})
    np.testing.assert_allclose(logit, expected, atol=2e-6)
    meta = session.get_modelmeta().custom_metadata_map
    assert json.loads(meta["hepneg.collections"])["jets"]["features"][0] == ["pt", "pt"]


@pytest.mark.parametrize("network", [NETWORKS[1], Sums()], ids=["particle_transformer", "sums"])
def test_an_interrupted_training_resumes_bit_for_bit(tmp_path: Path, network: Any) -> None:
    events, settings = jet_table(200), {**SETTINGS, "network": network, "scheme": "refined"}
    whole = hepneg.train(events, **settings)
    with pytest.raises(KeyboardInterrupt):
        hepneg.train(events, progress=CtrlCAfter(2), checkpoint=tmp_path, **settings)
    assert any(tmp_path.iterdir())
    resumed = hepneg.train(events, checkpoint=tmp_path, **settings)
    np.testing.assert_array_equal(resumed.logit(events), whole.logit(events))
    other = jet_table(200, collections={"jets": events.collections["jets"].select(np.arange(400)[::-1])})
    fresh = hepneg.train(other, **settings)
    np.testing.assert_array_equal(hepneg.train(other, checkpoint=tmp_path, **settings).logit(other), fresh.logit(other))


@pytest.mark.parametrize("scheme", ["auto", "signed", "paired", "mixture", "signed_target"])
def test_every_scheme_takes_them(tmp_path: Path, scheme: str) -> None:
    events = jet_table()
    classifier = hepneg.train(events, scheme, network=NETWORKS[0], **SETTINGS)
    assert np.isfinite(classifier.held_out_logit(events)).all()
    again = hepneg.load_model(classifier.save(tmp_path / "model"))
    np.testing.assert_array_equal(again.logit(events), classifier.logit(events))


def with_targets(events: hepneg.EventTable) -> hepneg.EventTable:
    """The events with two targets: a straight line in the first feature, and the number of jets."""
    line = 3.0 * events.features[:, 0].astype(np.float64) - 1.0
    counts = events.collections["jets"].counts.astype(np.float64)
    return replace(events, target=np.column_stack([line, counts]), target_names=("line", "number"))


def test_regressions_begin_at_the_line_of_the_features_and_go_on_with_objects(tmp_path: Path) -> None:
    events = with_targets(jet_table())
    settings = {**SETTINGS, "epochs": 1, "learning_rate": 1e-9}
    begun = hepneg.train_regressor(events, "absolute", network=NETWORKS[0], **settings)
    np.testing.assert_allclose(begun.held_out_prediction(events)[:, 0], events.targets()[:, 0], atol=1e-4)
    assert np.all(begun.networks[0].line.slope.numpy()[1] == 0)  # the charge is a category: no size
    regressor = hepneg.train_regressor(events, network=NETWORKS[1], **SETTINGS)
    predicted = regressor.prediction(events)
    assert predicted.shape == (800, 2)
    again = hepneg.load_model(regressor.save(tmp_path / "model"))
    np.testing.assert_array_equal(again.prediction(events), predicted)
    assert list(again.inputs.targets) == ["line", "number"]


def test_a_graph_of_two_targets_takes_objects(tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    events = with_targets(jet_table(100))
    regressor = hepneg.train_regressor(events, "absolute", network=NETWORKS[0], **SETTINGS)
    session = runtime.InferenceSession(export_onnx(regressor, tmp_path / "m.onnx").read_bytes())
    jets = events.collections["jets"]
    given = {"features": events.features.copy(order="C"), "jets": jets.padded(), "jets_number": jets.counts}
    (prediction,) = session.run(["prediction"], given)
    np.testing.assert_allclose(prediction, regressor.prediction(events), rtol=1e-4, atol=1e-4)


def test_objectives_and_refined_weights_take_them() -> None:
    events = jet_table()
    hepneg.train(events, "refined", objective="balanced_cross_entropy", network=NETWORKS[0], **SETTINGS)
    refined = hepneg.refine(events, network=NETWORKS[0], **SETTINGS)
    assert (refined.held_out_weight(events) >= 0).all()
    assert (refined.weight(events, events.weight, events.label) >= 0).all()
    with pytest.raises(DataError, match="the refinement takes jets collections"):
        refined.held_out_weight(replace(events, collections={}))


def test_files_are_scored_entry_for_entry(tmp_path: Path, write_ntuple: Write) -> None:
    from hepneg import columnar, workflow

    config = hepneg.load_config(jet_analysis(tmp_path, write_ntuple))
    model = workflow.train(config).result.model
    events = hepneg.read(config)
    friends = hepneg.apply_model(config.output / "model", [tmp_path / "sig.root"], tmp_path / "friends")
    with uproot.open(friends.files[0].path) as file:
        logit = file["hepneg"]["hepneg_logit"].array(library="np")
    np.testing.assert_allclose(logit, model.held_out_logit(events)[:400], atol=2e-6)
    columns = jet_columns(400, 1.0, 0)
    records = ak.zip(dict(columns), depth_limit=1)
    np.testing.assert_allclose(columnar.logit(model, records, held_out="always"), logit, atol=2e-6)
    tags = ak.unflatten(np.full(ak.sum(ak.num(columns["jet_tag"])), 7, np.int32), ak.num(columns["jet_tag"]))
    write_ntuple(tmp_path / "odd.root", {**columns, "jet_tag": tags, "charge": np.zeros(400, np.int32)})
    with pytest.warns(hepneg.HepnegWarning, match="none of the model's categories") as said:
        odd = hepneg.apply_model(config.output / "model", [tmp_path / "odd.root"], tmp_path / "friends")
    kept = int(ak.sum(ak.num(tags[:, :3])))
    assert odd.files[0].unknown == {"charge": 400, "jets.tag": kept}
    assert len(said) == 1


def test_all_steps_run_on_files_with_collections(tmp_path: Path, write_ntuple: Write) -> None:
    from hepneg import workflow

    config = hepneg.load_config(jet_analysis(tmp_path, write_ntuple, plots={"feature_pages": "none"}))
    workflow.run(config)
    for name in ("inspect.json", "check.json", "metrics.json", "report.html"):
        assert (config.output / name).is_file()
    assert set(json.loads((config.output / "check.json").read_text())["samples"]["sig"]["features"]) == {"x0", "charge"}
    changed = hepneg.load_config(tmp_path / "analysis.yaml", ["collections.jets.most=2"])
    with pytest.raises(DataError, match="the `collections:` are others than in the training"):
        workflow.plot(changed)


@dataclass(frozen=True)
class Odd:
    """A network that gives what it is told to."""

    name: ClassVar[str] = "odd"
    gives: str = "shape"

    def build(self, inputs: int, outputs: int, collections: Any) -> nn.Module:
        """Return a new module."""
        return _Odd(self.gives, outputs)


class _Odd(nn.Module):
    def __init__(self, gives: str, outputs: int) -> None:
        super().__init__()
        self.gives, self.outputs, self.one = gives, outputs, nn.Parameter(torch.ones(()))

    def forward(self, features: torch.Tensor, objects: dict[str, Objects]) -> Any:
        match self.gives:
            case "shape":
                return self.one * objects["jets"].values[..., 0]
            case "nan":
                return self.one * torch.full((len(features), self.outputs), torch.nan)
            case "key":
                return objects["muons"]
            case _:
                return self.one * objects["jets"].values @ torch.ones(7, 7)


@pytest.mark.parametrize(
    ("gives", "message"),
    [
        ("shape", r"network 'odd' gives \(256, 3\) for inputs \(256, 4\) and jets, not \(256, 2\)"),
        ("nan", "NaN or infinite outputs before any training"),
        ("key", "network 'odd' fails on inputs of shape .* and jets: 'muons'"),
        ("product", "network 'odd' fails on inputs of shape"),
    ],
)
def test_a_network_that_does_not_fit_is_refused_in_one_line(gives: str, message: str) -> None:
    with pytest.raises(TrainingError, match=message) as refused:
        random_body(Odd(gives), jet_table(200))
    assert "\n" not in str(refused.value)


def test_networks_and_tables_that_do_not_go_together_are_refused() -> None:
    events = jet_table(300)
    for network, table in (("mlp", events), ("deep_sets", jet_table(300, collections={}))):
        with pytest.raises(ConfigError, match="collections") as refused:
            hepneg.train(table, "absolute", network=network, **SETTINGS)
        assert "\n" not in str(refused.value)
    empty = replace(events.collections["jets"], contents=np.zeros((0, 4), np.float32), offsets=np.zeros(601, np.int64))
    with pytest.raises(DataError, match="empty in all 600 events"):
        hepneg.train(replace(events, collections={"jets": empty}), "absolute", network="deep_sets", **SETTINGS)
    classifier = hepneg.train(events, "absolute", network=NETWORKS[0], **SETTINGS)
    for wrong in (events.features, replace(events, collections={})):
        with pytest.raises(DataError, match="collections"):
            classifier.logit(wrong)
    with pytest.raises(DataError, match="`most`"):
        parts = [jet_collection(jet_columns(300, shift, seed), 2) for seed, shift in enumerate((1.0, 0.0))]
        classifier.logit(replace(events, collections={"jets": hepneg.Collection.concatenate(parts)}))
    assert np.isfinite(classifier.logit(replace(events, collections={"jets": empty}))).all()


def test_flat_networks_take_categories_and_know_what_is_unknown() -> None:
    rng = np.random.default_rng(1)
    label, value = np.arange(1000) % 2, rng.integers(0, 3, 1000)
    features = np.column_stack([rng.normal(size=1000), np.where(label, value, value**2 % 3)])
    weight = np.where(rng.random(1000) < 0.2, -1.0, 1.0)
    events = hepneg.EventTable.from_arrays(features, weight, label, categories={"x1": [0, 1, 2]})
    for network in ("mlp", "tabular"):
        classifier = hepneg.train(events, "refined", network={"name": network, "hidden": [8]}, **SETTINGS)
        assert classifier.networks[0].state_dict()
        one, other = features[:5].copy(), features[:5].copy()
        one[:, 1], other[:, 1] = 7, -40
        np.testing.assert_array_equal(classifier.logit(one), classifier.logit(other))
    assert events.unknown_categories() == {}


@pytest.mark.parametrize(
    "change",
    [
        {"most": 10**9},
        {"most": 0},
        {"features": []},
        {"features": [["pt", "pt"]] * 2},
        {"categories": {"none": [1]}},
        {"categories": {"tag": list(range(500))}},
    ],
)
def test_a_model_file_with_odd_collections_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    from hepneg.models.model_file import _digest

    classifier = hepneg.train(jet_table(300), "absolute", network=NETWORKS[0], **{**SETTINGS, "epochs": 1})
    path = classifier.save(tmp_path / "m") / "model.json"
    data = json.loads(path.read_text())
    data["inputs"]["collections"]["jets"] |= change
    path.write_text(json.dumps({**data, "digest": _digest(data)}))
    with pytest.raises(DataError, match="is not a hepneg model") as refused:
        hepneg.load_model(tmp_path / "m")
    assert "\n" not in str(refused.value)


def test_layouts_beyond_what_is_written_are_refused() -> None:
    layout = InputLayout(2, {}, {"jets": CollectionLayout(("pt",), 3)})
    assert InputLayout.from_json(layout.to_json()) == layout
    for part in ({"most": 10**7}, {"features": []}, {"features": [1]}, {"categories": [[5, [1]]]}):
        data = layout.to_json()
        data["collections"]["jets"] |= part
        with pytest.raises(ValueError, match="collection|most|categories"):
            InputLayout.from_json(data)

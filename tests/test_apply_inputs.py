"""`apply` to what analyses have: folds by expression, other selections and trees, files without identifiers,
Parquet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot
from conftest import toy_columns, toy_config
from friend_models import FEATURES, expected_logit, feature_matrix, save_model, small_classifier

from hepneg import workflow
from hepneg.config import Config
from hepneg.errors import ConfigError, DataError, HepnegWarning, OutputError
from hepneg.events import EventTable
from hepneg.friends import apply_model, refine_files
from hepneg.models.classifier import Classifier
from hepneg.models.training import train
from hepneg.ntuples import read

Write = Callable[..., Path]


def friend(path: Path) -> dict[str, np.ndarray]:
    with uproot.open({str(path): "hepneg"}) as tree:
        return {name: tree[name].array(library="np") for name in tree.keys()}  # noqa: SIM118  (a tree is no dictionary)


def close(found: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return small_classifier()


def test_a_selection_in_the_place_of_the_models(tmp_path: Path, write_ntuple: Write, classifier: Classifier) -> None:
    columns = toy_columns(200, 0.5, 9)
    path = write_ntuple(tmp_path / "a.root", columns)
    model = save_model(classifier, tmp_path / "model")
    matrix = classifier.logit(feature_matrix(columns))
    for selection, kept in (("x0 > 0", columns["x0"] > 0), ("", np.ones(200, bool))):
        apply_model(model, [path], tmp_path / "out", selection=selection)
        close(friend(tmp_path / "out" / "a.hepneg.root")["hepneg_logit"], np.where(kept, matrix, np.nan))
    with pytest.raises(ConfigError, match="'x0 >'"):
        apply_model(model, [path], tmp_path / "out", selection="x0 >")


def test_a_file_without_the_identifier_where_it_plays_no_part(
    tmp_path: Path, write_ntuple: Write, classifier: Classifier
) -> None:
    columns = toy_columns(100, 0.5, 9)
    ids = columns.pop("event")
    path = write_ntuple(tmp_path / "data.root", columns)
    model = save_model(classifier, tmp_path / "model")
    apply_model(model, [path], tmp_path)
    found = friend(tmp_path / "data.hepneg.root")
    np.testing.assert_array_equal(found["hepneg_entry"], np.arange(100))
    close(found["hepneg_logit"], expected_logit(classifier, columns, held_out=False, ids=ids))
    with pytest.raises(DataError, match="no branch 'event', which event_id needs"):
        apply_model(model, [path], tmp_path / "always", held_out="always")


def test_the_friend_of_another_tree_is_not_overwritten(
    tmp_path: Path, write_ntuple: Write, classifier: Classifier
) -> None:
    columns = toy_columns(50, 0.5, 9)
    path = write_ntuple(tmp_path / "a.root", columns)
    with uproot.update(path) as file:
        file.mktree("Up", {n: c.type.content if isinstance(c, ak.Array) else c.dtype for n, c in columns.items()})
        file["Up"].extend(columns | {"x0": columns["x0"] + 1})
    model = save_model(classifier, tmp_path / "model")
    apply_model(model, [path], tmp_path)
    before = (tmp_path / "a.hepneg.root").read_bytes()
    with pytest.raises(OutputError, match="is the friend of the tree 'Events'; choose another output folder"):
        apply_model(model, [path], tmp_path, tree="Up")
    assert (tmp_path / "a.hepneg.root").read_bytes() == before
    apply_model(model, [path], tmp_path / "up", tree="Up")
    shifted = columns | {"x0": columns["x0"] + 1}
    expected = expected_logit(classifier, shifted, held_out=False, ids=columns["event"])
    close(friend(tmp_path / "up" / "a.hepneg.root")["hepneg_logit"], expected)


def test_parquet_files_get_friends_and_are_known_again(tmp_path: Path, classifier: Classifier) -> None:
    columns = toy_columns(150, 0.5, 9)
    path = tmp_path / "a.parquet"
    ak.to_parquet(ak.zip(columns, depth_limit=1), path, row_group_size=40)
    for files, held_out in (([], False), ([path], True)):
        model = save_model(classifier, tmp_path / "model", files=files)
        result = apply_model(model, [path], tmp_path)
        assert result.files[0].held_out == held_out
        expected = expected_logit(classifier, columns, held_out=held_out, ids=columns["event"])
        close(friend(tmp_path / "a.hepneg.root")["hepneg_logit"], expected)


def test_events_go_to_the_networks_that_have_not_seen_their_fold(tmp_path: Path, write_ntuple: Write) -> None:
    half = small_classifier(folds=2)
    model = save_model(half, tmp_path / "model", folds={"by": "event % 2", "count": 2})
    assert Classifier.load(model).inputs.folds == {"by": "event % 2", "count": 2}
    columns = toy_columns(100, 0.5, 9)
    path = write_ntuple(tmp_path / "foreign.root", columns)
    assert apply_model(model, [path], tmp_path).files[0].held_out
    matrix = feature_matrix(columns)
    table = EventTable.from_arrays(
        matrix,
        columns["genWeight"],
        np.ones(100),
        feature_names=list(FEATURES),
        fold=(columns["event"] % 2).astype(int),
    )
    own = Classifier.load(model).held_out_logit(table)
    one = [_one(half, number).logit(matrix) for number in (0, 1)]
    close(own, np.where(columns["event"] % 2 == 0, one[0], one[1]))
    kept = np.asarray(ak.num(columns["jet_pt"], axis=1)) >= 1
    close(friend(tmp_path / "foreign.hepneg.root")["hepneg_logit"], np.where(kept, own, np.nan))
    plain = EventTable.from_arrays(matrix, columns["genWeight"], np.ones(100), feature_names=list(FEATURES))
    with pytest.raises(DataError, match="trained in folds by 'event % 2', which the events do not have"):
        Classifier.load(model).held_out_logit(plain)


@pytest.mark.usefixtures("undrawn")
def test_odd_and_even_halves_from_the_configuration_to_the_friend(toy_analysis: Path) -> None:
    data = toy_config() | {"folds": {"by": "event % 2", "count": 2}}
    data["training"] = {"scheme": "absolute", "epochs": 1, "network": {"hidden": [8]}}
    config = Config.from_dict(data, toy_analysis.parent)
    model = workflow.train(config).result.model
    assert model.folds == 2
    events = read(config)
    expected = model.held_out_logit(events)
    even, odd = (np.float64(_one(model, number).logit(events.features)) for number in (0, 1))
    close(expected, np.where(events.event_id % 2 == 0, even, odd))
    apply_model(config.output / "model", [toy_analysis.parent / "sig.root"], toy_analysis.parent)
    close(friend(toy_analysis.parent / "sig.hepneg.root")["hepneg_logit"], expected[events.label == 1])
    workflow.plot(config)
    with pytest.raises(
        DataError, match="folds were by 'event % 2' in the training, and are by a hash of the identifier now"
    ):
        workflow.plot(
            Config.from_dict({**data, "folds": None, "training": {**data["training"], "folds": 2}}, toy_analysis.parent)
        )


def _one(model: Any, number: int) -> Classifier:
    return replace(model, networks=(model.networks[number],) * 2)


def test_a_shuffled_table_has_the_held_out_responses_of_the_training() -> None:
    rng = np.random.default_rng(3)
    features, label = rng.normal(size=(300, 20)).astype(np.float32), rng.integers(0, 2, 300)
    table = EventTable.from_arrays(features, np.ones(300), label)
    network = {"hidden": [64, 64]}
    model = train(table, "absolute", folds=2, epochs=20, patience=40, batch_size=64, network=network)
    order = rng.permutation(300)[:200]
    part = EventTable.from_arrays(features[order], 0.5 * np.ones(200), label[order])
    np.testing.assert_allclose(model.held_out_logit(part), model.held_out_logit(table)[order], rtol=1e-5, atol=1e-5)


def test_our_own_friends_are_friends_of_samples(toy_analysis: Path) -> None:
    folder = toy_analysis.parent
    config = Config.from_dict(toy_config(), folder)
    refine_files(config, folder / "refined")
    samples = {
        name: {**sample, "friends": "refined/{stem}.hepneg.root", "weight": "hepneg_weight"}
        for name, sample in toy_config()["samples"].items()
    }
    with pytest.warns(HepnegWarning, match="has no negative weights"):
        events = read(
            Config.from_dict(toy_config() | {"samples": samples, "selection": "isfinite(hepneg_weight)"}, folder)
        )
    expected = [friend(folder / "refined" / f"{name}.hepneg.root")["hepneg_weight"] for name in ("sig", "bkg")]
    np.testing.assert_array_equal(events.weight, np.concatenate(expected))


def test_files_that_cannot_be_read_stop_neither_training_nor_refining(toy_analysis: Path) -> None:
    folder, data = toy_analysis.parent, toy_config()
    (folder / "sig_broken.root").write_bytes(b"")
    data["samples"]["sig"]["files"] = "sig*.root"
    data["training"] |= {"scheme": "absolute", "epochs": 1}
    config = Config.from_dict(data, folder)
    with pytest.warns(HepnegWarning, match=r"sig_broken\.root is not a ROOT file"):
        model = workflow.train(config).result.model
    assert [file.name for file in model.inputs.files] == ["sig.root", "bkg.root"]
    with pytest.warns(HepnegWarning, match=r"sig_broken\.root is not a ROOT file"):
        written = refine_files(config, folder / "refined").files
    assert [path.name for path in written] == ["refine.json", "sig.hepneg.root", "bkg.hepneg.root"]


def test_refine_takes_samples_that_share_a_file(toy_analysis: Path) -> None:
    folder, data = toy_analysis.parent, toy_config()
    data["samples"] = {
        "sig": data["samples"]["sig"],
        "low": {"label": "background", "files": "bkg.root", "selection": "x0 < 0", "scale": 2},
        "high": {"label": "background", "files": "bkg.root", "selection": "x0 >= 0"},
    }
    refine_files(Config.from_dict(data, folder), folder / "refined")
    x0 = toy_columns(3000, 0.0, 2)["x0"]
    for name, kept in (("low", x0 < 0), ("high", x0 >= 0)):
        weight = friend(folder / "refined" / name / "bkg.hepneg.root")["hepneg_weight"]
        np.testing.assert_array_equal(np.isfinite(weight), kept)

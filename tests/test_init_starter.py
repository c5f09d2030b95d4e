"""Looking into files, and the starter configuration that comes of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import uproot
import yaml
from conftest import toy_columns

from hepneg.config import Training, load_config
from hepneg.errors import DataError
from hepneg.ntuples import read
from hepneg.ntuples.explore import explore
from hepneg.ntuples.starter import starter_config

KINDS = ("ttree", "rntuple")


@pytest.mark.parametrize("kind", KINDS)
def test_explore_tells_branches_weights_and_identifiers(
    tmp_path: Path, write_ntuple: Callable[..., Path], kind: str
) -> None:
    columns = toy_columns(400, 0, 1) | {"luminosityBlock": np.zeros(400, np.int32), "odd": np.full(400, 0.5)}
    columns["odd"][:100] *= -1
    path = write_ntuple(tmp_path / "a.root", columns, kind)
    (tree,) = explore([path])
    assert (tree.file, tree.name, tree.entries) == (str(path), "Events", 400)
    assert tree.jagged == ("jet_pt",)
    assert {"event", "genWeight", "x0", "odd"} <= set(tree.numeric)
    assert [weight.name for weight in tree.weights] == ["genWeight", "odd"]
    assert tree.weights[0].negative_fraction == np.mean(columns["genWeight"] < 0)
    assert tree.weights[1].negative_fraction == 0.25
    assert tree.event_ids[:2] == ("event", "luminosityBlock")
    assert tree.to_dict()["weights"][0]["name"] == "genWeight"


@pytest.mark.parametrize("kind", KINDS)
def test_a_starter_file_loads_and_reads(tmp_path: Path, write_ntuple: Callable[..., Path], kind: str) -> None:
    files = [
        write_ntuple(tmp_path / f"{name}.root", toy_columns(60, 0, seed, first_id=100 * seed), kind)
        for seed, name in enumerate(("my sig", "bkg"))
    ]
    text = starter_config(files)
    path = tmp_path / "analysis.yaml"
    path.write_text(text)
    config = load_config(path)
    assert [(name, sample.label) for name, sample in config.samples.items()] == [
        ("my_sig", "signal"),
        ("bkg", "background"),
    ]
    assert (config.weight.text, config.event_id) == ("genWeight", ("event",))
    assert config.feature_names == ("x0", "x1", "x2")
    # A TTree has the length of the lists as a branch of its own.
    assert ("  # - njet_pt   # a length of lists\n" in text) == (kind == "ttree")
    assert len(read(config)) == 120
    assert "genWeight (" in text
    assert "leading_jet_pt: jet_pt[:, 0]" in text


def test_every_training_default_is_written_out(tmp_path: Path, write_ntuple: Callable[..., Path]) -> None:
    text = starter_config([write_ntuple(tmp_path / "a.root", toy_columns(20, 0, 1))])
    assert set(yaml.safe_load(text)["training"]) == set(Training.model_fields)
    path = tmp_path / "analysis.yaml"
    path.write_text(text)
    assert load_config(path).training == Training.of(objective="cross_entropy")


def test_odd_branch_names_become_expressions(tmp_path: Path, write_ntuple: Callable[..., Path]) -> None:
    columns = toy_columns(20, 0, 1) | {name: np.arange(20, dtype=np.float32) for name in ("lep.pt", "pi", "__x")}
    path = write_ntuple(tmp_path / "a.root", columns)
    (tmp_path / "analysis.yaml").write_text(starter_config([path]))
    features = {f.name: f.expression for f in load_config(tmp_path / "analysis.yaml").features}
    assert features["lep.pt"].branches == {"lep.pt"}
    assert features["pi"].branches == {"pi"}
    assert features["__x"].branches == {"__x"}


def test_trees_that_were_not_taken_are_named(tmp_path: Path, write_ntuple: Callable[..., Path]) -> None:
    path = write_ntuple(tmp_path / "a.root", toy_columns(50, 0, 1), tree="nominal")
    assert "there are also" not in starter_config([path])
    with uproot.update(path) as file:
        for name, entries in (("scale_up", 50), ("empty", 0), ("small", 3)):
            file.mktree(name, {"x": np.float32}).extend({"x": np.zeros(entries, np.float32)})
    text = starter_config([path])
    assert "tree: nominal " in text
    assert "# CHECK: the largest tree was taken; there are also scale_up (50 entries), small (3 entries)\n" in text


def test_files_without_events_are_refused(tmp_path: Path, write_ntuple: Callable[..., Path]) -> None:
    with pytest.raises(DataError, match="give at least one ROOT or Parquet file"):
        starter_config([])
    path = write_ntuple(tmp_path / "a.root", {"x": np.zeros(0, np.float32)})
    with pytest.raises(DataError, match=r"no file with events: .*a\.root has no tree with entries"):
        starter_config([path])
    with pytest.raises(DataError, match="no such file: .*none.root"):
        explore([tmp_path / "none.root"])


def test_relative_paths_are_written_relative_to_the_folder_of_the_file(
    tmp_path: Path, write_ntuple: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_ntuple(tmp_path / "data" / "a.root", toy_columns(20, 0, 1))
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "configs"
    folder.mkdir()
    (folder / "analysis.yaml").write_text(starter_config([Path("data/a.root")], folder))
    config = load_config(folder / "analysis.yaml")
    assert config.samples["a"].files == ("../data/a.root",)
    assert len(read(config)) == 20


def test_truth_is_listed_but_not_taken(tmp_path: Path, write_ntuple: Callable[..., Path]) -> None:
    columns = toy_columns(50, 0, 1) | {name: np.zeros(50, np.float32) for name in ("GenNu_pz", "nTrueBJet")}
    path = write_ntuple(tmp_path / "a.root", columns)
    text = starter_config([path, path], tmp_path)
    (tmp_path / "analysis.yaml").write_text(text)
    taken = load_config(tmp_path / "analysis.yaml").feature_names
    assert "x0" in taken
    assert not {"GenNu_pz", "nTrueBJet"} & set(taken)
    assert "# - GenNu_pz   # truth, by its name" in text

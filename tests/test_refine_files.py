"""Friend files with refined weights: entry for entry, non-negative, with the sums of the signed ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import uproot
import yaml
from conftest import EVENTS, toy_columns

from hepneg.cli.group import main
from hepneg.config import load_config
from hepneg.friends import refine_files
from hepneg.ntuples import read


@pytest.fixture
def selective(toy_analysis: Path) -> Path:
    """The toy analysis with a selection and a scale from raw to physical weights."""
    data = yaml.safe_load(toy_analysis.read_text()) | {"selection": "x1 > -0.5", "luminosity": 10.0}
    for sample in data["samples"].values():
        sample["cross_section"] = 3.0
    toy_analysis.write_text(yaml.safe_dump(data))
    return toy_analysis


def columns_of(path: Path) -> dict[str, np.ndarray]:
    with uproot.open(path) as file:
        return {name: np.asarray(file["hepneg"][name].array()) for name in file["hepneg"].keys()}  # noqa: SIM118


@pytest.mark.parametrize("tree_format", ["ttree", "rntuple"])
def test_weights_stand_beside_their_events(selective: Path, tmp_path: Path, tree_format: str) -> None:
    config = load_config(selective)
    outcome = refine_files(config, tmp_path / "refined", tree_format=tree_format)  # type: ignore[arg-type]
    events = read(config)
    for sample in ("sig", "bkg"):
        friend = columns_of(tmp_path / "refined" / f"{sample}.hepneg.root")
        with uproot.open(selective.parent / f"{sample}.root") as file:
            raw = file["Events"].arrays(["event", "x1", "genWeight"], library="np")
        assert len(friend["event"]) == EVENTS
        assert np.array_equal(friend["event"], raw["event"])
        selected = raw["x1"] > -0.5
        weight, error = friend["hepneg_weight"], friend["hepneg_weight_error"]
        assert np.array_equal(np.isnan(weight), ~selected)
        assert np.array_equal(np.isnan(error), ~selected)
        assert (weight[selected] >= 0).all()
        assert (error[selected] >= 0).all()
        # The sum of each sample is kept, in the unit of the weight expression.
        assert weight[selected].sum() == pytest.approx(raw["genWeight"][selected].sum(), rel=1e-6)
        table = events.of_sample(sample)
        scale = table.weight[0] / raw["genWeight"][selected][0]
        held_out = outcome.refinement.held_out_weight(table) / scale
        assert np.allclose(weight[selected], held_out, rtol=1e-6, atol=1e-9)


def test_refined_weights_follow_the_local_mean_sign(
    toy_analysis: Path, tmp_path: Path, write_ntuple: Callable[..., Path]
) -> None:
    """The chance of a negative weight, 0.3, grows with x0: |w| overshoots there, refined weights must not."""
    write_ntuple(toy_analysis.parent / "bkg.root", toy_columns(EVENTS, 0.0, 2, first_id=EVENTS))
    enough = ["training.epochs=40", "training.network.hidden=[32, 32]"]
    refine_files(load_config(toy_analysis, enough), tmp_path / "refined")
    friend = columns_of(tmp_path / "refined" / "bkg.hepneg.root")
    with uproot.open(toy_analysis.parent / "bkg.root") as file:
        raw = file["Events"].arrays(["x0", "genWeight"], library="np")
    high = raw["x0"] > 0.5
    share = {
        name: w[high].sum() / w.sum()
        for name, w in (("signed", raw["genWeight"]), ("refined", friend["hepneg_weight"]))
    }
    blind = high.mean()
    # The signed share is known to √930 / 1200 = 0.025, from the 930 events there and Σw = 1200; |w| is off by ten times
    # that.
    assert abs(blind - share["signed"]) > 0.15
    assert abs(share["refined"] - share["signed"]) < 3 * 0.025


def test_the_command_writes_friends_and_a_report(
    toy_analysis: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as leaving:
        main(["refine", str(toy_analysis), "-o", str(tmp_path / "refined")])
    assert not leaving.value.code
    shown = capsys.readouterr().out
    assert all(f"{name}.hepneg.root" in shown for name in ("sig", "bkg"))
    report = json.loads((tmp_path / "refined" / "refine.json").read_text())
    assert set(report["samples"]) == {"sig", "bkg"}
    assert sorted(path.name for path in (tmp_path / "refined").iterdir()) == [
        "bkg.hepneg.root",
        "refine.json",
        "sig.hepneg.root",
    ]


def test_settings_of_the_classifier_do_not_stop_the_refinement(toy_analysis: Path, tmp_path: Path) -> None:
    own = ["training.scheme=signed", "training.objective=cross_entropy", "training.activity={strength: 0.1}"]
    outcome = refine_files(load_config(toy_analysis, own), tmp_path / "refined")
    assert set(outcome.refinement.closure) == {"sig", "bkg"}


def test_a_file_that_is_not_ours_is_not_replaced(
    toy_analysis: Path, capsys: pytest.CaptureFixture[str], write_ntuple: Callable[..., Path]
) -> None:
    other = write_ntuple(toy_analysis.parent / "refined" / "sig.hepneg.root", {"a": np.zeros(3)})
    before = other.read_bytes()
    with pytest.raises(SystemExit) as leaving:
        main(["refine", str(toy_analysis), "-o", str(other.parent)])
    assert leaving.value.code == 1
    assert "was not written by hepneg" in capsys.readouterr().err
    assert other.read_bytes() == before


def test_real_root_opens_the_weights(toy_analysis: Path, tmp_path: Path) -> None:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        root = pytest.importorskip("ROOT")
    refine_files(load_config(toy_analysis), tmp_path / "refined")
    file = root.TFile.Open(str(toy_analysis.parent / "sig.root"))
    tree = file.Get("Events")
    tree.AddFriend("hepneg", str(tmp_path / "refined" / "sig.hepneg.root"))
    assert tree.GetEntries("event == hepneg.event && hepneg_weight >= 0") == EVENTS
    file.Close()


def test_files_of_the_same_name_get_a_folder_for_each_sample(selective: Path, tmp_path: Path) -> None:
    data = yaml.safe_load(selective.read_text())
    for sample in ("sig", "bkg"):
        (tmp_path / sample).mkdir()
        (tmp_path / f"{sample}.root").rename(tmp_path / sample / "nano_1.root")
        data["samples"][sample]["files"] = f"{sample}/*.root"
    selective.write_text(yaml.safe_dump(data))
    config = load_config(selective)
    outcome = refine_files(config, tmp_path / "refined")
    events = read(config)
    for sample in ("sig", "bkg"):
        path = tmp_path / "refined" / sample / "nano_1.hepneg.root"
        assert path in outcome.files
        raw = read(config).of_sample(sample)
        weight = columns_of(path)["hepneg_weight"]
        scale = np.abs(raw.weight[0])
        assert np.nansum(weight) * scale == pytest.approx(events.of_sample(sample).weight.sum(), rel=1e-6)


def test_an_interrupted_rewrite_leaves_no_report_of_mixed_files(
    selective: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, folder = load_config(selective), tmp_path / "refined"
    refine_files(config, folder)
    written = []

    def interrupted(job, *_, **__):
        if written:
            raise KeyboardInterrupt
        written.append(job)

    monkeypatch.setattr("hepneg.friends.refined_files.stream_friend", interrupted)
    with pytest.raises(KeyboardInterrupt):
        refine_files(config, folder)
    assert not (folder / "refine.json").exists()
    assert {path.name for path in folder.iterdir()} == {"sig.hepneg.root", "bkg.hepneg.root"}

"""What `hepneg init` makes of ntuples laid out as the experiments and generators lay out theirs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot
import yaml

from hepneg.config import load_config
from hepneg.errors import ConfigError, DataError
from hepneg.ntuples import read_chunks
from hepneg.ntuples.starter import starter_config

N = 200
Write = Callable[..., Path]


def numbers(seed: int = 1) -> Any:
    return np.random.default_rng(seed).normal(50, 10, N).astype(np.float32)


def signs(seed: int = 2) -> Any:
    return np.random.default_rng(seed).choice([1.0, 1.0, 1.0, -1.0], N)


def lists(values: Any, length: int = 1) -> Any:
    return ak.from_regular(ak.Array(np.repeat(np.asarray(values)[:, None], length, axis=1)))


def count(kind: Any = np.uint64) -> Any:
    return np.arange(N, dtype=kind)


def same(value: int, kind: Any = np.uint32) -> Any:
    return np.full(N, value, kind)


def few() -> Any:
    return (np.arange(N) // 50).astype(np.uint32)


TRUTH = {name: numbers() for name in ("HTXS_Higgs_pt", "Pileup_nTrueInt", "GenMET_pt", "LHE_HT")}
LAYOUTS: dict[str, tuple[str, Mapping[str, Any], str, list[str], set[str]]] = {
    "NanoAOD": (
        "Events",
        {
            "run": same(1),
            "luminosityBlock": few(),
            "event": count() % np.uint64(50),
            "Flag_goodVertices": np.arange(N) > 3,
            "nSubGenJetAK8": few(),
            "HLT_IsoMu24": np.arange(N) > 5,
            **TRUTH,
            "nPSWeight": same(4),
            "genWeight": signs(),
            "btagWeight": numbers(),
            "MET_pt": numbers(),
            "Jet_pt": lists(numbers(), 3),
        },
        "genWeight",
        ["run", "luminosityBlock", "event"],
        {"MET_pt"},
    ),
    "DAOD": (
        "CollectionTree",
        {
            "EventInfoAuxDyn.runNumber": same(284500),
            "EventInfoAuxDyn.eventNumber": count(),
            "EventInfoAuxDyn.mcEventWeights": lists(signs(), 3),
            "beamSpotWeight": numbers(),
            "EventInfoAuxDyn.mcChannelNumber": same(410470),
            "AnalysisJetsAuxDyn.pt": lists(numbers(), 2),
            "TruthElectronsAuxDyn.pt": lists(numbers(), 2),
        },
        "EventInfoAuxDyn.mcEventWeights[:, 0]",
        ["EventInfoAuxDyn.eventNumber"],
        {"leading_AnalysisJetsAuxDyn.pt"},
    ),
    "ATLAS flat": (
        "nominal",
        {
            "weight_mc": signs(),
            "weight_pileup": numbers(),
            "weight_leptonSF": numbers(),
            "eventNumber": count(),
            "runNumber": same(284500),
            "mcChannelNumber": same(410470),
            "met_met": numbers(),
            "jet_pt": lists(numbers(), 2),
        },
        "weight_mc",
        ["eventNumber"],
        {"met_met"},
    ),
    "Delphes": (
        "Delphes",
        {
            "Event.Number": lists(count(np.int64)),
            "Event.Weight": lists(signs()),
            "Weight.Weight": lists(signs(), 9),
            "Particle.PT": lists(numbers(), 4),
            "GenJet.PT": lists(numbers(), 2),
            "Jet.PT": lists(numbers(), 2),
        },
        "Event.Weight[:, 0]",
        ["Event.Number[:, 0]"],
        {"leading_Jet.PT"},
    ),
    "EDM4hep": (
        "events",
        {
            "EventHeader.weight": lists(signs()),
            "MCParticles.mass": lists(numbers(), 4),
            "ReconstructedParticles.energy": lists(numbers(), 3),
        },
        "EventHeader.weight[:, 0]",
        [],
        {"leading_ReconstructedParticles.energy"},
    ),
    "LHCb": (
        "DecayTuple/DecayTree",
        {
            "B_M": numbers(),
            "B_TRUEID": few(),
            "mu_MC_MOTHER_ID": few(),
            "B_BKGCAT": few(),
            "nCandidate": few(),
            "runNumber": few(),
            "eventNumber": count(),
            "Polarity": same(1, np.int16),
            "sweight": signs() * numbers(3),
            "B_Hlt1TrackMVADecision_TOS": np.arange(N) > 9,
        },
        "sweight",
        ["runNumber", "eventNumber"],
        {"B_M"},
    ),
    "Belle II": (
        "variables",
        {
            "__experiment__": same(0),
            "__run__": same(0),
            "__event__": count() // np.uint64(2),
            "__candidate__": few(),
            "__ncandidates__": few(),
            "__weight__": signs(),
            "isSignal": numbers(),
            "Mbc": numbers(),
            "mcPDG": numbers(),
        },
        'branch("__weight__")',
        ["__experiment__", "__run__", "__event__"],
        {"Mbc"},
    ),
    "HepMC3": (
        "hepmc3_tree",
        {"event_number": count(np.int32), "weights": lists(signs(), 5), "met": numbers()},
        "weights[:, 0]",
        ["event_number"],
        {"met"},
    ),
    "LHE": (
        "t3",
        {
            "id": few(),
            "weight": signs() * numbers(4),
            "weight2": signs(),
            "px": lists(numbers(), 4),
            "alphas": numbers(),
        },
        "weight",
        [],
        {"id", "alphas"},
    ),
    "coffea skim": (
        "tree",
        {
            "evt": count(np.int64),
            "weight_nominal": signs(),
            "weight_puUp": signs(),
            "lep1_pt": numbers(),
            "label": few(),
        },
        "weight_nominal",
        ["evt"],
        {"lep1_pt"},
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", ["ttree", "rntuple"])
def test_a_layout_gives_a_starter_that_reads(tmp_path: Path, write_ntuple: Write, layout: str, kind: str) -> None:
    tree, columns, weight, event_id, features = LAYOUTS[layout]
    if kind == "rntuple":
        tree = tree.rsplit("/", maxsplit=1)[-1]
    path = write_ntuple(tmp_path / "a.root", columns, kind, tree)
    _add_larger_trees(path)
    (tmp_path / "analysis.yaml").write_text(starter_config([path], tmp_path))
    config = load_config(tmp_path / "analysis.yaml")
    assert (config.tree, config.weight.text, list(config.event_id)) == (tree, weight, event_id)
    assert set(config.feature_names) == features
    assert sum(len(chunk) for chunk in read_chunks(config, "a")) == N


def _add_larger_trees(path: Path) -> None:
    """Add what lies beside the events and has more entries than they."""
    with uproot.update(path) as file:
        for name in ("Runs", "MetaData", "sumWeights"):
            file.mktree(name, {"run": np.uint32}).extend({"run": np.arange(2 * N, dtype=np.uint32)})


@pytest.mark.parametrize(
    ("columns", "candidates"),
    [
        ({"run": same(1), "px": numbers()}, "none found by name or by sign"),
        ({"ProbNN": np.where(np.arange(N) % 9 == 0, 0.5, -1000.0), "px": numbers()}, "none found by name or by sign"),
        ({"nPSWeight": same(4), "px": numbers()}, "none found by name or by sign"),
        ({"charge": signs().astype(np.float32), "px": numbers()}, "charge ("),
        ({"puWeight": numbers(), "px": numbers()}, "puWeight (0.0% negative)"),
    ],
)
def test_a_weight_is_never_invented(
    tmp_path: Path, write_ntuple: Write, columns: Mapping[str, Any], candidates: str
) -> None:
    path = write_ntuple(tmp_path / "a.root", columns, tree="t")
    text = starter_config([path], tmp_path)
    (tmp_path / "analysis.yaml").write_text(text)
    assert f"# weight candidates: {candidates}" in text
    with pytest.raises(ConfigError, match="'weight' is still to be filled in: the signed event weight, an expression"):
        load_config(tmp_path / "analysis.yaml")
    named = next(name for name in columns if name != "px")
    assert load_config(tmp_path / "analysis.yaml", [f"weight={named}"]).weight.text == named


def test_what_is_no_number_or_not_finite_is_no_feature(tmp_path: Path, write_ntuple: Write) -> None:
    columns = {
        "w": signs(),
        "x": numbers(),
        "y": numbers(2),
        "flat": same(3),
        "gaps": np.where(np.arange(N) % 2, np.nan, 1.0),
    }
    path = write_ntuple(tmp_path / "a.root", columns, tree="t")
    lines = starter_config([path], tmp_path).splitlines()
    assert lines[lines.index("  - y") + 1 :][:3] == [
        "  # - w   # a weight",
        "  # - flat   # constant",
        "  # - gaps   # NaN or infinite in some events",
    ]


def test_what_cannot_be_read_is_no_feature(tmp_path: Path, write_ntuple: Write) -> None:
    path = write_ntuple(tmp_path / "a.root", {"w": signs(), "x": numbers(), "y": numbers(2)}, tree="t")
    with uproot.open(path) as file:
        chunk, _ = file["t"]["x"].basket_chunk_cursor(0)
    content = bytearray(path.read_bytes())
    content[chunk.start : chunk.start + 80] = bytes(80)  # the header of the basket
    path.write_bytes(content)
    lines = starter_config([path], tmp_path).splitlines()
    assert lines[lines.index("  - y") :][:3] == ["  - y", "  # - w   # a weight", "  # - x   # cannot be read"]


def test_a_tree_without_any_number_asks_for_features(tmp_path: Path) -> None:
    with uproot.recreate(tmp_path / "a.root") as file:
        file.mkrntuple("t", {"weight": signs(), "name": ["a"] * N})
    (tmp_path / "analysis.yaml").write_text(starter_config([tmp_path / "a.root"], tmp_path))
    with pytest.raises(ConfigError, match="'features' is still to be filled in: branches with one number per event"):
        load_config(tmp_path / "analysis.yaml")


def samples_of(text: str) -> dict[str, tuple[str, Any]]:
    samples = yaml.safe_load(text)["samples"]
    return {name: (sample["label"], sample["files"]) for name, sample in samples.items()}


def write_many(folder: Path, write: Write, names: list[str]) -> None:
    for seed, name in enumerate(names):
        write(
            folder / name, {"weight": signs(seed), "event": count() + np.uint64(N * seed), "x": numbers(seed)}, tree="t"
        )


def test_the_tree_that_most_samples_have_is_taken(tmp_path: Path, write_ntuple: Write) -> None:
    write_many(tmp_path, write_ntuple, ["higgs.root", "qcd.root"])
    write_ntuple(tmp_path / "other.root", {"genWeight": signs(), "x": numbers()})
    text = starter_config([tmp_path], tmp_path)
    assert yaml.safe_load(text)["tree"] == "t"
    assert "  # left out: other: no tree 't'\n" in text


def test_scale_factors_and_flags_are_no_features(tmp_path: Path, write_ntuple: Write) -> None:
    names = ("globalTriggerEffSF_NOSYS", "scaleFactor_PILEUP", "pass_ejets_NOSYS", "nbkg_sw")
    columns = {"weight_mc_NOSYS": signs(), "met": numbers(), **{name: numbers() for name in names}}
    path = write_ntuple(tmp_path / "a.root", columns, tree="reco")
    assert yaml.safe_load(starter_config([path], tmp_path))["features"] == ["met"]


def test_a_folder_is_searched_and_its_files_are_grouped(tmp_path: Path, write_ntuple: Write) -> None:
    names = ["x_0.root", "x_1.root", "x_2.root", "ggH_m125.root", "W1Jets.root", "W2Jets.root", "x_2017.root"]
    write_many(
        tmp_path / "in", write_ntuple, [*names, "DY/0000/tree_1.root", "DY/0000/tree_2.root", "DY/0001/tree_3.root"]
    )
    (tmp_path / "in" / "x_0.hepneg.root").write_bytes(b"our own")
    (tmp_path / "in" / "broken.root").write_bytes(b"not a ROOT file at all, but long enough for a header")
    text = starter_config([tmp_path / "in"], tmp_path)
    folder = tmp_path / "in"
    assert samples_of(text) == {
        "DY": ("background", f"{folder}/DY/**/*.root"),
        "W1Jets": ("background", f"{folder}/W1Jets.root"),
        "W2Jets": ("background", f"{folder}/W2Jets.root"),
        "ggH_m125": ("signal", f"{folder}/ggH_m125.root"),
        "x": ("background", [f"{folder}/x_{number}.root" for number in range(3)]),
        "x_2017": ("background", f"{folder}/x_2017.root"),
    }
    assert "# left out: broken: " in text
    assert "broken.root is not a ROOT file" in text
    (tmp_path / "analysis.yaml").write_text(text)
    config = load_config(tmp_path / "analysis.yaml")
    assert {sample: sum(map(len, read_chunks(config, sample))) for sample in ("DY", "x")} == {"DY": 3 * N, "x": 3 * N}


def test_parts_of_one_sample_are_a_pattern(tmp_path: Path, write_ntuple: Write) -> None:
    write_many(tmp_path, write_ntuple, ["x_0.root", "x_1.root", "x_10.root", "y.root"])
    files = sorted(tmp_path.glob("*.root"))
    assert samples_of(starter_config(files, tmp_path)) == {
        "x": ("signal", f"{tmp_path}/x_*.root"),
        "y": ("background", f"{tmp_path}/y.root"),
    }


def test_data_are_no_background(tmp_path: Path, write_ntuple: Write) -> None:
    write_many(tmp_path, write_ntuple, ["data_2018.root", "SingleMuon_Run2018A.root", "qcd.root", "zprime.root"])
    text = starter_config([tmp_path], tmp_path)
    for name in ("data_2018", "SingleMuon_Run2018A"):
        assert f"{name}: {{label: data, files: " in text
    (tmp_path / "analysis.yaml").write_text(text)
    config = load_config(tmp_path / "analysis.yaml")
    labels = {name: sample.label for name, sample in config.samples.items()}
    assert (labels["qcd"], labels["zprime"]) == ("background", "signal")
    assert "data_2018" not in labels or str(labels["data_2018"]) == "data"


def test_folders_without_files_and_unreadable_ones(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no ROOT file in the folder .* or below"):
        starter_config([tmp_path])


def test_a_wide_rntuple_takes_no_time_that_grows_with_the_square(
    tmp_path: Path, write_ntuple: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Building awkward's form of all fields takes uproot seconds; no form is built of more than one of 300 fields."""
    columns = {"weight": signs(), **{f"f{number}": numbers(number) for number in range(300)}}
    path = write_ntuple(tmp_path / "a.root", columns, "rntuple")
    built = []
    original = uproot.models.RNTuple.Model_ROOT_3a3a_RNTuple.field_form
    monkeypatch.setattr(
        "uproot.models.RNTuple.Model_ROOT_3a3a_RNTuple.field_form",
        lambda *arguments, **options: built.append(1) or original(*arguments, **options),
    )
    text = starter_config([path], tmp_path)
    assert "  - f0\n" in text
    assert "  # - f299\n" in text
    assert len(built) < 100


def test_a_folder_of_parquet_files_gives_a_starter_that_reads(tmp_path: Path) -> None:
    columns = {
        "genWeight": signs(),
        "event": count(),
        "jet_pt": lists(numbers(3), 2),
        "lep_pt": numbers(),
        "nJet": few(),
    }
    for name in ("higgs_0", "higgs_1", "wjets"):
        ak.to_parquet(ak.zip(columns, depth_limit=1), tmp_path / f"{name}.parquet")
    text = starter_config([tmp_path], tmp_path)
    (tmp_path / "analysis.yaml").write_text(text, encoding="utf-8")
    config = load_config(tmp_path / "analysis.yaml")
    assert {name: sample.label for name, sample in config.samples.items()} == {"higgs": "signal", "wjets": "background"}
    assert (config.weight.text, config.event_id) == ("genWeight", ("event",))
    assert [feature.name for feature in config.features] == ["lep_pt"]
    assert "leading_jet_pt" in text
    assert sum(chunk.entries for name in config.samples for chunk in read_chunks(config, name)) == 3 * N

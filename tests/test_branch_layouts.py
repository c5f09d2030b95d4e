"""Branches of every layout that ROOT writes: leaf lists, split objects, arrays, lists of lists, texts, cycles
and RNTuple."""

from __future__ import annotations

import contextlib
import importlib.util
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot
import yaml
from conftest import toy_columns

from hepneg.config import Config
from hepneg.errors import DataError
from hepneg.events import EventTable
from hepneg.ntuples import explore, read, starter_config

with_root = pytest.mark.skipif(importlib.util.find_spec("ROOT") is None, reason="ROOT is not installed")

N = 40
# In a process of its own: ROOT changes signal handlers and prints on its own account.
WRITE = """
import sys, ROOT
from array import array
ROOT.gROOT.SetBatch(True)
ROOT.gInterpreter.Declare('''
struct Par { float pt = 0; float eta = 0; float cov[3] = {1, 2, 3}; std::vector<float> hits; };
void objects(const char* path, bool dot) {
  TFile file(path, "recreate"); TTree tree("Events", "Events");
  Par mu, el; float w, pt; std::vector<std::vector<float>> nested; std::string channel;
  tree.Branch(dot ? "mu." : "mu", &mu, 32000, 99); tree.Branch(dot ? "el." : "el", &el, 32000, 99);
  tree.Branch("w", &w); tree.Branch("nested", &nested); tree.Branch("channel", &channel); tree.Branch("top-1", &pt);
  for (int i = 0; i < 40; ++i) {
    mu.pt = i; mu.eta = -i; el.pt = 1000 + i; el.eta = -1000 - i; el.cov[1] = 5 + i; mu.hits = {1.f * i, 2.f};
    w = i % 4 ? 1 : -1; nested = {{1.f * i}, {2.f * i, 3.f * i}}; channel = i % 2 ? "mumu" : "ee"; pt = 7;
    tree.Fill();
  }
  tree.Write(); file.Close();
}
void vectors(const char* path) {
  TFile file(path, "recreate"); TTree tree("Events", "Events");
  TVector2 met; float w; struct { int n = 2; float x[2] = {1, 2}; } odd;
  tree.Branch("met", &met); tree.Branch("w", &w); tree.Branch("odd", &odd, "n/I:x[n]/F");
  for (int i = 0; i < 40; ++i) { met.Set(1. * i, -2. * i); w = i % 4 ? 1 : -1; tree.Fill(); }
  tree.Write(); file.Close();
}
void variants(const char* path) {
  auto model = ROOT::RNTupleModel::Create();
  auto w = model->MakeField<float>("w"); auto x = model->MakeField<double>("x");
  auto either = model->MakeField<std::variant<int, float>>("either");
  auto several = model->MakeField<std::vector<std::variant<int, float>>>("several");
  auto writer = ROOT::RNTupleWriter::Recreate(std::move(model), "Events", path);
  for (int i = 0; i < 40; ++i) {
    *w = i % 4 ? 1 : -1; *x = 0.5 * i; *several = {1, 2.f};
    if (i % 2) *either = i; else *either = 0.5f * i;
    writer->Fill();
  }
}''')
ROOT.vectors(sys.argv[1] + "/vectors.root")
ROOT.variants(sys.argv[1] + "/variants.root")
ROOT.objects(sys.argv[1] + "/split.root", False)
ROOT.objects(sys.argv[1] + "/dotted.root", True)
file = ROOT.TFile(sys.argv[1] + "/leaves.root", "recreate")
tree = ROOT.TTree("Events", "Events")
lep, jet, w = array("f", [0, 0, 0, 0]), array("f", [0, 0]), array("f", [0])
tree.Branch("lep", lep, "pt/F:eta/F:x[2]/F"); tree.Branch("jet", jet, "pt/F:eta/F"); tree.Branch("w", w, "w/F")
for i in range(40):
    lep[0], lep[1], lep[2], lep[3] = i, -i, 10 + i, 20 + i
    jet[0], jet[1], w[0] = 1000 + i, -1000 - i, (1 if i % 4 else -1)
    tree.Fill()
tree.Write(); file.Close()
"""
I = np.arange(N, dtype=np.float32)


@pytest.fixture(scope="module")
def layouts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("layouts")
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", WRITE, str(folder)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def table(folder: Path, name: str, features: list[Any], **keys: Any) -> EventTable:
    samples = {"s": {"label": "signal", "files": name}}
    return read(Config.from_dict({"weight": "w", "samples": samples, "features": features, **keys}, folder))


OBJECTS = {
    "el.pt": 1000 + I,
    'branch("el/pt")': 1000 + I,
    "mu.eta": -I,
    "el.cov[:, 1]": 5 + I,
    "mu.hits[:, 0]": I,
    "nested[:, 1, 1]": 3 * I,
    "sum(sum(nested))": 6 * I,
    "sum(nested[:, :, 0])": 3 * I,
    "channel == 'mumu'": I % 2,
    'branch("top-1") + 0 * mu.pt': 7 + 0 * I,
    "el.pt + mu.pt": 1000 + 2 * I,
    "el/pt": 1000 + I,
    "2*el/pt-mu/pt": 2000 + I,
    "el/cov[:, 1]": 5 + I,
    "sum(mu/hits[:, :1]) + 0*(mu/pt > 3)": I,
    "w/w + 0*el/pt": 1 + 0 * I,
}


@with_root
@pytest.mark.parametrize("name", ["split.root", "dotted.root"])
@pytest.mark.parametrize("text", OBJECTS)
def test_members_of_split_objects_have_their_own_values(layouts: Path, name: str, text: str) -> None:
    np.testing.assert_array_equal(table(layouts, name, [text]).features[:, 0], OBJECTS[text])


@with_root
def test_members_of_the_same_name_are_read_beside_each_other_step_by_step(layouts: Path) -> None:
    config = {
        "weight": "w",
        "samples": {"s": {"label": "signal", "files": "split.root"}},
        "features": ["mu.pt", "el.pt"],
    }
    steps = read(Config.from_dict(config, layouts), step_size=7)
    np.testing.assert_array_equal(steps.features, np.column_stack([I, 1000 + I]))


@with_root
def test_a_short_name_of_two_branches_is_refused_with_both(layouts: Path) -> None:
    with pytest.raises(DataError, match=r"the branch 'pt' is ambiguous; write mu\.pt or el\.pt$"):
        table(layouts, "split.root", ["pt"])


LEAVES = {
    "lep.pt": I,
    'branch("lep/eta")': -I,
    "jet.pt": 1000 + I,
    "lep.x[:, 1]": 20 + I,
    "jet.eta + lep.pt": -1000 + 0 * I,
    "jet/eta+lep/pt": -1000 + 0 * I,
}


@with_root
@pytest.mark.parametrize("text", LEAVES)
def test_leaves_of_one_branch(layouts: Path, text: str) -> None:
    np.testing.assert_array_equal(table(layouts, "leaves.root", [text]).features[:, 0], LEAVES[text])


@with_root
def test_an_object_in_the_place_of_a_number_is_told_its_members(layouts: Path) -> None:
    with pytest.raises(DataError, match=r"branch 'lep', .* its members are named as in lep\.pt"):
        table(layouts, "leaves.root", ["lep"])
    with pytest.raises(DataError, match=r"branch 'el', .* its members are named as in el\.pt"):
        table(layouts, "split.root", ["el"])


@with_root
def test_names_that_are_no_python_names_are_offered_in_quotes(layouts: Path) -> None:
    with pytest.raises(DataError, match=r'no branch \'top1\', which .* did you mean branch\("top-1"\)'):
        table(layouts, "split.root", ["top1"])


WRITE_PAGES = """
import sys, ROOT
ROOT.gInterpreter.Declare('''void pages(const char* path, int compression) {
  auto model = ROOT::RNTupleModel::Create();
  auto x = model->MakeField<float>("x"); auto w = model->MakeField<float>("w"); auto y = model->MakeField<float>("y");
  ROOT::RNTupleWriteOptions options; options.SetCompression(compression);
  auto writer = ROOT::RNTupleWriter::Recreate(std::move(model), "Events", path, options);
  for (int i = 0; i < 40; ++i) { *x = i * 0.37f; *w = i % 4 ? 1 : -1; *y = i * 1.7f; writer->Fill(); }
}''')
for name, compression in (("none", 0), ("zstd", 505)):
    ROOT.pages(f"{sys.argv[1]}/{name}.root", compression)
"""


@with_root
@pytest.mark.parametrize("name", ["none.root", "zstd.root"])
def test_a_flipped_bit_in_a_page_of_an_rntuple_is_found(tmp_path: Path, name: str) -> None:
    command = [sys.executable, "-W", "ignore", "-c", WRITE_PAGES, str(tmp_path)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    path = tmp_path / name
    with uproot.open({str(path): "Events"}) as tree:
        x, _, y = (columns.pages[0].locator for columns in tree.ntuple.page_link_list[0])
    np.testing.assert_allclose(table(tmp_path, name, ["x"]).features[:, 0], 0.37 * I, rtol=1e-6)
    for page, features in ((x, ["x"]), (y, ["x", "y"])):
        whole = path.read_bytes()
        spoilt = bytearray(whole)
        spoilt[page.offset + page.num_bytes // 2] ^= 1
        path.write_bytes(spoilt)
        with pytest.raises(DataError, match=rf"the checksum of a page at byte {page.offset} does not agree"):
            table(tmp_path, name, features)
        if page is y:
            table(tmp_path, name, ["x"])
        path.write_bytes(whole)


def test_an_older_cycle_of_a_tree(tmp_path: Path) -> None:
    with uproot.recreate(tmp_path / "a.root") as file:
        for shift in (0, 100):
            file.mktree("t", {"x": np.float32, "w": np.float32})
            file["t"].extend({"x": I + shift, "w": np.where(I % 4, 1, -1).astype(np.float32)})
    for tree, shift in (("t;1", 0), ("t;2", 100), ("t", 100)):
        np.testing.assert_array_equal(table(tmp_path, "a.root", ["x"], tree=tree).features[:, 0], I + shift)


@pytest.mark.parametrize("kind", ["rntuple", "parquet"])
def test_collections_of_records(tmp_path: Path, kind: str) -> None:
    jets = ak.Array([[{"pt": float(i), "eta": -1.0}] * (i % 3) for i in range(N)])
    w = np.where(I % 4, 1.0, -1.0)
    columns = {"Jet": jets, "w": w, "x": I, "channel": ak.Array(["ee", "mumu"] * (N // 2))}
    if kind == "parquet":
        ak.to_parquet(ak.zip(columns, depth_limit=1), tmp_path / "a.parquet", row_group_size=7)
    else:
        with uproot.recreate(tmp_path / "a.rntuple") as file:
            file.mkrntuple("Events", ak.zip(columns, depth_limit=1))
    features = ["Jet.pt[:, 0]", "sum(Jet.pt)", "len(Jet.eta)", "channel == 'mumu'"]
    events = table(tmp_path, f"a.{kind}", features)
    expected = [np.where(I % 3, I, 0), I * (I % 3), I % 3, I % 2]
    np.testing.assert_array_equal(events.features, np.column_stack(expected))
    np.testing.assert_array_equal(events.weight, w)


@pytest.mark.parametrize("step_size", [3, 1000])
def test_parquet_gives_the_table_of_the_root_file(
    tmp_path: Path, write_ntuple: Callable[..., Path], step_size: int
) -> None:
    columns = toy_columns(100, 0, 1)
    write_ntuple(tmp_path / "a.root", columns)
    ak.to_parquet(ak.zip(columns, depth_limit=1), tmp_path / "a.parquet", row_group_size=30)
    features = ["x0", "jet_pt[:, 0]", "sum(jet_pt)"]
    keys = {"weight": "genWeight", "event_id": "event", "selection": "len(jet_pt) > 0", "features": features}
    tables = [
        read(
            Config.from_dict({**keys, "samples": {"s": {"label": "signal", "files": name}}}, tmp_path),
            step_size=step_size,
        )
        for name in ("a.root", "a.parquet")
    ]
    for column in ("features", "weight", "event_id"):
        np.testing.assert_array_equal(getattr(tables[1], column), getattr(tables[0], column))


def test_a_missing_value_of_parquet_is_a_nan(tmp_path: Path) -> None:
    w = np.where(I % 4, 1.0, -1.0)
    ak.to_parquet(ak.Array({"x": ak.Array([1.0, None, *I[2:].tolist()]), "w": w}), tmp_path / "a.parquet")
    with pytest.raises(
        DataError, match="feature 'x' is NaN or infinite in 1 selected events among the 40 .* at entry 1"
    ):
        table(tmp_path, "a.parquet", ["x"])


def test_names_with_two_underscores_and_lists_identify_events(
    tmp_path: Path, write_ntuple: Callable[..., Path]
) -> None:
    columns = toy_columns(N, 0, 1)
    ids = columns.pop("event")
    columns |= {
        "__event__": ids.astype(np.int32),
        "numbers": ak.Array(ids[:, np.newaxis].tolist()),
        "real": ids.astype(float),
    }
    write_ntuple(tmp_path / "a.root", columns)
    for event_id in ("__event__", "numbers[:, 0]", "real", "__event__ "):
        events = table(tmp_path, "a.root", ["x0"], weight="genWeight", event_id=event_id.strip())
        np.testing.assert_array_equal(events.event_id, ids.astype(np.int64))
    with pytest.raises(DataError, match=r'did you mean branch\("__event__"\)\?'):
        table(tmp_path, "a.root", ["event__"], weight="genWeight")


@with_root
@pytest.mark.parametrize(
    ("name", "features"), [("vectors", {"met.fX": I, "met.fY": -2 * I}), ("variants", {"x": 0.5 * I})]
)
def test_a_starter_offers_of_an_object_what_can_be_read(layouts: Path, name: str, features: dict[str, Any]) -> None:
    text = starter_config([layouts / f"{name}.root"], layouts)
    config = Config.from_dict(yaml.safe_load(text), layouts)
    assert [feature.name for feature in config.features] == list(features)
    events = read(config)
    for column, values in features.items():
        np.testing.assert_array_equal(events.feature(column), values)


@with_root
def test_a_damaged_file_leaves_those_after_it_readable(
    layouts: Path, tmp_path: Path, write_ntuple: Callable[..., Path]
) -> None:
    damaged = write_ntuple(tmp_path / "damaged.root", toy_columns(50, 0, 1))
    versions = re.compile(rb"(?<=\x40\x00..)\x00\x0d", re.DOTALL)  # of TBranch objects, 13, behind their size
    damaged.write_bytes(versions.sub(b"\x03\x0d", damaged.read_bytes()))
    with contextlib.suppress(DataError):
        explore([damaged])
    np.testing.assert_array_equal(table(layouts, "split.root", ["el.pt"]).feature("el.pt"), 1000 + I)

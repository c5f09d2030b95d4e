"""What an analysis can say of its samples, and the numbers that come of it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot
from conftest import toy_columns

from hepneg._core.hashing import assign_folds
from hepneg.config import Config
from hepneg.errors import ConfigError, DataError, HepnegWarning
from hepneg.events import EventTable
from hepneg.ntuples import read, read_chunks, scale_factor
from hepneg.ntuples.file_lists import missing_numbers
from hepneg.shapes.two_passes import accumulate

Write = Callable[..., Path]
SIGNAL, BACKGROUND = {"label": "signal", "files": "s.root"}, {"label": "background", "files": "b.root"}
PADDED = "genWeight * pad(LHEScaleWeight, 9, 1.0)[:, 8]"


def config(folder: Path, samples: Mapping[str, Any], **keys: Any) -> Config:
    data = {"weight": "genWeight", "event_id": "event", "samples": samples, "features": ["x0", "x1"]}
    return Config.from_dict({**data, **keys}, folder)


def weight_of(events: EventTable, sample: str) -> np.ndarray:
    return events.of_sample(sample).weight


@pytest.fixture
def pair(tmp_path: Path, write_ntuple: Write) -> Path:
    """A folder with ``s.root`` and ``b.root`` of 200 events each, identifiers apart."""
    for number, name in enumerate("sb"):
        write_ntuple(tmp_path / f"{name}.root", toy_columns(200, 1 - number, number, first_id=1000 * number))
    return tmp_path


# Weights out of lists


def with_lists(events: int, lengths: list[int], seed: int) -> dict[str, Any]:
    counts = np.resize(lengths, events)
    values = np.concatenate([1 + 0.1 * np.arange(count) for count in counts])
    return toy_columns(events, 0, seed, first_id=1000 * seed) | {
        "LHEScaleWeight": ak.unflatten(values.astype(np.float32), counts)
    }


@pytest.mark.parametrize("where", ["weight", "systematics"])
def test_a_weight_with_a_missing_element_is_refused_with_the_remedy(
    tmp_path: Path, write_ntuple: Write, where: str
) -> None:
    path = write_ntuple(tmp_path / "s.root", with_lists(100, [9, 9, 9, 0], 1))
    text = "genWeight * LHEScaleWeight[:, 8]"
    keys = {"weight": text} if where == "weight" else {"systematics": {"up": text}}
    with pytest.raises(DataError) as caught:
        list(read_chunks(config(tmp_path, {"s": SIGNAL}, **keys), "s", systematics=True))
    what = "weight" if where == "weight" else "systematic variation 'up'"
    assert str(caught.value) == (
        f"sample 's', {path}: {what} ({text}): LHEScaleWeight[:, 8] is missing in 25 of 100 entries, at entries 3, "
        "7, 11, 15, 19, … (lists of 0 or 9 elements); no fill is right for every weight: write pad(LHEScaleWeight, "
        "9, 1.0)[:, 8] with the fill that you mean, or cut with `selection:`"
    )


def test_a_padded_weight_has_the_fill_where_the_list_is_short(tmp_path: Path, write_ntuple: Write) -> None:
    columns = with_lists(100, [9, 9, 9, 0], 1)
    write_ntuple(tmp_path / "s.root", columns)
    found = read(config(tmp_path, {"s": SIGNAL}, weight=PADDED)).weight
    factor = np.where(np.arange(100) % 4 == 3, 1.0, np.float32(1.8))
    np.testing.assert_allclose(found, columns["genWeight"] * factor, rtol=1e-12)


def test_a_condition_that_keeps_short_lists_out_needs_no_fill(tmp_path: Path, write_ntuple: Write) -> None:
    write_ntuple(tmp_path / "s.root", with_lists(100, [9, 0], 1))
    weight = "genWeight * where(len(LHEScaleWeight) > 8, LHEScaleWeight[:, 8], 2.0)"
    np.testing.assert_allclose(
        np.abs(read(config(tmp_path, {"s": SIGNAL}, weight=weight)).weight), np.resize([1.8, 2], 100)
    )


def test_lists_of_different_lengths_are_named(tmp_path: Path, write_ntuple: Write) -> None:
    write_ntuple(tmp_path / "s.root", with_lists(100, [9], 1))
    write_ntuple(tmp_path / "b.root", with_lists(100, [8], 2))
    both = config(tmp_path, {"s": SIGNAL, "b": BACKGROUND}, weight="genWeight * LHEScaleWeight[:, 4]")
    expected = r"a weight takes LHEScaleWeight\[:, 4\] from lists of different lengths \(9 in 's', 8 in 'b'\)"
    for look in (read, accumulate):
        with pytest.warns(HepnegWarning, match=expected):
            look(both)


# Normalisation


def nano(path: Path, columns: Mapping[str, Any], generated: float | None, branch: str = "genEventSumw") -> Path:
    with uproot.recreate(path) as file:
        file.mktree(
            "Events", {name: c.type.content if isinstance(c, ak.Array) else c.dtype for name, c in columns.items()}
        )
        file["Events"].extend(dict(columns))
        if generated is not None:
            file.mktree("Runs", {"run": np.uint32, branch: np.float64})
            file["Runs"].extend({"run": np.array([1, 2], np.uint32), branch: np.array([generated - 10, 10.0])})
    return path


@pytest.mark.parametrize("branch", ["genEventSumw", "genEventSumw_"])
def test_a_skim_is_normalised_by_its_own_sum_of_generator_weights(tmp_path: Path, branch: str) -> None:
    whole = toy_columns(400, 0, 1)
    kept = whole["x0"] > 0
    nano(tmp_path / "s.root", {name: column[kept] for name, column in whole.items()}, whole["genWeight"].sum(), branch)
    sample = SIGNAL | {"cross_section": 1.0}
    expected = 1000.0 * float(whole["genWeight"][kept].sum()) / float(whole["genWeight"].sum())
    said = (
        rf"sample 's': it is normalised to Σw = .* of Runs\.{branch}, while the weights of the events in its files sum"
    )
    with pytest.warns(HepnegWarning, match=said):
        events = read(config(tmp_path, {"s": sample}, luminosity=1.0))
    np.testing.assert_allclose(events.weight.sum(), expected, rtol=1e-12)
    with pytest.warns(HepnegWarning, match=said):
        sums = accumulate(config(tmp_path, {"s": sample}, luminosity=1.0))
    np.testing.assert_allclose(sums.scales["s"] * float(whole["genWeight"][kept].sum()), expected, rtol=1e-12)
    own = config(tmp_path, {"s": sample | {"sum_of_weights": "events"}}, luminosity=1.0)
    np.testing.assert_allclose(read(own).weight.sum(), 1000, rtol=1e-12)


def test_sums_that_agree_with_the_events_are_used_without_a_warning(tmp_path: Path) -> None:
    columns = toy_columns(400, 0, 1)
    nano(tmp_path / "s.root", columns, columns["genWeight"].sum())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        events = read(config(tmp_path, {"s": SIGNAL | {"cross_section": 2.0}}, luminosity=1.0), step_size=50)
    np.testing.assert_allclose(events.weight.sum(), 2000, rtol=1e-12)


def test_weights_in_another_unit_than_the_generators_are_refused(tmp_path: Path) -> None:
    columns = toy_columns(400, 0, 1)
    path = nano(tmp_path / "s.root", columns, 25_000.0 * float(columns["genWeight"].sum()))
    with uproot.update(path) as file:
        del file["Runs"]
        file.mktree("Runs", {"genEventSumw": np.float64, "genEventCount": np.int64})
        total = 25_000.0 * float(columns["genWeight"].sum())
        file["Runs"].extend({"genEventSumw": np.array([total]), "genEventCount": np.array([400])})
    sample = SIGNAL | {"cross_section": 2.0}
    with pytest.raises(
        DataError, match=r"weights of 0\.\d+ on average, those of Runs\.genEventSumw .*: they are in different units"
    ):
        read(config(tmp_path, {"s": sample}, luminosity=1.0))
    events = read(config(tmp_path, {"s": sample | {"sum_of_weights": "events"}}, luminosity=1.0))
    np.testing.assert_allclose(events.weight.sum(), 2000, rtol=1e-12)


def test_another_tree_can_be_named_and_must_be_there(tmp_path: Path, write_ntuple: Write) -> None:
    path = write_ntuple(tmp_path / "s.root", toy_columns(100, 0, 1))
    with uproot.update(path) as file:
        file.mktree("Metadata", {"total": np.float64})
        file["Metadata"].extend({"total": np.array([30.0, 50.0])})
    named = SIGNAL | {"cross_section": 2.0, "sum_of_weights": "Metadata.total"}
    with pytest.warns(HepnegWarning, match=r"Σw = 80 of Metadata\.total"):
        events = read(config(tmp_path, {"s": named}, luminosity=3.0))
    np.testing.assert_allclose(np.abs(events.weight), 2.0 * 1000 * 3 / 80)
    with pytest.raises(
        DataError, match=r"no 'Metadata\.totl', which `samples\.s\.sum_of_weights` names; did you mean 'Metadata\.to"
    ):
        read(config(tmp_path, {"s": named | {"sum_of_weights": "Metadata.totl"}}, luminosity=3.0))


def test_a_file_whose_skim_is_empty_still_counts_in_the_sum(tmp_path: Path) -> None:
    columns = toy_columns(100, 0, 1)
    nano(tmp_path / "s_0.root", columns, 60.0)
    nano(tmp_path / "s_1.root", {name: column[:0] for name, column in columns.items()}, 40.0)
    sample = {"label": "signal", "files": "s_*.root", "cross_section": 1.0}
    with pytest.warns(HepnegWarning, match=r"Σw = 100 of Runs\.genEventSumw"):
        events = read(config(tmp_path, {"s": sample}, luminosity=1.0), step_size=30)
    np.testing.assert_allclose(np.abs(events.weight), 10.0)


def test_files_without_the_sum_are_told(tmp_path: Path) -> None:
    first, second = (toy_columns(100, 0, seed, first_id=100 * seed) for seed in (0, 1))
    nano(tmp_path / "s_0.root", first, first["genWeight"].sum())
    nano(tmp_path / "s_1.root", second, None)
    sample = {"label": "signal", "files": "s_*.root", "cross_section": 1.0}
    with pytest.warns(HepnegWarning, match=r"1 of its files have no Runs\.genEventSumw"):
        events = read(config(tmp_path, {"s": sample}, luminosity=1.0))
    np.testing.assert_allclose(events.weight.sum(), 1000)


def test_an_interference_has_a_negative_cross_section_and_sum(pair: Path) -> None:
    raw = toy_columns(200, 1, 0)["genWeight"].astype(float)
    keys = {"luminosity": 2.0}
    negative = SIGNAL | {"cross_section": -0.3, "sum_of_weights": -50.0}
    np.testing.assert_allclose(read(config(pair, {"s": negative}, **keys)).weight, raw * 0.3 * 2000 / 50)
    turned = SIGNAL | {"cross_section": -0.3, "weight": "-1 * genWeight"}
    np.testing.assert_allclose(read(config(pair, {"s": turned}, **keys)).weight.sum(), -0.3 * 2000)
    with pytest.raises(ConfigError, match="cross_section and sum_of_weights must have the same sign"):
        config(pair, {"s": SIGNAL | {"cross_section": 0.3, "sum_of_weights": -50.0}}, **keys)
    with pytest.raises(DataError, match=r"sum to -\d+, so .* of 0\.3 pb; an interference takes both negative"):
        read(config(pair, {"s": SIGNAL | {"cross_section": 0.3, "weight": "-1 * genWeight"}}, **keys))
    with pytest.raises(ConfigError, match="must be a finite number other than 0"):
        config(pair, {"s": SIGNAL | {"cross_section": 0}}, **keys)


def test_a_scale_stands_beside_or_in_the_place_of_a_cross_section(pair: Path) -> None:
    samples = {"s": SIGNAL | {"cross_section": 1.2, "scale": 0.5}, "b": BACKGROUND | {"scale": -2.0}}
    events = read(config(pair, samples, luminosity=10.0))
    np.testing.assert_allclose(weight_of(events, "s").sum(), 0.5 * 1.2 * 10_000)
    np.testing.assert_array_equal(weight_of(events, "b"), -2 * toy_columns(200, 0, 1)["genWeight"])
    assert scale_factor(config(pair, samples, luminosity=10.0), "b", 17) == -2.0
    with pytest.raises(ConfigError, match="sample 'b' has no cross_section .* or `scale:` for a sample"):
        config(pair, {"s": samples["s"], "b": BACKGROUND}, luminosity=10.0)


def test_weights_of_very_different_sizes_in_one_class_are_told(pair: Path, write_ntuple: Write) -> None:
    small = toy_columns(200, 0, 5, first_id=5000)
    write_ntuple(pair / "small.root", small | {"genWeight": small["genWeight"] * np.float32(1e-3)})
    samples = {"s": SIGNAL, "b": BACKGROUND, "c": {"label": "background", "files": "small.root"}}
    said = r"the background samples 'b' and 'c' have weights of very different sizes \(Σ\|w\| per event 1 and 0\.001\)"
    for look in (read, accumulate):
        with pytest.warns(HepnegWarning, match=said):
            look(config(pair, samples))
    read(config(pair, samples | {"c": samples["c"] | {"scale": 1000.0}}))
    read(config(pair, samples | {"c": samples["c"] | {"label": "signal", "weight": "1000 * genWeight"}}))


# Lists of files


@pytest.mark.parametrize(
    ("names", "missing"),
    [
        (["a_0.root", "a_2.root"], ["a_1.root"]),
        (["a_01.root", "a_02.root", "a_04.root", "a_05.root"], ["a_03.root"]),
        (["nano9.root", "nano10.root", "nano12.root"], ["nano11.root"]),
        (["2016.root", "2018.root"], []),
        (["HT100to200.root", "HT200to400.root", "HT400to600.root"], []),
        (["a_1_x.root", "a_3_x.root", "b_2.root"], ["a_2_x.root"]),
        (["part_10.root", "part_2.root", "part_1.root"], []),
    ],
)
def test_gaps_in_numbered_files(names: list[str], missing: list[str]) -> None:
    assert missing_numbers(names) == missing


def test_a_gap_is_told_when_reading(tmp_path: Path, write_ntuple: Write) -> None:
    for number in (0, 2):
        write_ntuple(tmp_path / f"s_{number}.root", toy_columns(50, 0, number, first_id=100 * number))
    with pytest.warns(
        HepnegWarning, match=r"sample 's': the files 's_\*\.root' have gaps in their numbers: s_1\.root is not there"
    ):
        read(config(tmp_path, {"s": {"label": "signal", "files": "s_*.root"}}))


def test_fewer_files_than_the_last_training_had_are_told(tmp_path: Path, write_ntuple: Write) -> None:
    from hepneg import workflow

    for name, number in (("s_0", 0), ("s_1", 1), ("b", 2)):
        write_ntuple(tmp_path / f"{name}.root", toy_columns(200, number, number, first_id=1000 * number))
    training = {"scheme": "absolute", "folds": 2, "epochs": 1, "network": {"hidden": [4]}}
    samples = {"s": {"label": "signal", "files": "s_*.root"}, "b": BACKGROUND}
    workflow.train(config(tmp_path, samples, training=training))
    (tmp_path / "s_1.root").unlink()
    with pytest.warns(
        HepnegWarning, match=r"'s_\*\.root' matched 1 more files in the last training .*: s_1\.root is not there"
    ):
        read(config(tmp_path, samples, training=training))


def test_files_that_cannot_be_read_are_left_out_where_there_are_others(tmp_path: Path, write_ntuple: Write) -> None:
    columns = toy_columns(60, 0, 1)
    write_ntuple(tmp_path / "s_a.root", columns)
    write_ntuple(tmp_path / "s_b.root", {name: column for name, column in columns.items() if name != "x1"})
    (tmp_path / "s_c.root").write_bytes(b"")
    write_ntuple(tmp_path / "s_d.root", columns, tree="Other")
    sample = {"label": "signal", "files": "s_*.root"}
    with pytest.warns(HepnegWarning) as caught:
        events = read(config(tmp_path, {"s": sample}))
    np.testing.assert_array_equal(events.weight, columns["genWeight"])
    texts = " | ".join(str(warning.message) for warning in caught)
    assert "s_b.root: no branch 'x1'" in texts
    assert "60 of its 60 events are left out" in texts
    assert "s_c.root is not a ROOT file" in texts
    assert "s_d.root: there is no tree 'Events'" in texts
    for name in ("s_b.root", "s_c.root", "s_d.root"):
        with pytest.raises(DataError, match=name):
            read(config(tmp_path, {"s": {"label": "signal", "files": name}}))
    with pytest.raises(DataError, match="s_b.root: no branch 'x1'"):
        read(config(tmp_path, {"s": {"label": "signal", "files": ["s_b.root", "s_c.root"]}}))


def test_bad_numbers_never_pass_for_an_unreadable_file(tmp_path: Path, write_ntuple: Write) -> None:
    columns = toy_columns(60, 0, 1)
    write_ntuple(tmp_path / "s_a.root", columns)
    write_ntuple(tmp_path / "s_b.root", columns | {"genWeight": np.full(60, np.nan, np.float32)})
    with pytest.raises(DataError, match="weight 'genWeight' is NaN or infinite in 60"):
        read(config(tmp_path, {"s": {"label": "signal", "files": "s_*.root"}}))


# One sample, its own tree, weight, selection and friends


def test_a_sample_has_its_own_tree_weight_and_selection(pair: Path, write_ntuple: Write) -> None:
    columns = toy_columns(100, 0, 7, first_id=7000)
    write_ntuple(pair / "c.root", columns, tree="Other")
    own = {"label": "background", "files": "c.root", "tree": "Other", "weight": "2 * genWeight", "selection": "x1 < 0"}
    events = read(config(pair, {"s": SIGNAL, "c": own}, selection="x0 > 0"))
    kept = (columns["x0"] > 0) & (columns["x1"] < 0)
    np.testing.assert_array_equal(weight_of(events, "c"), 2 * columns["genWeight"][kept])
    np.testing.assert_array_equal(events.of_sample("c").event_id, columns["event"][kept])
    signal = toy_columns(200, 1, 0)
    np.testing.assert_array_equal(weight_of(events, "s"), signal["genWeight"][signal["x0"] > 0])


def test_a_weight_may_be_a_number(pair: Path) -> None:
    with pytest.warns(HepnegWarning, match="sample 's' has no negative weights"):
        events = read(config(pair, {"s": SIGNAL | {"weight": 1}, "b": BACKGROUND}))
    np.testing.assert_array_equal(weight_of(events, "s"), np.ones(200))
    with pytest.warns(HepnegWarning, match="has no negative weights"):
        assert read(config(pair, {"s": SIGNAL}, weight=2.5)).weight.tolist() == [2.5] * 200


def test_one_file_is_told_apart_by_a_label_column(pair: Path, write_ntuple: Write) -> None:
    columns = toy_columns(200, 0, 3) | {"isSignal": (np.arange(200) % 2).astype(np.int8)}
    write_ntuple(pair / "one.root", columns)
    samples = {
        "s": {"label": "signal", "files": "one.root", "selection": "isSignal == 1"},
        "b": {"label": "background", "files": "one.root", "selection": "isSignal == 0"},
    }
    events = read(config(pair, samples))
    np.testing.assert_array_equal(events.event_id[events.label == 1], np.arange(1, 200, 2))
    accumulate(config(pair, samples))
    for sample in samples.values():
        del sample["selection"]
    with pytest.raises(DataError, match="belongs to the samples 's' and 'b': its events would count twice"):
        read(config(pair, samples))


def test_the_same_events_in_both_classes_with_two_weights(pair: Path, write_ntuple: Write) -> None:
    columns = toy_columns(200, 0, 3)
    columns |= {"sw": columns["x0"] - 0.5, "bw": 0.5 - columns["x1"]}
    write_ntuple(pair / "one.root", columns)
    samples = {
        "s": {"label": "signal", "files": "one.root", "weight": "sw"},
        "b": {"label": "background", "files": "one.root", "weight": "bw"},
    }
    events = read(config(pair, samples))  # that identifiers repeat between samples does no harm: no warning
    np.testing.assert_array_equal(weight_of(events, "s"), columns["sw"])
    np.testing.assert_array_equal(weight_of(events, "b"), columns["bw"])
    np.testing.assert_array_equal(events.folds(5, 1)[:200], events.folds(5, 1)[200:])


def test_an_event_of_two_samples_of_a_class_is_refused(pair: Path) -> None:
    low = {"label": "background", "files": "b.root", "selection": "x0 < 0.5"}
    high = {"label": "background", "files": "b.root", "selection": "x0 > 0"}
    x0 = toy_columns(200, 0, 1)["x0"]
    common = np.flatnonzero((x0 < 0.5) & (x0 > 0))
    expected = (
        rf"b\.root: {len(common)} events belong to both samples 'low' and 'high' .* at entries {common[0]}, {common[1]}"
    )
    for look in (read, accumulate):
        with pytest.raises(DataError, match=expected):
            look(config(pair, {"s": SIGNAL, "low": low, "high": high}))
    exclusive = config(pair, {"s": SIGNAL, "low": low | {"selection": "x0 <= 0"}, "high": high})
    assert len(read(exclusive)) == 400
    by_weight = {"low": low | {"weight": "genWeight * (x0 <= 0)"}, "high": high}
    assert len(read(config(pair, {"s": SIGNAL, **by_weight}))) == 200 + np.sum(x0 < 0.5) + np.sum(x0 > 0)


def test_files_that_hold_the_same_events_are_refused_by_identifier(pair: Path, write_ntuple: Write) -> None:
    columns = toy_columns(200, 0, 1, first_id=1000)
    write_ntuple(pair / "skim.root", {name: column[50:90] for name, column in columns.items()})
    twice = {"s": SIGNAL, "b": BACKGROUND, "c": {"label": "background", "files": "skim.root"}}
    for look in (read, accumulate):
        with pytest.raises(DataError, match="40 events are there twice in both samples 'b' and 'c'"):
            look(config(pair, twice))
        with pytest.raises(DataError, match="40 events are there twice in sample 'b'"):
            look(config(pair, {"s": SIGNAL, "b": BACKGROUND | {"files": ["b.root", "skim.root"]}}))


def test_samples_that_number_their_events_alike_are_no_copies(pair: Path, write_ntuple: Write) -> None:
    for seed, name in enumerate("cd"):
        columns = toy_columns(200, 0, seed) | {"n": (np.arange(200) % 3 == seed).astype(np.float32)}
        write_ntuple(pair / f"{name}.root", columns)
    samples = {name: {"label": "signal", "files": f"{name}.root"} for name in "cd"}
    for features in (["x0"], ["n"]):
        assert len(read(config(pair, samples, features=features))) == 400


@pytest.mark.parametrize("friends", ["friends/{stem}.friend.root", ["friends/s.friend.root"]])
def test_friends_hold_more_columns_of_the_same_events(pair: Path, write_ntuple: Write, friends: Any) -> None:
    event = toy_columns(200, 1, 0)["event"]
    mass = np.random.default_rng(1).normal(size=200).astype(np.float32)
    write_ntuple(pair / "friends" / "s.friend.root", {"event": event, "mass": mass}, tree="extra", cluster=30)
    sample = SIGNAL | {"friends": friends, "weight": "genWeight * mass"}
    events = read(config(pair, {"s": sample}, features=["x0", "mass"], selection="mass > 0"), step_size=64)
    columns = toy_columns(200, 1, 0)
    np.testing.assert_array_equal(events.features, np.column_stack([columns["x0"], mass])[mass > 0])
    np.testing.assert_allclose(events.weight, (columns["genWeight"] * mass)[mass > 0], rtol=1e-6)


def test_friends_of_other_events_are_refused(pair: Path, write_ntuple: Write) -> None:
    event = toy_columns(200, 1, 0)["event"]
    mass = np.zeros(200, np.float32)
    write_ntuple(pair / "f.root", {"event": event[::-1].copy(), "mass": mass}, tree="extra")
    keys = {"features": ["x0", "mass"]}
    with pytest.raises(DataError, match=r"f\.root is not of the events of .*s\.root: 'event' differs"):
        read(config(pair, {"s": SIGNAL | {"friends": "f.root"}}, **keys))
    write_ntuple(pair / "f.root", {"mass": mass[1:]}, tree="extra")
    with pytest.raises(DataError, match=r"f\.root has 199 entries, but .*s\.root has 200"):
        read(config(pair, {"s": SIGNAL | {"friends": "f.root"}}, **keys))
    with pytest.raises(DataError, match=r"no file 'g\.root' in .*; check `samples\.s\.friends`"):
        read(config(pair, {"s": SIGNAL | {"friends": "g.root"}}, **keys))
    with pytest.raises(DataError, match="2 friends for 1 files; give one for each"):
        read(config(pair, {"s": SIGNAL | {"friends": ["f.root", "s.root"]}}, **keys))


# Data


def test_data_are_apart_with_the_weight_1(pair: Path, write_ntuple: Write) -> None:
    write_ntuple(pair / "d.root", {name: c for name, c in toy_columns(80, 0.5, 9).items() if name != "genWeight"})
    samples = {"s": SIGNAL, "b": BACKGROUND, "obs": {"label": "data", "files": "d.root", "selection": "x0 > 0"}}
    analysis = config(pair, samples)
    assert read(analysis).sample_names == ("s", "b")
    data = read(analysis, data=True)
    x0 = toy_columns(80, 0.5, 9)["x0"]
    np.testing.assert_array_equal(data.features[:, 0], x0[x0 > 0])
    np.testing.assert_array_equal(data.weight, np.ones(np.sum(x0 > 0)))
    assert data.label_of_sample("obs") == "data"
    with pytest.raises(DataError, match="measured data, which are never trained on"):
        from hepneg.models.training import train

        train(EventTable.concatenate([read(analysis), data]), "absolute", folds=2, epochs=1)
    assert set(accumulate(analysis).labels) == {"s", "b"}
    again = Config.from_dict(analysis.to_dict(), pair)
    assert again == analysis
    assert again.data["obs"].label == "data"


def test_data_take_a_weight_that_is_told_and_no_cross_section(pair: Path) -> None:
    fakes = {"label": "data", "files": "b.root", "weight": "0.1 * abs(x0)"}
    data = read(config(pair, {"s": SIGNAL, "obs": fakes}), data=True)
    np.testing.assert_allclose(data.weight, 0.1 * np.abs(toy_columns(200, 0, 1)["x0"]), rtol=1e-6)
    for given in ({"cross_section": 1.0}, {"sum_of_weights": 10.0}, {"scale": 3.0}):
        with pytest.raises(ConfigError, match="data have no cross_section, no sum_of_weights and no scale"):
            config(pair, {"s": SIGNAL, "obs": fakes | given})
    with pytest.raises(ConfigError, match="all `samples:` are data"):
        config(pair, {"obs": fakes})
    with pytest.raises(DataError, match="no sample with `label: data`"):
        read(config(pair, {"s": SIGNAL}), data=True)
    with pytest.raises(ConfigError, match=r"'samples\.obs\.files' is missing"):
        config(pair, {"s": SIGNAL, "obs": {"label": "data"}})


def test_fakes_from_data_minus_prompt_events(pair: Path, write_ntuple: Write) -> None:
    data = toy_columns(150, 0, 9, first_id=9000) | {"tight": np.arange(150) % 3 > 0}
    write_ntuple(pair / "d.root", data)
    samples = {
        "s": SIGNAL,
        "fakes": {"label": "background", "files": "d.root", "selection": "tight == 0", "weight": "0.2", "scale": 1},
        "prompt": {"label": "background", "files": "b.root", "selection": "x1 > 0", "weight": "-0.2 * genWeight"},
        "obs": {"label": "data", "files": "d.root", "selection": "tight == 1"},
    }
    with pytest.warns(HepnegWarning, match="sample 'fakes' has no negative weights"):
        events = read(config(pair, samples))
    np.testing.assert_allclose(weight_of(events, "fakes"), np.full(50, 0.2))
    prompt = toy_columns(200, 0, 1)
    np.testing.assert_allclose(weight_of(events, "prompt"), -0.2 * prompt["genWeight"][prompt["x1"] > 0].astype(float))


# Folds and identifiers


def test_folds_by_an_expression(pair: Path) -> None:
    analysis = config(pair, {"s": SIGNAL, "b": BACKGROUND}, folds={"by": "event % 2", "count": 2})
    assert analysis.training.folds == 2
    events = read(analysis, step_size=33)
    np.testing.assert_array_equal(events.folds(2, 1), events.event_id % 2)
    half = events.select(events.features[:, 0] > 0)
    np.testing.assert_array_equal(half.folds(2, 7), half.event_id % 2)
    with pytest.raises(ConfigError, match=r"`folds\.count` is 2, but `training\.folds` is 5"):
        config(pair, {"s": SIGNAL}, folds={"by": "event % 2", "count": 2}, training={"folds": 5})
    with pytest.raises(
        DataError,
        match=r"folds: 'event % 3' is 2 at entries 2, 5, 8, 11, 14, …, but a fold is a whole number from 0 to 1",
    ):
        read(config(pair, {"s": SIGNAL}, folds={"by": "event % 3", "count": 2}))


def test_rows_of_one_event_share_a_fold(pair: Path, write_ntuple: Write) -> None:
    columns = toy_columns(300, 0, 3) | {"event": np.repeat(np.arange(100, dtype=np.uint64), 3)}
    write_ntuple(pair / "c.root", columns)
    with pytest.warns(HepnegWarning, match="identifiers repeat"):
        folds = read(config(pair, {"c": {"label": "signal", "files": "c.root"}})).folds(5, 1)
    assert (np.ptp(folds.reshape(100, 3), axis=1) == 0).all()
    assert len(np.unique(folds)) == 5


def test_a_table_of_arrays_knows_its_events_by_content() -> None:
    rng = np.random.default_rng(1)
    features, weight, label = rng.normal(size=(500, 4)), rng.choice([-1.0, 1.0], 500), rng.integers(0, 2, 500)
    whole = EventTable.from_arrays(features, weight, label)
    order = rng.permutation(500)[:321]
    part = EventTable.from_arrays(features[order], 3 * weight[order], label[order])
    np.testing.assert_array_equal(part.folds(5, 1), whole.folds(5, 1)[order])
    counts = np.bincount(whole.folds(5, 1), minlength=5)
    assert abs(counts - 100).max() < 5 * np.sqrt(500 * 0.2 * 0.8)
    known = EventTable.from_arrays(features, weight, label, event_id=np.arange(500))
    np.testing.assert_array_equal(known.folds(5, 1), assign_folds(np.arange(500), 5, 1))
    copies = EventTable.from_arrays(np.repeat(features, 3, axis=0), np.repeat(weight, 3), np.repeat(label, 3))
    np.testing.assert_array_equal(copies.folds(5, 1), np.repeat(whole.folds(5, 1), 3))
    few = EventTable.from_arrays(np.ones((400, 1)), rng.normal(size=400), np.arange(400) % 2)
    assert len(np.unique(few.event_id)) == 100
    again = few.select(rng.permutation(400))
    other = EventTable.from_arrays(again.features, again.weight, again.label)
    np.testing.assert_array_equal(other.event_id, again.event_id)
    signed_zero = EventTable.from_arrays([[0.0], [-0.0]], [1, -1], [0, 1])
    assert signed_zero.event_id[0] == signed_zero.event_id[1]


def test_a_table_of_arrays_takes_folds() -> None:
    table = EventTable.from_arrays(np.zeros((4, 1)), np.ones(4), [0, 1, 0, 1], fold=[0, 1, 2, 1])
    np.testing.assert_array_equal(table.folds(3, 1), [0, 1, 2, 1])
    np.testing.assert_array_equal(EventTable.concatenate([table, table]).folds(3, 1), [0, 1, 2, 1] * 2)
    with pytest.raises(DataError, match="in 3 folds by their own account, but 2 were asked for"):
        table.folds(2, 1)
    with pytest.raises(DataError, match="fold is 127 at entry 3"):
        EventTable.from_arrays(np.zeros((4, 1)), np.ones(4), [0, 1, 0, 1], fold=[0, 1, 2, 127])
    with pytest.raises(DataError, match="fold must be 4 integers, not float64"):
        EventTable.from_arrays(np.zeros((4, 1)), np.ones(4), [0, 1, 0, 1], fold=[0.0, 1, 2, 3])

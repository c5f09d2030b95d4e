"""Collections of objects: as they come from lists and files, in tables, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import torch
from jet_toys import JETS, jet_analysis, jet_collection, jet_columns, jet_table

import hepneg
from hepneg.errors import ConfigError, DataError
from hepneg.events import selected
from hepneg.networks.objects import object_rows, unpacked
from hepneg.networks.packed_rows import PackedRows, dense_rows

Write = Callable[..., Path]


def test_lists_are_cut_in_their_order_and_kept_without_padding() -> None:
    lists = [[5.0, 1.0, 9.0], [], [2.0]]
    made = hepneg.Collection.from_lists({"pt": lists, "twice": ak.Array(lists) * 2}, most=2)
    np.testing.assert_array_equal(made.contents, [[5, 10], [1, 2], [2, 4]])
    np.testing.assert_array_equal(made.offsets, [0, 2, 2, 3])
    assert made.contents.dtype == np.float32
    with pytest.raises(ValueError, match="read-only"):
        made.contents[0, 0] = 1


@pytest.mark.parametrize(
    ("features", "more", "message"),
    [
        ({"pt": [[1, 2], [3]], "eta": [[1], [2]]}, {}, "'pt' and 'eta' have lists of different lengths in 1 events"),
        ({"pt": [[1]], "eta": [[1], [2]]}, {}, "'pt' is of 1 events, but 'eta' is of 2"),
        ({"pt": [1, 2]}, {}, "'pt' is no list of numbers for each event"),
        ({"pt": [["a"]]}, {}, "'pt' is no list of numbers for each event"),
        ({"pt": [[[1]]]}, {}, "'pt' is no list of numbers for each event"),
        ({"pt": [[1], [np.nan]]}, {}, "1 events have NaN or infinite values in 'pt', at entry 1"),
        ({}, {}, "at least one feature"),
        ({"pt": [[1]]}, {"most": 0}, "most must be a whole number of at least 1"),
        ({"pt": [[1]]}, {"most": 5000}, "most must be at most 1024"),
        ({"pt": [[1]]}, {"categories": {"p": [1]}}, "categories of 'p', which is no feature"),
        ({"pt": [[1]]}, {"categories": {"pt": [1, 1]}}, "1 to 256 different numbers"),
        ({"pt": [[1]]}, {"categories": {"pt": [0.5]}}, "categories are whole numbers"),
    ],
)
def test_what_is_no_collection_is_refused_in_one_line(features: Any, more: Any, message: str) -> None:
    with pytest.raises(DataError, match=message) as refused:
        hepneg.Collection.from_lists(features, **{"most": 3, **more})
    assert "\n" not in str(refused.value)


def test_selection_and_joining_keep_each_event_with_its_objects() -> None:
    table = jet_table()
    jets = table.collections["jets"]
    chosen = np.random.default_rng(1).permutation(len(table))[:300]
    part = table.select(chosen)
    for place in (0, 7, 299):
        event = chosen[place]
        mine = part.collections["jets"]
        own = mine.contents[mine.offsets[place] : mine.offsets[place + 1]]
        np.testing.assert_array_equal(own, jets.contents[jets.offsets[event] : jets.offsets[event + 1]])
    mask = np.arange(len(table)) % 3 == 0
    joined = hepneg.EventTable.concatenate([table.select(mask), table.select(~mask)])
    order = np.concatenate([np.flatnonzero(mask), np.flatnonzero(~mask)])
    assert joined.collections["jets"] == jets.select(order)
    assert hash(joined.collections["jets"]) == hash(jets.select(order))
    assert joined.collections["jets"] != jets
    other = hepneg.EventTable.concatenate([joined]).select(np.arange(3))
    with pytest.raises(DataError, match="different collections"):
        hepneg.EventTable.concatenate([other, jet_table(3, collections={})])
    with pytest.raises(DataError, match="different features, categories or numbers"):
        hepneg.Collection.concatenate([jet_collection(jet_columns(3, 0.0, 1), most) for most in (2, 3)])


def test_the_objects_and_their_order_identify_an_event_by_content() -> None:
    same, label = np.zeros((3, 1)), [0, 1, 0]

    def ids(lists: Any) -> np.ndarray:
        jets = hepneg.Collection.from_lists({"pt": lists}, most=4)
        return hepneg.EventTable.from_arrays(same, np.ones(3), label, collections={"jets": jets}).event_id

    first = ids([[1, 2], [2, 1], []])
    assert len(np.unique(first)) == 3
    np.testing.assert_array_equal(first, ids([[1, 2], [2, 1], []]))
    assert ids([[1, 3], [2, 1], []])[0] != first[0]


def test_collections_of_a_table_are_checked() -> None:
    jets = hepneg.Collection.from_lists({"pt": [[1], [2]]}, most=1)
    for collections, message in (
        ({"jets": jets}, "collection 'jets' is of 2 events, but there are 3"),
        ({"jets": [[1], [2], [3]]}, "give hepneg.Collection.from_lists"),
        ({"features": jets}, "no name of a collection"),
        ({"my jets": jets}, "no name of a collection"),
    ):
        with pytest.raises(DataError, match=message):
            hepneg.EventTable.from_arrays(np.zeros((3, 1)), np.ones(3), [0, 1, 0], collections=collections)


def test_the_rows_of_a_batch_hold_what_the_events_do() -> None:
    table = jet_table(50)
    inputs, layout = table.inputs, table.layout
    index = torch.tensor([99, 0, 3, 3])
    packed = PackedRows.of(inputs, np.arange(100))
    rows = packed.index_select(0, index)
    np.testing.assert_array_equal(rows[:, -1], index)
    features, objects = unpacked(rows[:, :-1], layout)
    np.testing.assert_array_equal(features, table.features[index])
    jets = table.collections["jets"]
    values, mask = objects["jets"]
    np.testing.assert_array_equal(mask.sum(1), jets.counts[index])
    np.testing.assert_array_equal(values, jets.padded()[index][:, : values.shape[1]])
    np.testing.assert_array_equal(object_rows(objects["jets"], 3), rows[:, 2:-1])
    np.testing.assert_array_equal(dense_rows(selected(inputs, index.numpy()), 0, 4), rows[:, :-1])
    with pytest.raises(ValueError, match="columns, not"):
        unpacked(rows, layout)


def test_files_are_read_as_their_expressions_say(tmp_path: Path, write_ntuple: Write) -> None:
    collections = {
        "jets": {"features": {**JETS, "to_lepton": "abs(jet_eta - x1)"}, "most": 2},
        "lepton": {"features": ["x1", {"charge": {"categories": [-1, 1]}}], "most": 1},
    }
    path = jet_analysis(tmp_path, write_ntuple, collections=collections, selection="x0 > 0")
    events = hepneg.read(hepneg.load_config(path))
    parts = [jet_columns(400, shift, number) for number, shift in enumerate((1.0, 0.0))]
    keep = np.concatenate([part["x0"] > 0 for part in parts])
    pt = ak.concatenate([part["jet_pt"] for part in parts])[keep][:, :2]
    eta = ak.concatenate([part["jet_eta"] for part in parts])[keep][:, :2]
    x1 = np.concatenate([part["x1"] for part in parts])[keep]
    jets, lepton = events.collections["jets"], events.collections["lepton"]
    np.testing.assert_array_equal(jets.counts, ak.num(pt))
    np.testing.assert_array_equal(jets.contents[:, 0], ak.flatten(pt))
    np.testing.assert_allclose(jets.contents[:, 3], ak.flatten(abs(eta - x1)), rtol=1e-6)
    np.testing.assert_array_equal(lepton.counts, 1)
    np.testing.assert_array_equal(lepton.contents[:, 0], x1)
    assert lepton.categories == {"charge": (-1, 1)}
    again = hepneg.read(hepneg.load_config(path), step_size=37)
    assert again.collections["jets"] == jets


def test_files_with_objects_that_do_not_fit_are_refused_in_one_line(tmp_path: Path, write_ntuple: Write) -> None:
    def refusal(features: Any, **change: Any) -> str:
        collections = {"jets": {"features": features, "most": 3}}
        path = jet_analysis(tmp_path, write_ntuple, collections=collections, **change)
        with pytest.raises((DataError, ConfigError)) as refused:
            hepneg.read(hepneg.load_config(path))
        assert "\n" not in str(refused.value)
        return str(refused.value)

    assert "have lists of different lengths" in refusal(["jet_pt", "jet_eta[jet_eta > 0]"])
    assert "collection 'jets' is empty in all 800 events" in refusal(["jet_pt[jet_pt < 0]"])
    assert "jet_ptt" in refusal(["jet_ptt"])
    assert "did you mean" in refusal(["jet_ptt"])
    assert "have lists of different lengths" in refusal(["jet_pt", "x0"])
    assert "feature 'jets.log(jet_pt - 50)' is NaN or infinite" in refusal(["log(jet_pt - 50)"])
    path = jet_analysis(
        tmp_path, write_ntuple, collections={"jets": {"features": ["log(jet_pt - 30)"], "most": 3}}, on_nan="drop"
    )
    with pytest.warns(hepneg.HepnegWarning, match="selected events are left out"):
        events = hepneg.read(hepneg.load_config(path))
    expected = [
        not ak.any(part["jet_pt"][:, :3] <= 30, axis=1)[row]
        for part in (jet_columns(400, 1.0, 0), jet_columns(400, 0.0, 1))
        for row in range(400)
    ]
    assert len(events) == sum(expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"collections": {"jets": {"features": ["a"]}}}, "'collections.jets.most' is missing"),
        ({"collections": {"jets": {"features": ["a"], "most": 0}}}, "collections.jets.most"),
        ({"collections": {"jets": {"features": ["a"], "most": 10000}}}, "collections.jets.most"),
        ({"collections": {"jets": {"features": [], "most": 1}}}, "collections.jets.features"),
        ({"collections": {"jets": {"features": ["a", {"a": "b"}], "most": 1}}}, "'a' is listed twice"),
        ({"collections": {"jets": {"feature": ["a"], "most": 1}}}, "unknown key 'collections.jets.feature'"),
        ({"collections": {"features": {"features": ["a"], "most": 1}}}, "collection name 'features'"),
        ({"features": [{"x0": {"categories": [0.5]}}]}, "categories are whole numbers"),
        ({"features": [{"x0": {"categories": "many"}}]}, "categories"),
        ({"training": {"network": "mlp"}}, "network 'mlp' takes features alone, not the collections jets"),
        ({"collections": {}}, "network 'deep_sets' takes collections, and there are none"),
    ],
)
def test_a_configuration_with_odd_collections_is_refused(
    tmp_path: Path, write_ntuple: Write, change: dict[str, Any], message: str
) -> None:
    path = jet_analysis(tmp_path, write_ntuple, events=2, **change)
    with pytest.raises(ConfigError, match=message) as refused:
        hepneg.load_config(path)
    assert "\n" not in str(refused.value)


def test_a_configuration_is_written_as_it_was_read(tmp_path: Path, write_ntuple: Write) -> None:
    config = hepneg.load_config(jet_analysis(tmp_path, write_ntuple, events=2))
    again = hepneg.Config.from_dict(config.to_dict(), tmp_path)
    assert again.collections == config.collections
    assert again.features == config.features

"""Bad input: each gives one line that says what is wrong, where, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot
from conftest import toy_columns

from hepneg.config import Config
from hepneg.errors import DataError, HepnegError, HepnegWarning
from hepneg.events import EventTable
from hepneg.ntuples import read
from hepneg.shapes.two_passes import accumulate

KINDS = ("ttree", "rntuple")
NEAR = {"ttree": "'jet_pt' or 'njet_pt'", "rntuple": "'jet_pt'"}
Write = Callable[..., Path]


def config_for(path: Path, **keys: Any) -> Config:
    data = {
        "weight": "genWeight",
        "event_id": "event",
        "samples": {"s": {"label": "signal", "files": path.name}},
        "features": ["x0", "x1"],
    }
    return Config.from_dict({**data, **keys}, path.parent)


def message_of(path: Path, **keys: Any) -> str:
    with pytest.raises(DataError) as caught:
        read(config_for(path, **keys))
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_missing_file(tmp_path: Path) -> None:
    message = message_of(tmp_path / "none.root")
    assert message == f"sample 's': no file 'none.root' in {tmp_path}; check `samples.s.files`"


def test_glob_without_a_match(tmp_path: Path) -> None:
    assert f"no file matches 'part_*.root' in {tmp_path}" in message_of(tmp_path / "part_*.root")


@pytest.mark.parametrize("content", [b"", b"abc", b"not a ROOT file, but long enough to have a header" * 10])
def test_not_a_root_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.root").write_bytes(content)
    assert f"{tmp_path / 'a.root'} is not a ROOT file; give the path of" in message_of(tmp_path / "a.root")


def test_a_folder_instead_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.root").mkdir()
    assert f"cannot read {tmp_path / 'a.root'}: Is a directory" in message_of(tmp_path / "a.root")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.05, 0.5, 0.99])
def test_truncated_file(tmp_path: Path, write_ntuple: Write, kind: str, share: float) -> None:
    path = write_ntuple(tmp_path / "a.root", toy_columns(500, 0, 1), kind)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    message = message_of(path)
    assert f"{path} is truncated: it should have {len(whole)} bytes, but has {int(share * len(whole))}" in message


@pytest.mark.parametrize("kind", KINDS)
def test_damage_that_shows_only_while_reading(tmp_path: Path, write_ntuple: Write, kind: str) -> None:
    columns = toy_columns(4000, 0, 1)
    path = write_ntuple(tmp_path / "a.root", columns, kind, cluster=1000)
    whole = bytearray(path.read_bytes())
    _spoil_column(path, whole, kind)
    path.write_bytes(whole)
    message = message_of(path)
    assert f"cannot read entries 0 to 3999 of {path}" in message
    assert "the file is damaged, fetch or write it again" in message


def _spoil_column(path: Path, whole: bytearray, kind: str) -> None:
    """Overwrite the compressed bytes of the last basket or page of x1."""
    with uproot.open({str(path): None}) as file:
        tree = file["Events"]
        if kind == "ttree":
            start = int(tree["x1"].member("fBasketSeek")[3])
            stop = start + int(tree["x1"].member("fBasketBytes")[3])
        else:
            page = tree.ntuple.page_link_list[3][tree.keys().index("x1")].pages[0]
            start, stop = page.locator.offset, page.locator.offset + page.locator.num_bytes
    middle = (start + stop) // 2
    whole[middle - 200 : middle + 200] = b"\xaa" * 400


@pytest.mark.parametrize("kind", KINDS)
def test_random_damage_is_never_a_traceback(tmp_path: Path, write_ntuple: Write, kind: str) -> None:
    path = write_ntuple(tmp_path / "a.root", toy_columns(300, 0, 1), kind)
    whole = path.read_bytes()
    clean = read(config_for(path))
    rng = np.random.default_rng(7)
    refused = 0
    for _ in range(60):
        spoilt = bytearray(whole)
        start = int(rng.integers(100, len(whole) - 20))
        spoilt[start : start + 12] = rng.bytes(12)
        path.write_bytes(spoilt)
        try:
            events = read(config_for(path))
        except HepnegError as error:
            refused += 1
            assert str(path) in str(error)
        except HepnegWarning:
            pass
        else:
            assert isinstance(events, EventTable)
            assert len(events) in (len(clean), 0, *range(len(clean)))
    assert refused > 0


def test_missing_tree_offers_near_names_of_trees_only(tmp_path: Path, write_ntuple: Write) -> None:
    path = write_ntuple(tmp_path / "a.root", toy_columns(5, 0, 1))
    with uproot.update(path) as file:
        file["Event"] = np.histogram(np.zeros(3))
    assert message_of(path, tree="events") == f"{path}: there is no tree 'events'; did you mean 'Events'?"
    assert message_of(path, tree="Event") == f"{path}: 'Event' is a TH1D, not a tree; did you mean 'Events'?"


def test_a_file_without_any_tree(tmp_path: Path) -> None:
    path = tmp_path / "a.root"
    with uproot.recreate(path) as file:
        file["h"] = np.histogram(np.zeros(3))
    assert "there is no tree 'Events'; it has no tree at all" in message_of(path)


@pytest.mark.parametrize("kind", KINDS)
def test_missing_branch_offers_near_names_and_its_user(tmp_path: Path, write_ntuple: Write, kind: str) -> None:
    path = write_ntuple(tmp_path / "a.root", toy_columns(5, 0, 1), kind)
    message = message_of(path, features=[{"f": "jetpt[:, 0]"}])
    assert message == f"{path}: no branch 'jetpt', which feature 'f' needs; did you mean {NEAR[kind]}?"
    assert "which weight needs; did you mean 'genWeight'?" in message_of(path, weight="genweight")
    assert "which event_id needs; did you mean 'event'?" in message_of(path, event_id="evnt")
    assert "which selection needs" in message_of(path, selection="nothing > 1")


@pytest.mark.parametrize(
    ("values", "kind_of_branch", "remedy"),
    [
        (["a", "b"], "string", ', and a text where it is compared with a constant, odd == "…"'),
        ([[[[1.0]]], []], "var * var * var * float64", ""),
        ([{"a": 1}, {"a": 2}], "{a: int64}", "; its members are named as in odd.a"),
    ],
)
def test_branch_of_an_unusable_type(tmp_path: Path, values: list[Any], kind_of_branch: str, remedy: str) -> None:
    path = tmp_path / "a.root"
    columns = {name: toy_columns(2, 0, 1)[name] for name in ("event", "genWeight", "x0")}
    with uproot.recreate(path) as file:
        file.mkrntuple("Events", ak.zip({**columns, "odd": ak.Array(values)}, depth_limit=1))
    message = message_of(path, features=["x0", "odd"])
    assert message == (
        f"{path}: branch 'odd', which feature 'odd' needs, holds {kind_of_branch}; only numbers and lists of "
        f"numbers can be used{remedy}"
    )


def test_lists_where_one_number_is_needed(tmp_path: Path, write_ntuple: Write) -> None:
    path = write_ntuple(tmp_path / "a.root", toy_columns(5, 0, 1))
    assert f"sample 's', {path}: weight: expression 'jet_pt' gives a list" in message_of(path, weight="jet_pt")
    assert "feature 'jet_pt': expression 'jet_pt' gives a list" in message_of(path, features=["jet_pt"])
    assert "selection: expression 'jet_pt > 1' gives a list" in message_of(path, selection="jet_pt > 1")


def test_an_identifier_that_is_no_integer(tmp_path: Path, write_ntuple: Write) -> None:
    path = write_ntuple(tmp_path / "a.root", toy_columns(5, 0, 1))
    message = message_of(path, event_id="jet_pt")
    assert "branch 'jet_pt', which event_id needs, holds" in message
    assert "must be one integer per event: write jet_pt[:, 0] for the first" in message
    message = message_of(path, event_id="x0")
    assert "event_id 'x0' holds float32, and at entries 0, 1, 2, 3, 4 it is no whole number below 2**24" in message
    assert "at entry 3 it is no whole number" in message_of(
        write_ntuple(tmp_path / "b.root", toy_columns(5, 0, 1) | {"id": np.array([1.0, 2.0, 3.0, 2.0**53, 5.0])}),
        event_id="id",
    )


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weight_that_is_not_finite(tmp_path: Path, write_ntuple: Write, value: float) -> None:
    columns = toy_columns(50, 0, 1)
    columns["genWeight"][[3, 17]] = value
    path = write_ntuple(tmp_path / "a.root", columns)
    message = message_of(path)
    assert f"sample 's', {path}: weight 'genWeight' is NaN or infinite in 2 of the 50 entries" in message
    assert "at entries 3, 17;" in message


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_feature_that_is_not_finite(tmp_path: Path, write_ntuple: Write, value: float) -> None:
    columns = toy_columns(50, 0, 1)
    columns["x1"][[4, 20, 21]] = value
    path = write_ntuple(tmp_path / "a.root", columns)
    message = message_of(path)
    assert f"sample 's', {path}: feature 'x1' is NaN or infinite in 3 selected events" in message
    assert "at entries 4, 20, 21; mend the expression" in message
    assert "`on_nan: drop`" in message
    with pytest.warns(HepnegWarning, match=r"3 of 50 selected events are left out"):
        events = read(config_for(path, on_nan="drop"))
    np.testing.assert_array_equal(events.event_id, np.delete(np.arange(50), [4, 20, 21]))
    np.testing.assert_array_equal(events.feature("x0"), np.delete(columns["x0"], [4, 20, 21]))


def test_entries_in_messages_count_from_the_start_of_the_file(tmp_path: Path, write_ntuple: Write) -> None:
    columns = toy_columns(50, 0, 1)
    columns["x1"][41] = np.nan
    path = write_ntuple(tmp_path / "a.root", columns)
    with pytest.raises(DataError, match="at entry 41;"):
        read(config_for(path, selection=f"event == 41 or x0 > {columns['x0'].mean()}"), step_size=7)


def test_features_of_rejected_events_may_be_nan(tmp_path: Path, write_ntuple: Write) -> None:
    columns = toy_columns(50, 0, 1)
    columns["x1"][columns["x0"] < 0] = np.nan
    events = read(config_for(write_ntuple(tmp_path / "a.root", columns), selection="x0 >= 0"))
    assert len(events) == np.count_nonzero(columns["x0"] >= 0)


def test_selection_that_keeps_nothing(tmp_path: Path, write_ntuple: Write) -> None:
    path = write_ntuple(tmp_path / "a.root", toy_columns(50, 0, 1))
    message = message_of(path, selection="x0 > 1000")
    assert message == "sample 's': the selection 'x0 > 1000' keeps none of 50 entries; check `selection:` and the files"


def test_dropping_everything_says_so(tmp_path: Path, write_ntuple: Write) -> None:
    columns = toy_columns(5, 0, 1) | {"x1": np.full(5, np.nan, dtype=np.float32)}
    path = write_ntuple(tmp_path / "a.root", columns)
    assert "none of 5 entries is left (5 events were dropped for NaN features)" in message_of(path, on_nan="drop")


def test_a_file_without_entries(tmp_path: Path, write_ntuple: Write) -> None:
    path = write_ntuple(tmp_path / "a.root", {k: v[:0] for k, v in toy_columns(3, 0, 1).items()})
    assert "sample 's': its files have no entries; check" in message_of(path)


@pytest.mark.parametrize("reader", [read, accumulate])
def test_a_sample_without_any_weight(tmp_path: Path, write_ntuple: Write, reader: Callable[..., Any]) -> None:
    path = write_ntuple(tmp_path / "a.root", toy_columns(50, 0, 1) | {"w": np.zeros(50)})
    with pytest.raises(DataError, match="sample 's': every selected event has the weight 0; check `weight:`"):
        reader(config_for(path, weight="w"))


def test_a_file_of_two_samples(tmp_path: Path, write_ntuple: Write) -> None:
    path = write_ntuple(tmp_path / "ttZ.root", toy_columns(100, 0.0, 1))
    write_ntuple(tmp_path / "ttW.root", toy_columns(100, 0.0, 2, first_id=100))
    samples = {"s": {"label": "signal", "files": "ttZ.root"}, "b": {"label": "background", "files": "tt*.root"}}
    message = message_of(path, samples=samples)
    assert message == (
        f"{path} belongs to the samples 's' and 'b': its events would count twice; "
        "correct `samples.s.files` or `samples.b.files`, or tell them apart by `selection:`"
    )
    with pytest.raises(DataError, match="belongs to the samples 's' and 'b'"):
        accumulate(config_for(path, samples=samples))


@pytest.mark.parametrize("reader", [read, accumulate])
def test_events_that_are_left_out_are_counted(tmp_path: Path, write_ntuple: Write, reader: Callable[..., Any]) -> None:
    columns = toy_columns(200, 0.0, 1)
    columns["x0"][:30] = np.nan
    path = write_ntuple(tmp_path / "nan.root", columns)
    with pytest.warns(HepnegWarning, match=r"sample 's': 30 of 200 selected events are left out"):
        reader(config_for(path, on_nan="drop"))


def test_a_sample_of_both_labels() -> None:
    with pytest.raises(DataError, match="sample '2018' has events of several labels"):
        EventTable.from_arrays(np.zeros((4, 1)), np.ones(4), [0, 1, 0, 1], sample=np.full(4, "2018"))

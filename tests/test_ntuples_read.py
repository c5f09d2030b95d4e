"""Reading: the same events from TTree and RNTuple, in any steps, with weights and identifiers untouched."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
from conftest import EVENTS, toy_columns
from hypothesis import example, given
from hypothesis import strategies as st

from hepneg._core.hashing import assign_folds
from hepneg.config import Config, load_config
from hepneg.errors import DataError, HepnegWarning
from hepneg.events import EventTable
from hepneg.ntuples import read, read_chunks, scale_factor
from hepneg.ntuples.exact_sums import exact_sum
from hepneg.ntuples.files import resolve_files

KINDS = ("ttree", "rntuple")
ARRAYS = ("features", "weight", "label", "sample", "event_id")


def one_sample(path: Path | list[str], **keys: Any) -> Config:
    files = [str(path)] if isinstance(path, Path) else path
    data = {
        "weight": "genWeight",
        "event_id": "event",
        "samples": {"s": {"label": "signal", "files": files}},
        "features": ["x0"],
    }
    return Config.from_dict({**data, **keys}, files and Path(files[0]).parent)


def same(first: EventTable, second: EventTable) -> bool:
    return all(np.array_equal(getattr(first, name), getattr(second, name)) for name in ARRAYS)


def test_the_toy_analysis_is_read_as_it_was_written(toy_analysis: Path) -> None:
    events = read(load_config(toy_analysis))
    written = toy_columns(EVENTS, 1.0, 1, negative_fraction=0.15)
    signal = events.of_sample("sig")
    np.testing.assert_array_equal(signal.weight, written["genWeight"].astype(np.float64))
    np.testing.assert_array_equal(signal.event_id, written["event"])
    np.testing.assert_array_equal(signal.feature("x0"), written["x0"])
    first_jet = ak.fill_none(ak.firsts(written["jet_pt"]), 0.0)
    np.testing.assert_array_equal(signal.feature("jet1_pt"), first_jet.to_numpy())
    assert events.features.T.flags.c_contiguous
    assert (events.sample_names, events.feature_names) == (("sig", "bkg"), ("x0", "x1", "logx2", "jet1_pt"))
    np.testing.assert_array_equal(np.unique(signal.label), [1])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("step_size", [1, 7, 64, 1000, "2 kB"])
def test_any_step_gives_the_same_table(
    tmp_path: Path, write_ntuple: Callable[..., Path], kind: str, step_size: int | str
) -> None:
    columns = toy_columns(200, 0.5, 3)
    columns["genWeight"] = (columns["genWeight"] * np.random.default_rng(1).lognormal(size=200)).astype(np.float32)
    path = write_ntuple(tmp_path / "a.root", columns, kind, cluster=33)
    keys = {
        "samples": {"s": {"label": "signal", "files": "a.root", "cross_section": 3.0}},
        "luminosity": 2.0,
        "selection": "len(jet_pt) >= 1",
        "features": ["x0", {"j": "jet_pt[:, 1]"}],
    }
    assert same(read(one_sample(path, **keys)), read(one_sample(path, **keys), step_size=step_size))


@pytest.mark.parametrize("kind", KINDS)
def test_small_windows_give_the_same_table(
    tmp_path: Path, write_ntuple: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    from hepneg.ntuples import column_stream as stream

    config = one_sample(
        write_ntuple(tmp_path / "a.root", toy_columns(500, 0, 1), kind, cluster=33), selection="x1 > -1"
    )
    whole = read(config)
    reads: list[int] = []
    plain = stream._Windows.take
    monkeypatch.setattr(stream, "_WINDOW", "1 kB")
    monkeypatch.setattr(stream._Windows, "take", lambda windows, start: reads.append(start) or plain(windows, start))
    assert same(whole, read(config, step_size=20))
    assert len(reads) > 5


def test_ttree_and_rntuple_give_the_same_table(tmp_path: Path, write_ntuple: Callable[..., Path]) -> None:
    keys = {"features": ["x0", {"ht": "sum(jet_pt)"}, {"n": "len(jet_pt)"}], "selection": "x1 > -1"}
    paths = [write_ntuple(tmp_path / f"{kind}.root", toy_columns(500, 0, 1), kind, cluster=77) for kind in KINDS]
    first, second = (read(one_sample(path, **keys)) for path in paths)
    assert same(first, second)


@pytest.mark.parametrize("kind", KINDS)
def test_event_numbers_keep_all_64_bits(tmp_path: Path, write_ntuple: Callable[..., Path], kind: str) -> None:
    columns = toy_columns(4, 0, 1)
    columns["genWeight"][0] = -1
    columns["event"] = np.array([2**63 + 1, 2**63 + 2, 2**64 - 1, 5], dtype=np.uint64)
    path = write_ntuple(tmp_path / "a.root", columns, kind)
    np.testing.assert_array_equal(read(one_sample(path)).event_id, columns["event"])


def test_several_identifying_branches_of_mixed_types_stay_integers(
    tmp_path: Path, write_ntuple: Callable[..., Path]
) -> None:
    columns = toy_columns(50, 0, 1) | {"run": np.repeat(np.array([-1, 7], dtype=np.int32), 25)}
    path = write_ntuple(tmp_path / "a.root", columns)
    ids = read(one_sample(path, event_id=["run", "event"])).event_id
    assert ids.shape == (50, 2)
    assert ids.dtype.kind in "iu"
    np.testing.assert_array_equal(ids[:, 0].astype(np.int64), columns["run"])


def test_without_event_id_the_file_name_and_the_entry_identify(
    tmp_path: Path, write_ntuple: Callable[..., Path]
) -> None:
    path = write_ntuple(tmp_path / "a.root", toy_columns(100, 0, 1))
    config = one_sample(path, event_id=[], selection="x0 > 0")
    ids = read(config).event_id
    np.testing.assert_array_equal(ids[:, 1], np.flatnonzero(toy_columns(100, 0, 1)["x0"] > 0))
    assert np.array_equal(ids, read(config, step_size=9).event_id)


@pytest.mark.parametrize("event_id", ["event", []])
def test_folds_do_not_depend_on_steps_or_on_the_order_of_files(
    tmp_path: Path, write_ntuple: Callable[..., Path], event_id: str | list[str]
) -> None:
    files = [tmp_path / "a.root", tmp_path / "b.root"]
    for number, file in enumerate(files):
        write_ntuple(file, toy_columns(60, 0, number, first_id=100 * number))

    def folds(order: list[Path], **options: Any) -> np.ndarray:
        return assign_folds(read(one_sample(list(map(str, order)), event_id=event_id), **options).event_id, 5, 1)

    whole = folds(files)
    for step_size in (7, 59, 60, 61, 119, 120):  # in and across the files, up to their ends and past them
        np.testing.assert_array_equal(folds(files, step_size=step_size), whole)
        np.testing.assert_array_equal(np.roll(folds(files[::-1], step_size=step_size), 60), whole)


def test_globs_are_read_in_natural_order_and_each_file_once(tmp_path: Path, write_ntuple: Callable[..., Path]) -> None:
    for number in (10, 2, 1):
        write_ntuple(tmp_path / f"part_{number}.root", toy_columns(20, 0, number, first_id=100 * number))
    config = one_sample(["part_*.root", str(tmp_path / "part_2.root")]).model_copy(update={"folder": tmp_path})
    np.testing.assert_array_equal(read(config).event_id // 100, np.repeat([1, 2, 10], 20))


def test_remote_addresses_are_left_as_they_are(tmp_path: Path) -> None:
    assert resolve_files(["root://host//a*.root"], tmp_path, "s") == ("root://host//a*.root",)


@pytest.mark.parametrize("kind", KINDS)
def test_empty_files_are_passed_over(tmp_path: Path, write_ntuple: Callable[..., Path], kind: str) -> None:
    write_ntuple(tmp_path / "a.root", {k: v[:0] for k, v in toy_columns(3, 0, 1).items()}, kind)
    write_ntuple(tmp_path / "b.root", toy_columns(30, 0, 1), kind)
    assert len(read(one_sample([str(tmp_path / "a.root"), str(tmp_path / "b.root")]))) == 30


def test_chunks_are_bounded_and_add_up(tmp_path: Path, write_ntuple: Callable[..., Path]) -> None:
    columns = toy_columns(100, 0, 1)
    path = write_ntuple(tmp_path / "a.root", columns, cluster=40)
    chunks = list(read_chunks(one_sample(path, selection="x0 > 0"), "s", step_size=30))
    assert [chunk.entries for chunk in chunks] == [30, 30, 30, 10]
    assert sum(map(len, chunks)) == np.count_nonzero(columns["x0"] > 0)
    assert sum(chunk.sum_weights_all for chunk in chunks) == Fraction(float(columns["genWeight"].sum()))
    assert all(chunk.features.T.flags.c_contiguous for chunk in chunks)


@pytest.mark.parametrize("kind", KINDS)
def test_only_needed_branches_are_read(
    tmp_path: Path, write_ntuple: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    from hepneg.ntuples import column_stream as stream

    seen: set[str] = set()
    plain = stream._read_lane
    monkeypatch.setattr(stream, "_read_lane", lambda reader, lane: seen.update(lane) or plain(reader, lane))
    path = write_ntuple(tmp_path / "a.root", toy_columns(30, 0, 1), kind)
    read(one_sample(path, selection="sum(jet_pt) > 0"))
    assert seen == {"genWeight", "event", "x0", "jet_pt"}


@pytest.mark.parametrize(("given_sum", "expected"), [(None, 2.0 * 1000 * 3 / 40), (8.0, 2.0 * 1000 * 3 / 8)])
def test_weights_are_scaled_to_the_luminosity(
    tmp_path: Path, write_ntuple: Callable[..., Path], given_sum: float | None, expected: float
) -> None:
    columns = toy_columns(100, 0, 1)
    columns["genWeight"] = np.where(np.arange(100) < 30, -1.0, 1.0).astype(np.float32)
    path = write_ntuple(tmp_path / "a.root", columns)
    sample = {"label": "signal", "files": "a.root", "cross_section": 2.0, "sum_of_weights": given_sum}
    config = one_sample(path, samples={"s": sample}, luminosity=3.0, selection="x0 > 0")
    np.testing.assert_allclose(np.unique(np.abs(read(config).weight)), [expected], rtol=1e-15)
    assert scale_factor(config, "s", 40) == expected


def test_a_sample_whose_weights_cancel_cannot_be_scaled(tmp_path: Path, write_ntuple: Callable[..., Path]) -> None:
    columns = toy_columns(10, 0, 1) | {"genWeight": np.array([1, -1] * 5, dtype=np.float32)}
    path = write_ntuple(tmp_path / "a.root", columns)
    sample = {"label": "signal", "files": "a.root", "cross_section": 2.0}
    with pytest.raises(DataError, match=r"sample 's': the weights before the selection sum to 0.*samples\.s\.sum_of_w"):
        read(one_sample(path, samples={"s": sample}, luminosity=1.0))


@pytest.mark.parametrize("event_id", [["event"], ["event", "event"]])
def test_repeated_identifiers_are_told_and_work(
    tmp_path: Path, write_ntuple: Callable[..., Path], event_id: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "hepneg")
    for seed, name in enumerate(("a", "b")):
        write_ntuple(tmp_path / f"{name}.root", toy_columns(20, 0, seed))
    samples = {name: {"label": "signal", "files": f"{name}.root"} for name in ("a", "b")}
    events = read(one_sample(tmp_path / "a.root", samples=samples, event_id=event_id))  # no warning: it does no harm
    assert len(events) == 40
    assert "identifiers repeat (20 between samples): such events share a fold, which does no harm" in caplog.text
    samples = {"a": {"label": "signal", "files": ["a.root", "b.root"]}}
    with pytest.warns(HepnegWarning, match=r"identifiers repeat \(20 in sample 'a'\).*more branches"):
        read(one_sample(tmp_path / "a.root", samples=samples, event_id=event_id))


def test_an_identifier_that_is_the_same_everywhere(tmp_path: Path, write_ntuple: Callable[..., Path]) -> None:
    path = write_ntuple(tmp_path / "a.root", toy_columns(20, 0, 1) | {"event": np.full(20, 7, np.uint64)})
    with pytest.warns(HepnegWarning, match="it is the same in all of them: give `event_id:` the branches that tell"):
        read(one_sample(path))


def test_a_sample_without_negative_weights_is_told_and_works(tmp_path: Path, write_ntuple: Callable[..., Path]) -> None:
    columns = toy_columns(20, 0, 1) | {"genWeight": np.ones(20, dtype=np.float32)}
    with pytest.warns(HepnegWarning, match="sample 's' has no negative weights"):
        assert len(read(one_sample(write_ntuple(tmp_path / "a.root", columns)))) == 20


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=30), st.integers(0, 30))
@example([7.634000513418239e256, 9.93992358474552e-134], 0)
def test_exact_sums_equal_those_of_fractions_and_add_up(values: list[float], cut: int) -> None:
    expected = sum(map(Fraction, values), Fraction(0))
    array = np.array(values, dtype=np.float64)
    assert exact_sum(array) == expected
    assert exact_sum(array[:cut]) + exact_sum(array[cut:]) == expected


def test_a_colon_in_a_path_is_no_object_name(tmp_path: Path, write_ntuple: Callable[..., Path]) -> None:
    path = write_ntuple(tmp_path / "a:b.root", toy_columns(20, 0, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HepnegWarning)
        assert len(read(one_sample(path))) == 20

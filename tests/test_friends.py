"""Friend files: entry for entry, the right network, whole or not there, refused where the input is unusable."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot
from conftest import toy_columns
from friend_models import expected_logit, save_model, small_classifier

from hepneg.config import load_config
from hepneg.errors import ConfigError, DataError, HepnegWarning, OutputError
from hepneg.friends import apply_model
from hepneg.models.classifier import Classifier, ModelInputs
from hepneg.ntuples.identity import identify_file

KINDS = ("ttree", "rntuple")
Write = Callable[..., Path]


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return small_classifier()


@pytest.fixture
def model(classifier: Classifier, tmp_path: Path) -> Path:
    return save_model(classifier, tmp_path / "model")


def friend(path: Path) -> dict[str, np.ndarray]:
    with uproot.open(path) as file:
        return dict(file["hepneg"].arrays(library="np").items())


def friend_kind(path: Path) -> str:
    with uproot.open(path) as file:
        return "rntuple" if file.classnames(cycle=False)["hepneg"] == "ROOT::RNTuple" else "ttree"


@pytest.mark.parametrize("form", [None, *KINDS])
@pytest.mark.parametrize("kind", KINDS)
def test_every_entry_has_its_response(
    classifier: Classifier, model: Path, tmp_path: Path, write_ntuple: Write, kind: str, form: Any
) -> None:
    columns = toy_columns(700, 0.5, 9)
    path = write_ntuple(tmp_path / "a.root", columns, kind, cluster=150)
    made = apply_model(model, [path], tmp_path / "out", tree_format=form)
    result = friend(tmp_path / "out" / "a.hepneg.root")
    assert list(result) == ["event", "hepneg_response", "hepneg_logit"]
    assert friend_kind(tmp_path / "out" / "a.hepneg.root") == (form or kind)
    np.testing.assert_array_equal(result["event"], columns["event"])
    logit = expected_logit(classifier, columns, held_out=False, ids=columns["event"])
    assert 0 < np.isnan(logit).sum() < 700
    np.testing.assert_allclose(result["hepneg_logit"], logit, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(result["hepneg_response"], 1 / (1 + np.exp(-logit)), rtol=1e-5)
    assert result["hepneg_logit"].dtype == result["hepneg_response"].dtype == np.float32
    assert (made.entries, made.selected) == (700, int(np.isfinite(logit).sum()))


def test_chunks_do_not_show(model: Path, tmp_path: Path, write_ntuple: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    from hepneg.friends import friend_stream as stream
    from hepneg.ntuples.column_stream import stream_columns

    path = write_ntuple(tmp_path / "a.root", toy_columns(500, 0.5, 9))
    apply_model(model, [path], tmp_path / "whole")
    monkeypatch.setattr(stream, "stream_columns", lambda *arguments: stream_columns(*arguments, step_size=33))
    apply_model(model, [path], tmp_path / "cut")
    whole, cut = (friend(tmp_path / name / "a.hepneg.root") for name in ("whole", "cut"))
    np.testing.assert_array_equal(whole["event"], cut["event"])
    # The networks' sums may end in other bits where the number of rows differs.
    np.testing.assert_allclose(whole["hepneg_logit"], cut["hepneg_logit"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "ids",
    [
        np.array([2**53 + 1, 2**63 + 1, 2**64 - 1, 5], dtype=np.uint64),
        np.array([-(2**53) - 1, 2**53 + 1, -1, 2**63 - 1], dtype=np.int64),
        np.array([7, 2**31 - 1, -3, 0], dtype=np.int32),
    ],
)
def test_identifiers_keep_their_bits_and_type(
    model: Path, tmp_path: Path, write_ntuple: Write, kind: str, ids: np.ndarray
) -> None:
    path = write_ntuple(tmp_path / "a.root", toy_columns(4, 0, 1) | {"event": ids}, kind)
    for form in KINDS:
        apply_model(model, [path], tmp_path / form, tree_format=form)
        found = friend(tmp_path / form / "a.hepneg.root")["event"]
        np.testing.assert_array_equal(found, ids)
        assert found.dtype == ids.dtype


@pytest.mark.parametrize("held_out", ["auto", "always", "never"])
def test_events_of_the_training_get_the_network_that_has_not_seen_them(
    classifier: Classifier, tmp_path: Path, write_ntuple: Write, held_out: Any
) -> None:
    columns = {name: toy_columns(400, 0.5, seed, first_id=1000 * seed) for seed, name in enumerate(("old", "new"))}
    paths = {name: write_ntuple(tmp_path / f"{name}.root", part) for name, part in columns.items()}
    model = save_model(classifier, tmp_path / "model", files=[paths["old"]])
    moved = shutil.copy(paths["old"], tmp_path / "moved.root")
    made = apply_model(model, [moved, paths["new"]], tmp_path / "out", held_out=held_out)
    assert [file.held_out for file in made.files] == {
        "auto": [True, False],
        "always": [True, True],
        "never": [False, False],
    }[held_out]
    for name, file in zip(("old", "new"), made.files, strict=True):
        logit = expected_logit(classifier, columns[name], held_out=file.held_out, ids=columns[name]["event"])
        np.testing.assert_allclose(friend(Path(file.path))["hepneg_logit"], logit, rtol=1e-5, atol=1e-6)


def test_without_identifiers_a_renamed_file_keeps_its_folds(
    classifier: Classifier, tmp_path: Path, write_ntuple: Write
) -> None:
    import zlib

    columns = toy_columns(400, 0.5, 4)
    path = write_ntuple(tmp_path / "old.root", columns)
    model = save_model(classifier, tmp_path / "model", files=[path], event_id=())
    made = apply_model(model, [path.rename(tmp_path / "other.root")], tmp_path / "out")
    result = friend(Path(made.files[0].path))
    ids = np.column_stack([np.full(400, zlib.crc32(b"old.root"), dtype=np.int64), np.arange(400)])
    logit = expected_logit(classifier, columns, held_out=True, ids=ids)
    np.testing.assert_allclose(result["hepneg_logit"], logit, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(result["hepneg_entry"], np.arange(400))


def test_a_file_to_which_something_was_added_is_known_by_its_uuid(
    classifier: Classifier, tmp_path: Path, write_ntuple: Write
) -> None:
    path = write_ntuple(tmp_path / "a.root", toy_columns(50, 0.5, 4))
    model, before = save_model(classifier, tmp_path / "model", files=[path]), identify_file(str(path))
    with uproot.update(path) as file:
        file["note"] = "added"
    assert identify_file(str(path)).fingerprint != before.fingerprint
    assert apply_model(model, [path], tmp_path / "out").files[0].held_out


def test_training_from_a_configuration_remembers_its_files(toy_analysis: Path) -> None:
    config = load_config(toy_analysis)
    inputs = ModelInputs.from_config(config)
    assert [file.name for file in inputs.files] == ["sig.root", "bkg.root"]
    assert ModelInputs.from_dict(json.loads(json.dumps(inputs.to_dict()))) == inputs


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_file_has_an_empty_friend(model: Path, tmp_path: Path, write_ntuple: Write, kind: str) -> None:
    path = write_ntuple(tmp_path / "a.root", toy_columns(0, 0, 1), kind)
    made = apply_model(model, [path], tmp_path / "out")
    with uproot.open(tmp_path / "out" / "a.hepneg.root") as file:
        assert file["hepneg"].num_entries == 0
        assert list(file["hepneg"].keys()) == ["event", "hepneg_response", "hepneg_logit"]
    assert made.entries == 0


def test_a_selection_that_keeps_nothing_leaves_only_nan(
    classifier: Classifier, tmp_path: Path, write_ntuple: Write
) -> None:
    model = save_model(classifier, tmp_path / "model", selection="x0 > 1e6")
    path = write_ntuple(tmp_path / "a.root", toy_columns(30, 0, 1))
    made = apply_model(model, [path], tmp_path / "out")
    assert np.isnan(friend(Path(made.files[0].path))["hepneg_response"]).all()
    assert made.selected == 0


def test_features_that_are_not_finite_give_nan_and_a_warning(
    classifier: Classifier, tmp_path: Path, write_ntuple: Write
) -> None:
    columns = toy_columns(60, 0.5, 4)
    columns["x0"][[3, 5]] = np.nan
    columns["x2"][5] = -1.0  # log(0)
    path = write_ntuple(tmp_path / "a.root", columns)
    for name, files in (("foreign", []), ("trained", [path])):
        model = save_model(classifier, tmp_path / name / "model", files=files, selection=None)
        with pytest.warns(HepnegWarning, match=r"a.root: NaN .* 60 selected entries \('x0' in 2, 'logx2' in 1\)"):
            made = apply_model(model, [path], tmp_path / name)
        np.testing.assert_array_equal(
            np.flatnonzero(np.isnan(friend(Path(made.files[0].path))["hepneg_logit"])), [3, 5]
        )


def test_finished_files_are_kept_until_model_input_or_settings_change(
    classifier: Classifier, model: Path, tmp_path: Path, write_ntuple: Write
) -> None:
    paths = [write_ntuple(tmp_path / f"{n}.root", toy_columns(50, 0.5, n)) for n in range(2)]
    out = tmp_path / "out"

    def kept(model: Path, **settings: Any) -> list[bool]:
        return [file.kept for file in apply_model(model, paths, out, **settings).files]

    assert kept(model) == [False, False]
    stamps = [path.stat().st_mtime_ns for path in sorted(out.iterdir())]
    assert kept(model) == [True, True]
    assert [path.stat().st_mtime_ns for path in sorted(out.iterdir())] == stamps
    assert kept(shutil.copytree(model, tmp_path / "copied")) == [True, True]
    assert kept(model, held_out="always") == [False, False]
    assert kept(model, tree_format="rntuple") == [False, False]
    write_ntuple(paths[1], toy_columns(60, 0.5, 7))
    assert kept(model, tree_format="rntuple") == [True, False]
    assert kept(save_model(small_classifier(2), tmp_path / "other"), tree_format="rntuple") == [False, False]
    again = apply_model(tmp_path / "other", paths, out, tree_format="rntuple")
    assert [(file.entries, file.kept) for file in again.files] == [(50, True), (60, True)]


def test_an_unusable_file_stops_all_processes(model: Path, tmp_path: Path, write_ntuple: Write) -> None:
    good = write_ntuple(tmp_path / "good.root", toy_columns(300, 0.5, 1))
    bad = write_ntuple(tmp_path / "bad.root", {"event": np.arange(3)})
    with pytest.raises(DataError, match="bad.root: no branch 'jet_pt'"):
        apply_model(model, [bad, good], tmp_path / "out", jobs=2)
    assert not list((tmp_path / "out").glob(".*"))


def test_any_number_of_processes_writes_the_same_and_counts_every_file_once(
    model: Path, tmp_path: Path, write_ntuple: Write
) -> None:
    from hepneg._core.progress import SilentProgress

    class Counting(SilentProgress):
        done = 0.0

        def task(self, description: str, total: float | None = None) -> Any:
            return self

        def advance(self, step: float = 1.0, note: str = "") -> None:
            self.done += step

    paths = [write_ntuple(tmp_path / f"{n}.root", toy_columns(n * 40, 0.5, n)) for n in range(3)]
    for _ in range(2):  # the second time everything is done already
        progress = Counting()
        apply_model(model, paths, tmp_path / "out", progress=progress)
        assert progress.done == pytest.approx(3)
    progress = Counting()
    apply_model(model, paths, tmp_path / "two", jobs=2, progress=progress)
    assert progress.done == pytest.approx(3)
    for path in sorted((tmp_path / "out").iterdir()):
        one, two = friend(path), friend(tmp_path / "two" / path.name)
        assert {name: column.tobytes() for name, column in one.items()} == {
            name: column.tobytes() for name, column in two.items()
        }


def test_onnxruntime_gives_the_same_to_rounding(classifier: Classifier, tmp_path: Path, write_ntuple: Write) -> None:
    pytest.importorskip("onnxruntime")
    paths = [write_ntuple(tmp_path / f"{n}.root", toy_columns(3000, 0.5, n)) for n in range(2)]
    model = save_model(classifier, tmp_path / "model", files=paths[:1])
    torch, other = (
        apply_model(model, paths, tmp_path / name, engine=name)  # type: ignore[arg-type]
        for name in ("torch", "onnxruntime")
    )
    for first, second in zip(torch.files, other.files, strict=True):
        one, two = friend(Path(first.path)), friend(Path(second.path))
        np.testing.assert_allclose(one["hepneg_logit"], two["hepneg_logit"], rtol=1e-5, atol=1e-6)
    assert not any(file.kept for file in apply_model(model, paths, tmp_path / "torch", engine="onnxruntime").files)


def test_a_failure_leaves_no_file(
    model: Path, tmp_path: Path, write_ntuple: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hepneg.ntuples.friend_files import FriendWriter

    def fail(*arguments: Any) -> Any:
        raise OSError(28, "No space left on device")

    path = write_ntuple(tmp_path / "a.root", toy_columns(50, 0.5, 1))
    monkeypatch.setattr(FriendWriter, "extend", fail)
    with pytest.raises(OutputError, match=r"a.hepneg.root: No space left"):
        apply_model(model, [path], tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_leftovers_of_dead_processes_are_removed(model: Path, tmp_path: Path, write_ntuple: Write) -> None:
    path = write_ntuple(tmp_path / "a.root", toy_columns(50, 0.5, 1))
    dead, living, strange = (tmp_path / "out" / f".a.hepneg.{n}.part.root" for n in (2**22 + 5, 1, "x"))
    dead.parent.mkdir()
    for leftover in (dead, living, strange):
        leftover.touch()
    apply_model(model, [path], tmp_path / "out")
    assert [leftover.exists() for leftover in (dead, living, strange)] == [False, True, True]


def test_collisions_are_refused_before_any_work(model: Path, tmp_path: Path, write_ntuple: Write) -> None:
    path = write_ntuple(tmp_path / "a.root", toy_columns(50, 0.5, 1))
    twin = write_ntuple(tmp_path / "b" / "a.root", toy_columns(50, 0.5, 1))
    out = tmp_path / "out"
    with pytest.raises(OutputError, match=r"a.root and .*b/a.root would both have the friend file"):
        apply_model(model, [path, twin], out)
    with pytest.raises(DataError, match="a.root is given twice; give each file once"):
        apply_model(model, [path, path], out)
    with pytest.raises(DataError, match="root://host//a.root is given twice; give each file once"):
        apply_model(model, ["root://host//a.root"] * 2, out)
    itself = write_ntuple(tmp_path / "a.hepneg.root", toy_columns(50, 0.5, 1))
    with pytest.raises(OutputError, match="exists and was not written by hepneg"):
        apply_model(model, [path], tmp_path)
    with pytest.raises(OutputError, match="is itself among the inputs"):
        apply_model(model, [path, itself], tmp_path)
    assert list(out.iterdir()) == []
    with pytest.raises(ConfigError, match="jobs must be at least 1"):
        apply_model(model, [path], out, jobs=0)
    with pytest.raises(DataError, match="no input files"):
        apply_model(model, [], out)


def test_a_model_of_arrays_needs_a_tree(classifier: Classifier, tmp_path: Path, write_ntuple: Write) -> None:
    path = write_ntuple(tmp_path / "a.root", {name: np.ones(5) for name in ("x0", "logx2", "jet1_pt")}, tree="t")
    model = classifier.save(tmp_path / "model")
    with pytest.raises(ConfigError, match="names no tree"):
        apply_model(model, [path], tmp_path / "out")
    assert apply_model(model, [path], tmp_path / "out", tree="t").selected == 5


def test_the_result_shows_itself(model: Path, tmp_path: Path, write_ntuple: Write) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = apply_model(model, [write_ntuple(tmp_path / "a.root", toy_columns(50, 0.5, 1))], tmp_path / "out")
    assert json.loads(json.dumps(made.to_dict()))["files"][0]["entries"] == 50
    assert repr(made).startswith("Friends(1 files, 0 kept;")
    assert "<td>50</td>" in made._repr_html_()

"""Branches added in place: everything else stays, interruptions harm nothing, what cannot be done is one line."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot
from conftest import toy_columns
from friend_models import save_model, small_classifier

from hepneg.errors import ConfigError, DataError, OutputError
from hepneg.friends import apply_model
from hepneg.ntuples import branches

NEW = ["hepneg_response", "hepneg_logit"]
Write = Callable[..., Path]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(small_classifier(2), tmp_path_factory.mktemp("model"))


def columns_of(path: Path, tree: str = "Events") -> dict[str, Any]:
    with uproot.open(path) as file:
        return {name: branch.array() for name, branch in file[tree].items()}


def ntuple(path: Path, write_ntuple: Write, cluster: int | None = None) -> Path:
    """An ntuple with a second tree and a text beside the first."""
    write_ntuple(path, toy_columns(300, 0.5, 1), cluster=cluster)
    with uproot.update(path) as file:
        file.mktree("Runs", {"sum": np.float64}).extend({"sum": np.array([1.5, 2.5])})
        file["text"] = "kept"
    return path


def assert_extended(path: Path, friend: Path, before: dict[str, Any]) -> None:
    """All that was there before is there, and the new branches are those of the friend."""
    after, new = columns_of(path), columns_of(friend, "hepneg")
    assert list(after) == [*before, *NEW]
    for name, column in before.items():
        assert after[name].tolist() == column.tolist()
    for name in NEW:
        np.testing.assert_array_equal(after[name].to_numpy(), new[name].to_numpy())
    assert columns_of(path, "Runs")["sum"].tolist() == [1.5, 2.5]
    with uproot.open(path) as file:
        assert str(file["text"]) == "kept"


@pytest.mark.parametrize("cluster", [None, 90])
def test_a_copy_has_everything_and_the_new_branches(
    model: Path, tmp_path: Path, write_ntuple: Write, cluster: int | None
) -> None:
    if cluster and importlib.util.find_spec("ROOT") is None:
        pytest.skip("trees of several baskets take ROOT, which is not installed")
    path, out = ntuple(tmp_path / "a.root", write_ntuple, cluster), tmp_path / "out"
    data, before = path.read_bytes(), columns_of(path)
    for kept in (False, True):
        made = apply_model(model, [path], out, in_place="copy")
        assert [(file.path, file.kept) for file in made.files] == [(str(out / "a.root"), kept)]
        assert [(file.path, file.kept) for file in made.written] == [
            (str(out / "a.hepneg.root"), kept),
            (str(out / "a.root"), kept),
        ]
        assert made.to_dict()["files"][0]["friend"]["path"] == str(out / "a.hepneg.root")
        assert made.entries == 300
    assert_extended(out / "a.root", out / "a.hepneg.root", before)
    assert path.read_bytes() == data
    assert sorted(left.name for left in out.iterdir()) == ["a.hepneg.root", "a.root"]


def test_the_input_itself(model: Path, tmp_path: Path, write_ntuple: Write) -> None:
    path = ntuple(tmp_path / "in" / "a.root", write_ntuple)
    path.chmod(0o640)
    before = columns_of(path)
    first, second = (apply_model(model, [path], tmp_path / "out", in_place="input") for _ in range(2))
    assert (first.files[0].kept, second.files[0].kept) == (False, True)
    assert (second.entries, second.selected) == (first.entries, first.selected)
    beside = tmp_path / "out" / "a.hepneg.root"
    assert [[file.path for file in made.written] for made in (first, second)] == [[str(beside), str(path)]] * 2
    assert_extended(path, beside, before)
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(path.parent.iterdir()) == [path]
    beside.unlink()
    third = apply_model(model, [path], tmp_path / "out", in_place="input")
    assert [file.path for file in third.written] == [str(path)]
    with pytest.raises(DataError, match="has a branch 'hepneg_logit' already, of another model or other settings"):
        apply_model(model, [path], tmp_path / "out", in_place="input", held_out="always")


KILLED = """
import os, signal, sys
from hepneg.friends import apply_model
from hepneg.ntuples import branches
branches._compare = lambda *arguments: os.kill(os.getpid(), signal.SIGKILL)
apply_model(*sys.argv[1:2], [sys.argv[2]], sys.argv[3], in_place="input")
"""


def test_kill_9_while_branches_are_added_leaves_the_input(model: Path, tmp_path: Path, write_ntuple: Write) -> None:
    path = ntuple(tmp_path / "in" / "a.root", write_ntuple)
    data, before = path.read_bytes(), columns_of(path)
    command = [sys.executable, "-c", KILLED, str(model), str(path), str(tmp_path / "out")]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert path.read_bytes() == data
    assert len(list(path.parent.iterdir())) == 2  # the temporary file of the dead process
    apply_model(model, [path], tmp_path / "out", in_place="input")
    assert list(path.parent.iterdir()) == [path]
    assert_extended(path, tmp_path / "out" / "a.hepneg.root", before)


def test_a_full_disk_leaves_the_input(
    model: Path, tmp_path: Path, write_ntuple: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = ntuple(tmp_path / "in" / "a.root", write_ntuple)
    data = path.read_bytes()

    def full(*arguments: Any) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(branches, "_add_with_uproot", full)
    with pytest.raises(OutputError, match=r"cannot write .*a.root: No space left on device"):
        apply_model(model, [path], tmp_path / "out", in_place="input")
    assert path.read_bytes() == data
    assert list(path.parent.iterdir()) == [path]


def test_what_does_not_read_back_is_not_kept(
    model: Path, tmp_path: Path, write_ntuple: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = ntuple(tmp_path / "in" / "a.root", write_ntuple)
    data, add = path.read_bytes(), branches._add_with_uproot

    def wrong(target: Path, tree: str, columns: dict[str, Any], note: str) -> bool:
        return add(target, tree, {name: column + 1 for name, column in columns.items()}, note)

    monkeypatch.setattr(branches, "_add_with_uproot", wrong)
    with pytest.raises(OutputError, match="do not read back as written"):
        apply_model(model, [path], tmp_path / "out", in_place="input")
    assert path.read_bytes() == data


def test_without_root_trees_of_several_baskets_are_refused(
    model: Path, tmp_path: Path, write_ntuple: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = ntuple(tmp_path / "in" / "a.root", write_ntuple, cluster=90)
    data = path.read_bytes()
    monkeypatch.setattr(branches, "find_spec", lambda name: None)
    with pytest.raises(
        OutputError, match=r"a.root: branches of several baskets .* pip install root, or use the friend"
    ):
        apply_model(model, [path], tmp_path / "out", in_place="input")
    assert path.read_bytes() == data
    assert list(path.parent.iterdir()) == [path]
    assert [left.name for left in (tmp_path / "out").iterdir()] == ["a.hepneg.root"]


def test_what_cannot_be_done_is_refused_before_any_work(model: Path, tmp_path: Path, write_ntuple: Write) -> None:
    good = ntuple(tmp_path / "in" / "good.root", write_ntuple)
    fields = write_ntuple(tmp_path / "fields.root", toy_columns(50, 0.5, 1), "rntuple")
    taken = write_ntuple(tmp_path / "taken.root", toy_columns(5, 0, 1) | {"hepneg_logit": np.zeros(5, "f4")})
    foreign = tmp_path / "out" / "good.root"
    foreign.parent.mkdir()
    with pytest.raises(DataError, match="an RNTuple cannot be extended in place"):
        apply_model(model, [good, fields], tmp_path / "out", in_place="copy")
    with pytest.raises(DataError, match="has a branch 'hepneg_logit' already"):
        apply_model(model, [good, taken], tmp_path / "out", in_place="copy")
    with pytest.raises(DataError, match="branches can be added to local files only"):
        apply_model(model, ["root://host//a.root"], tmp_path / "out", in_place="copy")
    with pytest.raises(OutputError, match="is itself among the inputs"):
        apply_model(model, [good], good.parent, in_place="copy")
    with pytest.raises(ConfigError, match="leave the format out"):
        apply_model(model, [good], tmp_path / "out", in_place="copy", tree_format="rntuple")
    foreign.write_bytes(good.read_bytes()[:3000])
    with pytest.raises(OutputError, match="good.root exists, but is damaged or cannot be read; remove it"):
        apply_model(model, [good], tmp_path / "out", in_place="copy")
    foreign.write_text("mine")
    with pytest.raises(OutputError, match="was not written by hepneg"):
        apply_model(model, [good], tmp_path / "out", in_place="copy")
    assert list((tmp_path / "out").iterdir()) == [foreign]

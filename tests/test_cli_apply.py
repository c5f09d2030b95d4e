"""`hepneg apply` and `hepneg export` as commands: one line for what is wrong, and kill -9 at any moment."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot
from conftest import HUNG, _write_ntuple, toy_columns, wait_for
from friend_models import save_model, small_classifier

from hepneg.cli.group import main
from hepneg.friends import apply_model

FILES = 12
EVENTS = 10_000


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(small_classifier(2), tmp_path_factory.mktemp("model"))


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def call(*arguments: object) -> tuple[int, str, str]:
        with warnings.catch_warnings(), pytest.raises(SystemExit) as leaving:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return int(leaving.value.code or 0), out, err

    return call


Run = Callable[..., tuple[int, str, str]]
Write = Callable[..., Path]


def test_apply_says_what_it_wrote_or_nothing(run: Run, trained: Path, tmp_path: Path, write_ntuple: Write) -> None:
    path = write_ntuple(tmp_path / "a.root", toy_columns(50, 0.5, 1))
    code, out, err = run("apply", trained, path, "-o", tmp_path / "out")
    assert (code, err) == (0, "")
    assert "a.hepneg.root" in out
    assert "written" in out
    assert "kept" in run("apply", trained, path, "-o", tmp_path / "out")[1]
    assert run("apply", trained, path, "-o", tmp_path / "out", "--quiet") == (0, "", "")
    assert "The model was not trained on 1 of these files" in out
    code, out, err = run("apply", trained, path, "-o", tmp_path / "out", "--format", "rntuple", "--held-out", "always")
    assert (code, err) == (0, "")
    assert "was not trained on" not in out


def test_in_place_lists_copies_and_friend_files(run: Run, trained: Path, tmp_path: Path, write_ntuple: Write) -> None:
    path, out = write_ntuple(tmp_path / "a.root", toy_columns(50, 0.5, 1)), tmp_path / "out"
    _, shown, err = run("apply", trained, path, "-o", out, "--in-place")
    assert err == ""
    assert [row for row in shown.splitlines() if "a.hepneg.root" in row]
    assert [row for row in shown.splitlines() if "a.root" in row]
    (file,) = json.loads(run("apply", trained, path, "-o", out, "--in-place", "--json")[1])["files"]
    assert (file["path"], file["friend"]["path"]) == (str(out / "a.root"), str(out / "a.hepneg.root"))


def test_a_quoted_glob_is_expanded_as_in_a_configuration(
    run: Run, trained: Path, tmp_path: Path, write_ntuple: Write
) -> None:
    for number in (10, 2):
        write_ntuple(tmp_path / "in" / "deep" / f"part_{number}.root", toy_columns(50, 0.5, number))
    code, out, err = run("apply", trained, tmp_path / "in" / "**" / "part_*.root", "-o", tmp_path / "out", "--json")
    assert (code, err) == (0, "")
    assert [Path(file["source"]).name for file in json.loads(out)["files"]] == ["part_2.root", "part_10.root"]


@pytest.mark.parametrize(
    ("case", "parts"),
    [
        ("no model", ["no model at", "hepneg train"]),
        ("a file for a model", ["a.root is a file, not a model folder", "hepneg train"]),
        ("no file", ["no such file", "none.root"]),
        ("a folder", ["in is a folder", "in/*.root'"]),
        ("a device", ["/dev/null is not a regular file"]),
        ("a glob of nothing", ["none*.root' matches no file"]),
        ("twice", ["a.root is given twice"]),
        ("missing branch", ["a.root", "no branch 'x0', which feature 'x0' needs; did you mean 'x00'"]),
        ("missing tree", ["a.root", "no tree 'Events'", "did you mean 'Event'"]),
        ("truncated", ["a.root", "truncated"]),
        ("damaged", ["a.root", "damaged"]),
        ("no ROOT file", ["a.root", "not a ROOT file"]),
        (
            "output is a file",
            ["cannot create the output folder", "out: it is a file; choose another with `output` (-o)"],
        ),
        ("foreign output", ["a.hepneg.root", "was not written by hepneg"]),
        ("foreign ROOT output", ["a.hepneg.root", "was not written by hepneg"]),
        ("truncated output", ["a.hepneg.root", "is damaged or cannot be read; remove it"]),
        ("list identifier", ["'event'", "one integer per event"]),
    ],
)
def test_unusable_input_is_one_line(
    run: Run, trained: Path, tmp_path: Path, write_ntuple: Write, case: str, parts: list[str]
) -> None:
    columns, tree = toy_columns(3000, 0.5, 1), "Events"
    if case == "missing branch":
        columns["x00"] = columns.pop("x0")
    if case == "list identifier":
        columns["event"] = ak.Array(columns["event"][:, np.newaxis].tolist())
    path = write_ntuple(tmp_path / "in" / "a.root", columns, tree="Event" if case == "missing tree" else tree)
    out = tmp_path / "out"
    out.mkdir()
    data = path.read_bytes()
    if case == "truncated":
        path.write_bytes(data[:5000])
    if case == "damaged":
        path.write_bytes(data[:3000] + bytes(20_000) + data[23_000:])
    if case == "no ROOT file":
        path.write_text("nothing of the kind, though long enough")
    if case == "output is a file":
        out.rmdir()
        out.touch()
    if case == "foreign output":
        (out / "a.hepneg.root").write_text("mine")
    if case in {"foreign ROOT output", "truncated output"}:
        (out / "a.hepneg.root").write_bytes(data[: 5000 if case == "truncated output" else None])
    model = {"no model": tmp_path, "a file for a model": path}.get(case, trained)
    inputs = {
        "no file": [tmp_path / "none.root"],
        "a folder": [path.parent],
        "a device": ["/dev/null"],
        "a glob of nothing": [tmp_path / "none*.root"],
        "twice": [path, path.parent / ".." / "in" / "a.root"],
    }.get(case, [path])
    code, printed, err = run("apply", model, *inputs, "-o", out)
    assert (code, printed) == (1, "")
    assert len(err.splitlines()) == 1
    for part in ["error: ", *parts]:
        assert part in err
    if out.is_dir():
        assert [left.name for left in out.iterdir()] == (["a.hepneg.root"] if "output" in case else [])


def test_export_writes_and_says_where(run: Run, trained: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    target = tmp_path / "deep" / "model.onnx"
    assert run("export", trained, "-o", target, "--quiet") == (0, "", "")
    assert target.stat().st_size > 1000
    assert run("export", tmp_path / "none", "-o", target)[0] == 1


def command(model: Path, inputs: list[Path], out: Path, jobs: int) -> list[str]:
    files = [str(path) for path in inputs]
    return [sys.executable, "-m", "hepneg", "apply", str(model), *files, "-o", str(out), "--jobs", str(jobs), "--quiet"]


def contents(folder: Path) -> dict[str, bytes]:
    """Everything in the friend files under their final names; fails on one that is not whole."""
    found = {}
    for path in sorted(folder.glob("*.hepneg.root")):
        with uproot.open(path) as file:
            columns = file["hepneg"].arrays(library="np")
            assert all(len(column) == EVENTS for column in columns.values())
            found[path.name] = (
                b"".join(column.tobytes() for column in columns.values()) + str(file["hepneg_meta"]).encode()
            )
    return found


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    first = _write_ntuple(tmp_path_factory.mktemp("in") / "0.root", toy_columns(EVENTS, 0.5, 1))
    paths = [first, *(first.with_name(f"{n}.root") for n in range(1, FILES))]
    for path in paths[1:]:
        shutil.copy(first, path)
    return paths


@pytest.fixture(scope="module")
def whole(trained: Path, many: list[Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a run without interruption writes."""
    folder = tmp_path_factory.mktemp("whole")
    apply_model(trained, many, folder)
    return contents(folder)


@pytest.mark.slow
@pytest.mark.parametrize(("jobs", "delay"), [(1, 0.02), (2, 0.0)])
def test_kill_9_and_restart_end_as_if_nothing_had_happened(
    trained: Path, tmp_path: Path, many: list[Path], whole: dict[str, bytes], jobs: int, delay: float
) -> None:
    """A real SIGKILL once some files are finished; worker processes end as well."""
    for attempt in itertools.count():  # a busy machine may have finished all files before this process gets to its kill
        cut = tmp_path / f"cut{attempt}"
        running = subprocess.Popen(command(trained, many, cut, jobs))
        wait_for(lambda: list(cut.glob("*.hepneg.root")), running)  # noqa: B023 - called at once
        time.sleep(delay)
        workers = children(running.pid)
        running.send_signal(signal.SIGKILL)
        running.wait(timeout=HUNG)
        wait_for_end(workers)
        survivors = contents(cut)
        assert survivors
        if len(survivors) < FILES:
            break
    done = subprocess.run(command(trained, many, cut, jobs), check=False, timeout=HUNG, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    assert contents(cut) == whole
    assert not list(cut.glob(".*"))


@pytest.mark.slow
def test_a_killed_worker_is_one_line_and_the_rest_can_go_on(trained: Path, tmp_path: Path, many: list[Path]) -> None:
    for attempt in itertools.count():  # a busy machine may have finished all files before this process gets to its kill
        out, writers = tmp_path / f"out{attempt}", set[int]()
        running = subprocess.Popen(command(trained, many, out, 2), stderr=subprocess.PIPE, text=True)
        wait_for(lambda: writers.update(writers_in(out)) or writers, running)  # noqa: B023 - called at once
        with contextlib.suppress(ProcessLookupError):
            os.kill(writers.pop(), signal.SIGKILL)
        _, err = running.communicate(timeout=HUNG)
        if running.returncode != 0:
            break
    assert running.returncode == 1
    assert err.startswith("error: a worker process was killed")
    assert len(err.splitlines()) == 1
    contents(out)


def writers_in(folder: Path) -> set[int]:
    """The processes that are writing a file."""
    return {int(path.name.split(".")[-3]) for path in folder.glob(".*.part.root")}


def children(process: int) -> list[int]:
    """The processes that a process has started."""
    try:
        return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except OSError:
        return []


def wait_for_end(processes: list[int]) -> None:
    deadline = time.monotonic() + HUNG
    while [process for process in processes if Path(f"/proc/{process}/cmdline").exists() and alive(process)]:
        assert time.monotonic() < deadline, "worker processes outlived the process that started them"
        time.sleep(0.05)


def alive(process: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False

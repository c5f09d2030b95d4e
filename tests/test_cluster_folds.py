"""Folds on a Dask cluster and as jobs of their own: the same bytes as on one machine, a line for what is missing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from conftest import HUNG, wait_for

import hepneg
from hepneg.cli.group import main
from hepneg.errors import TrainingError
from hepneg.events import EventTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from hepneg.learning.history import EpochRecord

SMALL: dict[str, Any] = {"folds": 2, "epochs": 2, "batch_size": 128, "network": {"hidden": [8]}}
FEW = ("--set", "training.epochs=1", "--quiet")
ABSOLUTE = ("--set", "training.scheme.name=absolute")


def toy(n: int = 800) -> EventTable:
    rng = np.random.default_rng(0)
    label = np.arange(n) % 2
    weight = np.where(rng.random(n) < 0.15, -1.0, 1.0)
    return EventTable.from_arrays(rng.normal(size=(n, 2)) + label[:, None], weight, label, event_id=np.arange(n))


def saved(model: hepneg.Classifier, folder: Path) -> list[bytes]:
    model.save(folder)
    return of_model(folder)


def of_model(folder: Path) -> list[bytes]:
    return [(folder / name).read_bytes() for name in ("weights.safetensors", "model.json")]


class Told:
    """A callback that remembers."""

    def __init__(self) -> None:
        self.epochs: list[tuple[int, str, EpochRecord]] = []

    def __call__(self, fold: int, network: str, record: EpochRecord) -> None:
        self.epochs.append((fold, network, record))

    @property
    def in_order(self) -> list[tuple[int, str, EpochRecord]]:
        return sorted(self.epochs, key=lambda told: (told[0], told[1], told[2].epoch))


@pytest.fixture
def make_call(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run the command line in this process, and return what it says on standard error."""

    def call(code: int, *arguments: str) -> str:
        capsys.readouterr()
        with pytest.raises(SystemExit) as leaving:
            main(list(arguments))
        assert int(leaving.value.code or 0) == code
        return capsys.readouterr().err

    return call


def test_workers_give_the_same_bytes_and_every_epoch_is_told(client: Any, tmp_path: Path) -> None:
    here, there = Told(), Told()
    local = hepneg.train(toy(), "combined", callbacks=[here], **SMALL)
    far = hepneg.train(toy(), "combined", callbacks=[there], client=client, **SMALL)
    assert saved(local, tmp_path / "local") == saved(far, tmp_path / "far")
    assert here.in_order == there.in_order
    assert {network for _, network, _ in here.epochs} == {"main", "refined", "signs_label_0", "signs_label_1"}


def test_a_fold_whose_worker_is_killed_is_trained_again(client: Any, tmp_path: Path) -> None:
    told, killed = Told(), []

    def kill(fold: int, network: str, record: EpochRecord) -> None:
        told(fold, network, record)
        if not killed:
            killed.extend(client.run(os.getpid).values())
            os.kill(killed[0], signal.SIGKILL)

    settings = SMALL | {"epochs": 40, "patience": 40}
    far = hepneg.train(toy(), "absolute", callbacks=[kill], client=client, **settings)
    local = hepneg.train(toy(), "absolute", **settings)
    assert saved(local, tmp_path / "local") == saved(far, tmp_path / "far")
    client.wait_for_workers(2, timeout=HUNG)
    assert killed[0] not in client.run(os.getpid).values()
    beginnings = [fold for fold, _, record in told.epochs if record.epoch == 1]
    assert len(beginnings) > settings["folds"]  # a fold began twice


def test_a_comparison_on_workers_is_that_of_one_machine(client: Any) -> None:
    schemes = ["absolute", "positive"]
    local, far = (hepneg.compare(toy(), schemes, client=c, **SMALL).to_dict() for c in (None, client))
    for comparison in (local, far):
        for scheme in comparison["schemes"].values():
            assert scheme.pop("seconds") > 0
    assert local == far


def test_what_fails_on_a_worker_fails_as_it_does_here(client: Any) -> None:
    events = EventTable.from_arrays(np.zeros((24, 1)), np.ones(24), np.arange(24) % 2, event_id=np.arange(24))
    messages = []
    for where in (None, client):
        with pytest.raises(TrainingError) as failure:
            hepneg.train(events, "absolute", client=where, folds=2, validation_fraction=0.05, network={"hidden": [2]})
        messages.append(str(failure.value))
    assert all(
        message.endswith("a classifier needs both labels; use fewer folds or more events") for message in messages
    )


def test_a_callback_ends_a_network_on_a_worker(client: Any) -> None:
    settings = SMALL | {"epochs": 500, "patience": 500}
    far = hepneg.train(toy(), "absolute", callbacks=[lambda *_: True], client=client, **settings)
    assert {history.stopped for history in far.histories} == {"callback"}
    assert all(len(history.epochs) < 500 for history in far.histories)


COMMANDS = [("train",), ("compare", "--schemes", "absolute,refined", "--no-figures")]


@pytest.mark.parametrize("command", COMMANDS)
def test_folds_alone_and_collected_are_the_whole(
    toy_analysis: Path, command: tuple[str, ...], make_call: Callable[..., str]
) -> None:
    def call(code: int, output: str, *options: str) -> str:
        return make_call(code, command[0], str(toy_analysis), *command[1:], "--set", f"output={output}", *FEW, *options)

    folder = toy_analysis.parent
    call(0, "whole")
    call(0, "parts", "--fold", "1")
    line = call(1, "parts", "--collect").strip()
    assert "fold 0 of 2 is not finished in" in line
    assert line.endswith("train with --fold 0 first")
    call(0, "parts", "--fold", "0")
    assert "folds 0, 1 in" in call(1, "parts", "--collect", "--set", "training.seed=7")
    call(0, "parts", "--collect")
    assert not (folder / "parts" / "checkpoint").exists()
    if command[0] == "train":
        assert of_model(folder / "whole" / "model") == of_model(folder / "parts" / "model")
    name = "metrics.json" if command[0] == "train" else "compare.json"
    assert json.loads((folder / "whole" / name).read_text()) == json.loads((folder / "parts" / name).read_text())


@pytest.mark.parametrize(
    ("options", "code", "part"),
    [
        (("--fold", "2"), 1, "there is no fold 2: training.folds is 2, so that they are 0 to 1"),
        (("--fold", "-1"), 1, "there is no fold -1"),
        (("--collect",), 1, "folds 0, 1 of 2 are not finished in"),
        (("--scheduler", "tcp://127.0.0.1:9"), 1, "no Dask scheduler answers at tcp://127.0.0.1:9"),
        (("--scheduler", "nonsense://x"), 1, "no Dask scheduler answers at nonsense://x"),
        (("--fold", "0", "--collect"), 2, "--fold and --collect exclude each other"),
        (("--fold", "0", "--jobs", "2"), 2, "--fold and --jobs exclude each other"),
        (("--collect", "--resume"), 2, "leave --resume out"),
        (("--executor", "threads", "--jobs", "2"), 2, "leave --executor out"),
        (("--executor", "dask"), 2, "needs --scheduler ADDRESS, or --jobs N"),
    ],
)
def test_what_cannot_be_is_one_line(
    toy_analysis: Path,
    options: tuple[str, ...],
    code: int,
    part: str,
    make_call: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if "--scheduler" in options:
        pytest.importorskip("distributed")
        monkeypatch.setattr("hepneg._core.dask_client._ANSWER_SECONDS", 0.5)
    error = make_call(code, "train", str(toy_analysis), *options)
    assert part in error
    assert code == 2 or error.count("\n") == 1
    assert not (toy_analysis.parent / "results" / "toy" / "model").exists()


def test_processes_of_this_machine_are_the_same_again(toy_analysis: Path, make_call: Callable[..., str]) -> None:
    pytest.importorskip("distributed")
    folder, command = toy_analysis.parent, ["train", str(toy_analysis), *ABSOLUTE, *FEW]
    make_call(0, *command, "--set", "output=threads")
    far = [sys.executable, "-m", "hepneg", *command, "--set", "output=processes", "--jobs", "2"]
    done = subprocess.run(far, check=True, capture_output=True, text=True, timeout=HUNG)
    assert all(line.startswith("warning: ") for line in done.stderr.splitlines()), done.stderr
    assert "8787" not in done.stderr  # Dask asks for that port unless it is told not to
    assert of_model(folder / "threads" / "model") == of_model(folder / "processes" / "model")


# A training that waits for its end after two epochs.
STALLED = """
import sys, threading
from hepneg.cli import main
from hepneg.learning import loop
train_epoch, epochs = loop.train_epoch, []
def train_and_stall(*arguments, **settings):
    epochs.append(1)
    if len(epochs) > 2:
        threading.Event().wait()
    return train_epoch(*arguments, **settings)
loop.train_epoch = train_and_stall
main(sys.argv[1:])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="folders cannot be locked there")
def test_a_fold_is_for_one_job_and_goes_on_where_it_was_killed(
    toy_analysis: Path, make_call: Callable[..., str]
) -> None:
    command = ["train", str(toy_analysis), *ABSOLUTE, "--set", "training.epochs=4", "--quiet", "--fold", "0"]
    first = subprocess.Popen([sys.executable, "-c", STALLED, *command])
    checkpoint = toy_analysis.parent / "results" / "toy" / "checkpoint" / "train"
    try:
        wait_for(lambda: list(checkpoint.glob("fold_0*.safetensors")), first)
        assert "another `hepneg train --fold 0` is writing into" in make_call(1, *command)
        assert "another `hepneg train` is writing into" in make_call(1, *command[:-2])
    finally:
        first.kill()
        first.wait()
    make_call(0, *command)
    make_call(0, *command[:-1], "1")
    make_call(0, *command[:-2], "--collect")
    whole = toy_analysis.parent / "whole"
    make_call(0, *command[:-2], "--set", "output=whole")
    assert of_model(whole / "model") == of_model(toy_analysis.parent / "results" / "toy" / "model")

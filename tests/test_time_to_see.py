"""What a long job shows: lines without a terminal, a log of JSON lines, and warnings about the outcome."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

from hepneg._core.line_progress import JsonLines, LineProgress, Together
from hepneg.cli.group import main
from hepneg.errors import OutputError
from hepneg.report.warnings_section import training_warnings


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_lines_come_each_half_minute_with_what_moved_and_what_remains() -> None:
    lines: list[str] = []
    clock = Clock()
    with LineProgress(lines.append, clock) as progress:
        first, second = progress.task("training fold 0", 1.0), progress.task("training fold 1", 1.0)
        for epoch in range(1, 61):
            clock.now = 2.0 * epoch
            first.advance(1 / 100, f"epoch {epoch}, loss 0.5 ± 0.1")
        second.advance(0.5)
        clock.now = 150.0
        second.advance(0.0)
    assert lines[:2] == [
        "training fold 0, 15 %, at most 3 min left, epoch 15, loss 0.5 ± 0.1",
        "training fold 0, 30 %, at most 2 min left, epoch 30, loss 0.5 ± 0.1",
    ]
    assert lines[4:] == ["training fold 1, 50 %, at most 2 min left"]


def test_several_displays_see_the_same(tmp_path: Path) -> None:
    lines: list[str] = []
    log = JsonLines(tmp_path / "log")
    with Together((LineProgress(lines.append, period=0.0), log)) as progress:
        progress.task("reading", 2).advance(1, "a file")
    log.close()
    assert lines[-1].startswith("reading, 50 %")
    records = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [record["event"] for record in records] == ["begin", "progress"]
    assert records[1] | {"time": ""} == {
        "time": "", "event": "progress", "task": "reading", "share": 0.5, "note": "a file"
    }  # fmt: skip


def call(*arguments: object) -> int:
    with pytest.raises(SystemExit) as leaving:
        main([str(argument) for argument in arguments])
    return int(leaving.value.code or 0)


def test_a_training_leaves_its_epochs_and_warnings_in_the_log(
    toy_analysis: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "train.jsonl"
    assert call("train", toy_analysis, "--quiet", "--log", log, "--set", "training.scheme.name=absolute") == 0
    records = [json.loads(line) for line in log.read_text().splitlines()]
    assert (records[0]["event"], records[-1]["event"], records[-1]["status"]) == ("start", "end", "done")
    epochs = [record for record in records if re.match(r"epoch \d+, loss ", record.get("note", ""))]
    assert len(epochs) == 6  # two folds of three epochs
    assert {record["task"] for record in epochs} == {"training fold 0", "training fold 1"}
    assert any(record["event"] == "step" and record["message"].startswith("training: ") for record in records)
    warned = [record["message"] for record in records if record["event"] == "warning"]
    assert any("had not stopped improving" in message for message in warned)
    assert "had not stopped improving" in capsys.readouterr().err


def test_a_failure_is_in_the_log_and_a_log_that_cannot_be_written_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("inspect", tmp_path / "none.yaml", "--log", tmp_path / "log") == 1
    last = json.loads((tmp_path / "log").read_text().splitlines()[-1])
    assert (last["status"], last["error"]) == ("failed", "ConfigError")
    capsys.readouterr()
    assert call("inspect", tmp_path / "none.yaml", "--log", tmp_path / "no" / "log") == 1
    assert "cannot write the log" in capsys.readouterr().err
    with pytest.raises(OutputError):
        JsonLines(tmp_path / "no" / "log")


def evaluation(loss: float, stopped: str = "patience", fall: float = 0.02) -> dict[str, Any]:
    losses = [0.6 - fall * number for number in range(8)]
    epochs = [{"validation_loss": value, "validation_error": 0.005} for value in losses]
    return {
        "loss": loss,
        "loss_error": 0.002,
        "histories": [{"fold": 0, "stopped": stopped, "message": "told already", "epochs": epochs}],
    }


def test_a_loss_that_tells_nothing_is_warned_of() -> None:
    assert training_warnings(evaluation(0.5)) == ()
    (near,) = training_warnings(evaluation(math.log(2) - 0.005))
    assert "is not below that of a response that tells nothing" in near
    (cut,) = training_warnings(evaluation(0.5, "epochs"))
    assert cut.startswith("1 of 1 folds had not stopped improving")
    assert training_warnings(evaluation(0.5, "epochs", fall=0.002)) == ()


def test_quantiles_that_are_off_are_warned_of() -> None:
    content = evaluation(0.5) | {
        "task": "regression",
        "objective": "quantile",
        "by_prediction": {"p_value": 0.5},
        "quantiles": [{"probability": 0.5, "below": 0.6, "below_error": 0.01}],
    }
    (off,) = training_warnings(content)
    assert "lies below the predicted 0.5 quantile" in off

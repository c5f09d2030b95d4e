"""Names that would be markup, formulae, control characters or too long for a file, and files that others left or may
read."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from friend_models import small_classifier

from hepneg import workflow
from hepneg._core.figure_names import boxes_stem, shape_stem
from hepneg._core.output import atomic_path, json_text, write_json
from hepneg._core.plain_text import visible
from hepneg.cli.group import main
from hepneg.cli.plain_console import Console, Table
from hepneg.config import load_config
from hepneg.errors import DataError
from hepneg.events import EventTable
from hepneg.models.loading import load_model
from hepneg.networks.weights_file import save_tensors
from hepneg.plots import plot_feature_shape
from hepneg.plots.save_figure import save
from hepneg.shapes import check_shapes

FORMULA = r"$\frac{p_T$ of $x_{"
BIDI = "abc\u202edef"


@pytest.mark.parametrize("name", [FORMULA, "one $ sign", r"\$x$", BIDI, "a" * 200, "é" * 100])
def test_any_name_can_be_drawn(tmp_path: Path, name: str) -> None:
    rng = np.random.default_rng(1)
    events = EventTable.from_arrays(
        rng.normal(size=(400, 1)), rng.choice([1.0, -1.0], 400, p=[0.8, 0.2]), np.arange(400) % 2, feature_names=[name]
    )
    sample = check_shapes(events, multivariate=False).samples["signal"]
    drawn = plot_feature_shape(sample.features[name], sample="signal")
    paths = save(drawn.figure, tmp_path / shape_stem("signal", name))
    assert all(path.stat().st_size > 1000 for path in paths)
    label = drawn.axes[-1].get_xlabel()
    assert BIDI not in label
    assert label.count("$") == label.count(r"\$")


def test_file_names_of_figures_stay_short_and_apart() -> None:
    long = ["x" * 199 + letter for letter in "ab"]
    stems = {shape_stem(sample, feature) for sample in long for feature in long}
    assert len(stems) == 4
    assert max(len(boxes_stem("s" * 200, *long)), *map(len, stems)) < 230
    assert shape_stem("ttbar", "ht") == "shape_ttbar_ht"


def test_the_terminal_shows_names_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table(title="t")
    table.add_column("c")
    table.add_row("a[/b] :smile: " + BIDI)
    console = Console(width=100)
    console.print(table)
    console.print("[red]x\x1b[31m")
    shown = capsys.readouterr().out
    assert r"a[/b] :smile: abc\u202edef" in shown
    assert r"[red]x\u001b[31m" in shown


def test_what_is_visible() -> None:
    assert visible("tab\tand\nline é µ ₂") == "tab\tand\nline é µ ₂"
    assert visible("\0\x1b\u202e\udc80\u2028") == r"\u0000\u001b\u202e\udc80\u2028"


def test_json_of_a_name_that_is_no_utf_8(tmp_path: Path) -> None:
    path = write_json(tmp_path / "a.json", {"file": "a\udc80", "name": "é"})
    assert json.loads(path.read_text(encoding="utf-8")) == {"file": "a\udc80", "name": "é"}
    assert '"é"' in json_text({"name": "é"})


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_weights_have_the_mode_of_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        save_tensors(tmp_path / "w.safetensors", {"a": torch.zeros(2)})
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "w.safetensors").stat().st_mode) == 0o666 & ~umask


def test_leftovers_of_killed_jobs_go_with_the_next_run(tmp_path: Path) -> None:
    process = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True, check=True
    )
    dead = int(process.stdout)
    gone = tmp_path / f".metrics.{dead}.part.json"
    kept = [
        tmp_path / name
        for name in (f".metrics.{os.getppid()}.part.json", f".other.{dead}.part.json", ".metrics.x.part.json")
    ]
    for path in (gone, *kept):
        path.touch()
    with atomic_path(tmp_path / "metrics.json") as temporary:
        temporary.write_text("{}")
    assert not gone.exists()
    assert all(path.exists() for path in kept)


def test_the_page_shows_what_reverses_the_reading(toy_analysis: Path) -> None:
    config = load_config(toy_analysis, [f"features=[{{'{BIDI}': x0}}, x1]"])
    workflow.inspect(config)
    html = workflow.report(config).result.html
    assert r"abc\u202edef" in html
    assert "\u202e" not in html


def test_weights_of_another_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = small_classifier().save(tmp_path / "model")

    def refused(path: Path, *_: object, **__: object) -> object:
        if path.suffix == ".safetensors":
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *_, **__)

    opened = Path.open
    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(DataError, match=r"weights\.safetensors cannot be read: Permission denied"):
        load_model(folder)


def test_an_unexpected_error_of_the_system_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", f"{tmp_path}/x[/b]\x1b")

    monkeypatch.setattr("hepneg.ntuples.starter_config", refused)
    with pytest.raises(SystemExit) as left:
        main(["init", "a.root"])
    assert left.value.code == 1
    assert capsys.readouterr().err == (
        f"error: cannot use {tmp_path}/x[/b]\\u001b: Permission denied; check the path and its permissions\n"
    )

"""The main job: figures drawn by other processes, files read once, results without figures."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hepneg import workflow
from hepneg.config import Config, load_config
from hepneg.errors import OutputError
from hepneg.ntuples import KeptChunks, read_chunks
from hepneg.ntuples import kept_chunks as kept_module
from hepneg.plots import save
from hepneg.plots.figure_writer import FigureWriter, NoFigures
from hepneg.plots.known_positions import StackedPanels
from hepneg.plots.style import new_figure
from hepneg.shapes.two_passes import accumulate


@pytest.fixture
def config(toy_analysis: Path) -> Config:
    return load_config(toy_analysis, ["training.scheme.name=absolute", "training.epochs=1"])


def drawn(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "plots").iterdir()}


def test_other_processes_draw_the_same_figures_in_the_same_order(config: Config) -> None:
    weights = workflow.inspect(config, figures=NoFigures()).result
    assert not (config.output / "plots").exists()
    files = {}
    for jobs in (0, 2):
        with FigureWriter(jobs) as drawing:
            drawing.draw(config, "weight_figures", weights)
            files[jobs] = drawing.finish(), drawn(config.output)
    assert files[0] == files[2]


def test_what_a_drawing_process_raises_is_raised_by_the_job(config: Config) -> None:
    weights = workflow.inspect(config, figures=NoFigures()).result
    (config.output / "plots").write_text("a file in the way")
    with FigureWriter(1) as drawing:
        drawing.draw(config, "weight_figures", weights)
        with pytest.raises(OutputError, match="it is a file"):
            drawing.finish()


def test_ctrl_c_ends_the_drawing_processes_and_leaves_whole_files(config: Config) -> None:
    weights = workflow.inspect(config, figures=NoFigures()).result
    with pytest.raises(KeyboardInterrupt), FigureWriter(1) as drawing:
        drawing.draw(config, "weight_figures", weights)
        raise KeyboardInterrupt
    assert drawing._pool is None
    assert not [path for path in config.output.rglob("*") if ".part" in path.name]


def test_the_main_job_without_figures_writes_all_results(config: Config) -> None:
    outcome = workflow.run(config, figures=NoFigures())
    assert not (config.output / "plots").exists()
    names = {path.name for path in outcome.files}
    assert {"inspect.json", "check.json", "metrics.json", "histograms.root", "report.html"} <= names
    assert "data:image/png" not in outcome.result.report.html


def test_the_main_job_reads_each_file_once(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[str] = []

    def counted(config: Config, sample: str, **options: Any) -> Any:
        reads.append(sample)
        return read_chunks(config, sample, **options)

    monkeypatch.setattr(kept_module, "read_chunks", counted)
    workflow.run(config, figures=NoFigures())
    assert sorted(reads) == ["bkg", "sig"]
    metrics = (config.output / "metrics.json").read_bytes()
    check = (config.output / "check.json").read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        workflow.check(config, figures=NoFigures())
        workflow.train(config)
    assert (config.output / "metrics.json").read_bytes() == metrics
    assert (config.output / "check.json").read_bytes() == check


@pytest.mark.parametrize("room", [0, 10**9])
def test_chunks_without_room_are_read_again(config: Config, room: int) -> None:
    chunks = KeptChunks(most_bytes=room)
    for _ in range(2):
        features = [chunk.features for chunk in chunks(config, "sig")]
        assert np.array_equal(
            np.concatenate(features), np.concatenate([c.features for c in read_chunks(config, "sig")])
        )
    assert bool(chunks._kept) == bool(room)
    assert sum(map(len, chunks.last(config, "sig"))) == 3000
    assert not chunks._kept
    assert accumulate(config, chunks=chunks).weight_report().to_dict() == accumulate(config).weight_report().to_dict()


@pytest.mark.parametrize("high", [1.0, 1e-7, 123456789.0])
def test_labels_of_any_width_fit_into_a_saved_figure(high: float, tmp_path: Path) -> None:
    """Also those wider than the usual room, for which the axes are moved or laid out."""
    layout = new_figure(1)
    layout.main.set(xlim=(0, high), ylim=(0, high), ylabel="two\nlines", title="above")
    layout.main.yaxis.get_major_formatter().set_useOffset(False)
    layout.main.ticklabel_format(style="plain", axis="y")
    layout.lowest.set(ylim=(-high, high), ylabel="Pull", xlabel="x")
    layout.lowest.ticklabel_format(style="plain")
    engine = layout.figure.get_layout_engine()
    assert isinstance(engine, StackedPanels)
    save(layout.figure, tmp_path / "figure", ["png"])
    assert layout.figure.get_layout_engine() is engine
    layout.figure.set_layout_engine("none")
    layout.figure.set_dpi(150)  # as it was written
    layout.figure.canvas.draw()
    for axes in layout.figure.axes:
        box = axes.get_tightbbox()
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= layout.figure.bbox.width
        assert box.y1 <= layout.figure.bbox.height


def test_figures_come_after_the_results(config: Config) -> None:
    seen: list[bool] = []

    class Watching(NoFigures):
        def draw(self, config: Config, kind: str, *results: Any) -> None:
            names = {"weight": "inspect", "shape": "check", "stack": "stacks", "response": "metrics"}
            name = names[kind.removesuffix("_figures")]
            seen.append(json.loads((config.output / f"{name}.json").read_text())["schema_version"] == 1)

    workflow.run(config, figures=Watching())
    assert seen == [True] * 4

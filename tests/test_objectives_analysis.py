"""The scripts of analysis/objectives: the exact curves are exact, and the scripts run."""

from __future__ import annotations

import importlib
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from hepneg.metrics import operating_point

FOLDER = Path(__file__).parents[1] / "analysis" / "objectives"


@pytest.fixture
def levels(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(FOLDER))
    yield importlib.import_module("levels")
    for name in ("levels", "preference", "operating_points"):
        sys.modules.pop(name, None)


def test_the_densities_of_the_cells_are_densities(levels: ModuleType) -> None:
    space = levels.levels()
    assert space.cells.shape == (243, 5)
    assert space.mass.sum() == pytest.approx(1.0)
    assert space.share(space.best, 0.0) == pytest.approx(1.0)
    noise = np.random.default_rng(0).normal(0, 0.1, 243)
    moved = np.clip(space.best + noise, 0.01, 0.99)
    assert space.cross_entropy(moved) > space.cross_entropy(space.best)


def test_no_response_beats_the_frontier(levels: ModuleType) -> None:
    space, low = levels.levels(), 0.8
    shares, losses = levels.frontier(space, low)
    at_best = np.interp(space.share(space.best, low), shares, losses)
    assert at_best == pytest.approx(space.cross_entropy(space.best), abs=1e-12)
    rng = np.random.default_rng(1)
    for _ in range(50):
        moved = np.clip(space.best ** rng.uniform(0.2, 3) + rng.normal(0, 0.02, 243), 0.001, 0.999)
        assert space.cross_entropy(moved) >= np.interp(space.share(moved, low), shares, losses)


def test_the_events_have_the_densities_of_the_cells(levels: ModuleType) -> None:
    space = levels.levels()
    events = space.events(40_000, 3)
    number = (events.features.astype(int) + 1) @ 3 ** np.arange(4, -1, -1)
    for code, density in ((1, space.signal), (0, space.background)):
        chosen = events.label == code
        found = np.bincount(number[chosen], events.weight[chosen], minlength=243)
        expected, variance = density * 0.6 * chosen.sum(), density * chosen.sum()
        chi2 = ((found - expected) ** 2 / variance).sum()
        assert abs(chi2 - 243) < 5 * np.sqrt(2 * 243)


def test_the_preference_script_runs(
    levels: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = importlib.import_module("preference")
    monkeypatch.setattr(sys, "argv", ["preference.py", "--quick", "-o", str(tmp_path)])
    script.main()
    assert (tmp_path / "preference.png").stat().st_size > 10_000
    shares_table, outputs, activities = capsys.readouterr().out.strip().split("\n\n")
    shares, losses = levels.frontier(levels.levels(), script.LOW)
    for row in shares_table.splitlines()[2:]:
        share, loss = (float(row.split("|")[column]) for column in (3, 4))
        assert loss >= np.interp(share, shares, losses) - 1e-3  # the table is rounded
    assert [len(table.splitlines()) - 2 for table in (shares_table, outputs, activities)] == [10, 6, 6]


@pytest.mark.real
def test_the_operating_points_script_runs(
    levels: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = importlib.import_module("operating_points")
    monkeypatch.setattr(sys, "argv", ["operating_points.py", "--quick", "--wishes", "2", "--schemes", "absolute"])
    script.main()
    table = capsys.readouterr().out.splitlines()
    assert [line.split("|")[3].strip() for line in table[2:]] == ["plain", "balanced, ratio 1"] * 2


def test_an_operating_point_is_what_counting_gives() -> None:
    rng = np.random.default_rng(5)
    score, label, weight = rng.random(4000), rng.integers(0, 2, 4000), rng.choice([-1.0, 1.0], 4000, p=[0.2, 0.8])
    point = operating_point(score, label, weight, 0.3)
    signal, above = label == 1, score > 0.3
    assert point.sensitivity.value == pytest.approx(weight[signal & above].sum() / weight[signal].sum())
    assert point.specificity.value == pytest.approx(weight[~signal & ~above].sum() / weight[~signal].sum())
    assert point.ratio.value == pytest.approx(point.sensitivity.value / point.specificity.value)
    unsigned = operating_point(score, label, np.ones(4000), 0.3)
    rate = unsigned.sensitivity.value
    assert unsigned.sensitivity.error == pytest.approx(np.sqrt(rate * (1 - rate) / signal.sum()))
    parts = unsigned.sensitivity.error / rate, unsigned.specificity.error / unsigned.specificity.value
    assert unsigned.ratio.error == pytest.approx(unsigned.ratio.value * np.hypot(*parts))
    assert point.to_dict()["ratio_error"] == point.ratio.error


def test_the_study_of_shares_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.setattr(sys, "argv", ["shares.py", "--quick"])
    runpy.run_path(str(FOLDER / "shares.py"), run_name="__main__")
    assert capsys.readouterr().out.count("| 2000 |") == 2

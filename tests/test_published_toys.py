"""The toys of the literature under analysis/closure: their densities, and the scripts that measure on them."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

FOLDER = Path(__file__).parents[1] / "analysis" / "closure"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module


def test_the_share_that_resampling_keeps_is_exact(script: Callable[[str], ModuleType]) -> None:
    toys = script("published_toys")
    x = np.linspace(-12, 12, 200_001)
    easy = toys.LINES[0]
    size = 0.75 * toys.normal(x, 1.0) + 0.25 * toys.normal(x, 0.5)
    assert np.trapezoid(size * easy.sign(x) ** 2, x) == pytest.approx(toys.KEPT_SHARE, abs=1e-7)


def test_the_negative_core_ends_where_it_should(script: Callable[[str], ModuleType]) -> None:
    toy = script("published_toys").LINES[2]
    x = np.linspace(0, 1, 100_001)
    assert x[np.argmax(toy.sign(x) > 0)] == pytest.approx(0.136, abs=5e-4)


@pytest.mark.parametrize("number", range(4))
def test_events_follow_their_local_mean_sign(script: Callable[[str], ModuleType], number: int) -> None:
    toy = script("published_toys").LINES[number]
    x, weight = toy.sample(np.random.default_rng(1), 50_000)
    exact, size = toy.sign(x), np.abs(weight)
    place = np.digitize(x, np.linspace(toy.low, toy.high, 11))
    pull = np.bincount(place, weight - size * exact, 12)
    error = np.sqrt(np.bincount(place, size**2 * (1 - exact**2), 12))
    assert (np.abs(pull) <= 4.9 * error + 1e-9).all()  # 48 tests in all: chance 5e-5


def test_the_plane_integrates_to_one_and_has_a_negative_core(script: Callable[[str], ModuleType]) -> None:
    toy = script("published_toys").Plane()
    axis = np.linspace(-14, 14, 561)
    points = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    for label in (0, 1):
        density = toy.density(points, label)
        assert density.sum() * 0.05**2 == pytest.approx(1, abs=1e-9)
        assert density[np.argmin(np.hypot(points[:, 0] - toy.shift * label, points[:, 1]))] < 0
    events = toy.sample(np.random.default_rng(2), 40_000)
    # Σw of a label is N/3 in the mean, with the error √(N · 8/9).
    for label in (0, 1):
        assert events.weight[events.label == label].sum() == pytest.approx(
            40_000 / 3, abs=4.5 * np.sqrt(40_000 * 8 / 9)
        )


def test_the_lines_are_measured(
    script: Callable[[str], ModuleType], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    published = script("published")
    arguments = ["--quick", "--toys", "gauss_easy", "weight_shape", "-o", str(tmp_path / "out.json")]
    easy, shape = published.main([*arguments, "--figure", str(tmp_path / "out.png")])
    assert (tmp_path / "out.png").stat().st_size > 10_000
    assert json.loads((tmp_path / "out.json").read_text())[0]["toy"] == "gauss_easy"
    assert "| gauss_easy | 50 of 50 |" in capsys.readouterr().out
    assert np.abs(shape.deviation).max() < 1e-9  # no negative weight: nothing is refined
    assert shape.kept == (1.0, 1.0, 0.0)
    assert abs(easy.sum_pull) < 4.5
    # Few epochs: ĝ is known less well than the events tell it, to 1/√2000 = 0.022 in tenths of them, say.
    assert easy.kept[0] == pytest.approx(easy.kept[1], abs=4.5 * (easy.kept[2] + 0.022))


def test_the_plane_is_measured(
    script: Callable[[str], ModuleType], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plane = script("plane")
    rows = plane.main(["--quick", "--schemes", "signed_target", "-o", str(tmp_path / "out.json")])
    assert set(rows) == {"exact", "signed_target"}
    assert all(ndf > 3 and np.isfinite(chi2) for row in rows.values() for chi2, ndf in row.chi2.values())
    assert "| signed_target |" in capsys.readouterr().out
    assert set(json.loads((tmp_path / "out.json").read_text())["exact"]) == {"x", "y", "R"}

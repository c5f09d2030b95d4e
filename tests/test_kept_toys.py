"""Studies of analysis/closure that count toys: a stop loses none, and what they measure against is exact."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

FOLDER = Path(__file__).parents[1] / "analysis" / "closure"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], ModuleType]]:
    monkeypatch.syspath_prepend(str(FOLDER))
    before = set(sys.modules)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(FOLDER)):
            sys.modules.pop(name)


def test_a_toy_is_measured_once_whatever_stops_the_study(script: Callable[[str], ModuleType], tmp_path: Path) -> None:
    path, calls = tmp_path / "toys.jsonl", []

    def measured(seed: int) -> list[float]:
        return script("kept").Kept(path).of("ĝ", seed, measure=lambda: calls.append(seed) or [0.5 * seed])

    assert [measured(seed) for seed in (1, 2, 1)] == [[0.5], [1.0], [0.5]]
    assert calls == [1, 2]
    with path.open("a", encoding="utf-8") as lines:
        lines.write('[["ĝ", 3], [1.')  # a stop in the middle of a line
    assert [measured(seed) for seed in (3, 2)] == [[1.5], [1.0]]
    assert calls == [1, 2, 3]
    assert len(path.read_text(encoding="utf-8").splitlines()) == 3


def test_the_turned_toy_has_its_core_along_one_direction(script: Callable[[str], ModuleType]) -> None:
    found = script("found")
    matrix = found.turn(4)
    assert matrix @ matrix.T == pytest.approx(np.eye(4), abs=1e-12)
    assert matrix[0] == pytest.approx(np.full(4, 0.5))
    plain, turned = (found.gauss(3, 200, features) for features in (1, 4))
    assert turned.features.sum(axis=1) / 2 == pytest.approx(plain.features[:, 0], abs=1e-5)


def test_cuts_are_judged_by_events_that_found_nothing(script: Callable[[str], ModuleType]) -> None:
    found = script("found")
    fresh = found.gauss(5, 20_000)
    core = found.Found("intervals", 1e-4, ((found.Cut(fresh.feature_names[0], -0.136, 0.136),),))
    way, p_value, sums = core.columns(fresh).split(" | ")
    value, error = (float(part) for part in sums.split(" (")[0].split(" ± "))
    # The core holds 18.76 % of Σ|w|, and Σw of −1.42 % of it.
    assert (way, p_value) == ("intervals", "0.0001")
    assert error == pytest.approx(np.sqrt(0.1876 * 20_000), rel=0.05)
    assert abs(value + 0.0142 * 20_000) < 4.5 * error


def test_no_response_has_a_lower_brier_score_than_the_best(script: Callable[[str], ModuleType]) -> None:
    stopping = script("stopping")
    rng = np.random.default_rng(1)
    background, signal = rng.normal(0.5, 1, 500), rng.normal(0.5, 1, 500)
    for _ in range(20):
        assert stopping.excess_brier(background, signal, rng.normal(0, 4, 500)) >= 0
    both = np.abs(background), np.abs(signal)
    assert stopping.excess_brier(*both, np.log(both[1] / both[0])) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("kind", ["gauss_negative", "plane"])
def test_the_densities_at_the_points_are_those_of_the_events(script: Callable[[str], ModuleType], kind: str) -> None:
    """Σw·½(response − label)² of the events themselves, against the exact densities at other points."""
    case = script("stopping").TOYS[kind](1, 50_000)
    events, middle = case.events, case.events.features[:, 0].mean()
    background, signal = case.excess.args

    def response(x: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(x[:, 0] - middle))

    there, own = response(events.features), response(case.points)
    scores, error = [], 0.0
    for code, missing in ((0, there), (1, 1 - there)):
        weight = events.weight * (events.label == code)
        scores.append(weight @ missing**2 / weight.sum() / 2)
        error += ((weight * (missing**2 - 2 * scores[-1])) ** 2).sum() / weight.sum() ** 2 / 4
    exact = 0.5 * (signal * (1 - own) ** 2 + background * own**2)
    assert abs(sum(scores) - exact.mean()) < 4.5 * np.hypot(np.sqrt(error), exact.std() / np.sqrt(len(own)))

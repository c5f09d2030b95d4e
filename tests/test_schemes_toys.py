"""The toys of analysis/closure: densities that are what they claim to be, and the script that measures on them."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

FOLDER = Path(__file__).parents[1] / "analysis" / "closure"


@pytest.fixture
def toys(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module("toys")


@pytest.mark.parametrize("shapes", ["equal", "mild", "strong"])
def test_both_densities_integrate_to_one(toys: ModuleType, shapes: str) -> None:
    toy = toys.Toy.make(4, shapes=shapes, negative_fraction=0.35, features=2)
    axis = np.linspace(-16, 16, 641)
    points = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    cell = (axis[1] - axis[0]) ** 2
    for label in toy.labels:
        log_h, log_hs = label.log_parts(points)
        assert np.exp(log_h).sum() * cell == pytest.approx(1, abs=1e-9)
        assert np.exp(log_hs).sum() * cell == pytest.approx(label.mean_sign, abs=1e-9)


@pytest.mark.parametrize("fraction", [0.1, 0.3, 0.45])
def test_signs_of_samples_follow_the_exact_local_sign(toys: ModuleType, fraction: float) -> None:
    toy = toys.Toy.make(5, negative_fraction=fraction)
    events = toy.sample(np.random.default_rng(0), 20_000)
    for label in (0, 1):
        chosen = events.label == label
        exact, weight = toy.exact_sign(events.features[chosen], label), events.weight[chosen]
        for part in np.array_split(np.argsort(exact), 5):
            deviation = (weight[part] - exact[part]).sum() / np.sqrt((1 - exact[part] ** 2).sum())
            assert abs(deviation) < 4.5  # ten tests per f: chance below 1e-4
        assert np.mean(weight < 0) == pytest.approx(fraction, abs=4.5 * 0.5 / np.sqrt(20_000))


def test_unsigned_events_follow_the_exact_ratio(toys: ModuleType) -> None:
    """E over p₀ of p₁/p₀ is 1, and so is E over p₁ of p₀/p₁, in any region that both reach well."""
    toy = toys.Toy.make(6)
    events = toy.sample_unsigned(np.random.default_rng(1), 40_000)
    assert (events.weight == 1).all()
    logit = toy.exact_logit(events.features)
    core = np.abs(logit) < 3
    for low, high in ((-3, -1), (-1, 1), (1, 3)):
        region = core & (logit > low) & (logit < high)
        of_background, of_signal = region & (events.label == 0), region & (events.label == 1)
        ratio = np.exp(logit[of_background])
        error = np.hypot(np.sqrt((ratio**2).sum()), np.sqrt(of_signal.sum()))
        assert abs(ratio.sum() - of_signal.sum()) < 4.5 * error


def test_equal_shapes_have_a_constant_sign(toys: ModuleType) -> None:
    toy = toys.Toy.make(7, shapes="equal", negative_fraction=(0.1, 0.4))
    x = np.random.default_rng(2).normal(size=(50, 6))
    assert toy.exact_sign(x, 0) == pytest.approx(np.full(50, 0.8))
    assert toy.exact_sign(x, 1) == pytest.approx(np.full(50, 0.2))


def test_the_excess_is_zero_at_the_exact_log_odds_alone(toys: ModuleType) -> None:
    exact = np.linspace(-6, 6, 101)
    assert toys.excess_loss(exact, exact) == pytest.approx(0, abs=1e-15)
    assert toys.excess_loss(exact + 0.1, exact) > 0
    assert toys.excess_loss(0 * exact, exact) == pytest.approx(
        np.log(2) - np.mean(np.logaddexp(0, -np.abs(exact)) + np.abs(exact) / (1 + np.exp(np.abs(exact))))
    )


def test_a_fraction_that_leaves_no_positive_component_is_refused(toys: ModuleType) -> None:
    with pytest.raises(ValueError, match="negative_fraction must be from 0 to below 0.47, not 0.5"):
        toys.Toy.make(1, negative_fraction=0.5)


def test_the_measurement_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    measure = importlib.import_module("measure")
    (geometry,) = measure.main(["--quick", "--schemes", "absolute", "combined", "-o", str(tmp_path / "out.json")])
    assert set(geometry.excess) == {"absolute", "combined"}
    assert min(geometry.excess.values()) > 0
    assert "| combined |" in capsys.readouterr().out
    written = json.loads((tmp_path / "out.json").read_text())
    assert written["geometries"][0]["seed"] == 1


def test_the_calibration_is_measured_before_and_after(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    found = importlib.import_module("calibrated").main(["--quick", "--schemes", "absolute"])
    figures = found["absolute"][0]
    assert figures["χ² per bin"].after < figures["χ² per bin"].before
    assert figures["excess of the mean"].after < figures["excess of the mean"].before


def test_the_price_is_read_off_the_learning_curve(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    measure = importlib.import_module("measure")
    curve = np.array([2.0, 1.0, 0.5, 0.25])  # excess ∝ 1/events
    assert measure.price(0.4, curve) == pytest.approx(2.5)
    assert measure.price(0.1, curve) == 4.0
    assert measure.price(9.0, curve) == 0.5


@pytest.mark.parametrize("kind", ["events", "fraction"])
def test_the_scans_run_draw_and_go_on_from_their_file(
    kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    scan = importlib.import_module("scan")
    monkeypatch.setattr(scan, "SCHEMES", {kind: ("absolute", "signed")})
    arguments = [kind, "--quick", "-o", str(tmp_path / "scan.json"), "--figures", str(tmp_path)]
    scan.main(arguments)
    first = (tmp_path / "scan.json").read_text()
    assert len(json.loads(first)) == 2
    assert list(tmp_path.glob(f"scan_{kind}*.png"))
    monkeypatch.setattr(scan, "measured", lambda *_: pytest.fail("measured twice"))
    scan.main(arguments)
    assert (tmp_path / "scan.json").read_text() == first
    assert capsys.readouterr().out.count("| absolute | signed |") == 2


@pytest.mark.filterwarnings("ignore::hepneg.HepnegWarning")
def test_the_study_of_cells_runs(toys: ModuleType) -> None:
    ratios = importlib.import_module("cells").main(["--judge", "--quick"])
    assert set(ratios) == {"nearest", "stratified", "averaged", "refined"}
    assert all(len(values) == 1 and np.isfinite(values).all() for values in ratios.values())


@pytest.fixture
def classes(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module("classes")


@pytest.mark.parametrize("number", [3, 5])
def test_exact_probabilities_of_classes_are_those_of_their_events(classes: ModuleType, number: int) -> None:
    """Among events of which the exact probability says p to be of a class, that share is."""
    toy = classes.ClassToy.make(1, number)
    events = toy.sample_unsigned(np.random.default_rng(1), 20_000)
    exact = toy.exact_probability(events.features)
    assert exact.sum(axis=1) == pytest.approx(np.ones(len(events)))
    for code in range(number):
        of_class = events.label == code
        for part in np.array_split(np.argsort(exact[:, code]), 8):
            p = exact[part, code]
            deviation = (of_class[part] - p).sum() / np.sqrt((p * (1 - p)).sum())
            assert abs(deviation) < 4.5  # 24 and 40 tests: chance below 3e-4
    signed = toy.sample(np.random.default_rng(2), 1000)
    assert signed.classes == tuple(f"class_{code}" for code in range(number))
    assert np.mean(signed.weight < 0) == pytest.approx(0.3, abs=4.5 * 0.46 / np.sqrt(1000 * number))
    assert classes.excess_loss(exact, exact) == 0
    assert classes.excess_loss(np.full_like(exact, 1 / number), exact) > 0.1


def test_the_script_of_classes_runs(classes: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    ratios = classes.main(["--quick", "--schemes", "absolute"])
    assert np.isfinite(ratios["absolute"]).all()
    assert "| absolute |" in capsys.readouterr().out

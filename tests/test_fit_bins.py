"""Bins for fits: the smooth mean sign, the conditions, the best cut, and the bias that the choice of edges brings."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom
from template_toys import scores

from hepneg.binning.fine_grid import FineGrid
from hepneg.binning.fit_edges import Conditions, Process, Target, _best_runs, _meets, choose_starts
from hepneg.binning.sign_sums import SignSums
from hepneg.binning.smooth_sign import knots_for, smooth_contents
from hepneg.errors import DataError

FINE = 100
TOYS = 200


def toy(name: str, events: int, rng: np.random.Generator) -> SignSums:
    score, weight = scores(name, events, rng)
    return SignSums.of((score * FINE).astype(np.intp), weight, FINE)


@pytest.fixture(scope="module")
def truth() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Expected Σw and Σw² of an event in each fine bin."""
    rng = np.random.default_rng(100)
    found = {name: toy(name, 2_000_000, rng) for name in ("sig", "bkg")}
    return {name: (sums.content / 2e6, sums.variance / 2e6) for name, sums in found.items()}


def test_sums_by_sign_add_up() -> None:
    rng = np.random.default_rng(1)
    place, weight = rng.integers(-1, 6, 200), rng.normal(size=200)
    sums = SignSums.of(place, weight, 5)
    inside = (place >= 0) & (place < 5)
    np.testing.assert_allclose(sums.content, np.bincount(place[inside], weight[inside], 5))
    np.testing.assert_allclose(sums.variance, np.bincount(place[inside], weight[inside] ** 2, 5))
    both = SignSums.of(place[:90], weight[:90], 5) + SignSums.of(place[90:], weight[90:], 5)
    np.testing.assert_allclose(both.content, sums.content)
    np.testing.assert_allclose(sums.scaled(3).variance, 9 * sums.variance)


def test_without_negative_events_nothing_is_smoothed() -> None:
    sums = SignSums.of(np.arange(50) % 5, np.arange(1.0, 51.0), 5)
    smooth = smooth_contents(sums, np.array([0, 2]))
    np.testing.assert_allclose(smooth.content, np.add.reduceat(sums.content, [0, 2]))
    np.testing.assert_allclose(smooth.error**2, np.add.reduceat(sums.variance, [0, 2]))
    assert len(smooth.shared()) == 0


def test_smooth_contents_are_unbiased_and_know_their_covariance(
    truth: dict[str, tuple[np.ndarray, np.ndarray]],
) -> None:
    starts, events = np.array([0, 15, 30, 45, 60, 75]), 2000
    wanted = events * np.add.reduceat(truth["bkg"][0], starts)
    pulls, sums, errors, raw = [], [], [], []
    for seed in range(TOYS):
        sample = toy("bkg", events, np.random.default_rng(seed))
        smooth = smooth_contents(sample, starts)
        assert smooth.content.sum() == pytest.approx(sample.content.sum())
        pulls.append((smooth.content - wanted) / smooth.error)
        sums.append((smooth.content.sum() - wanted.sum()) / np.sqrt(smooth.covariance.sum()))
        errors.append(smooth.error)
        raw.append(np.sqrt(np.add.reduceat(sample.variance, starts)))
    # Means and widths of 200 unit normals are known to 0.07 and 0.05: four of those, and 0.15 for smoothing and skew.
    assert np.abs(np.mean(pulls, axis=0)).max() < 0.15 + 4 / np.sqrt(TOYS)
    assert np.abs(np.std(pulls, axis=0) - 1).max() < 4 / np.sqrt(2 * TOYS) + 0.05
    assert abs(np.mean(sums)) < 4 / np.sqrt(TOYS)
    assert (np.mean(errors, axis=0) < 1.01 * np.mean(raw, axis=0)).all()
    assert np.mean(errors, axis=0)[-1] < 0.9 * np.mean(raw, axis=0)[-1]


def test_own_and_shared_parts_make_up_the_covariance() -> None:
    smooth = smooth_contents(toy("bkg", 3000, np.random.default_rng(3)), np.array([0, 10, 20, 40, 60]))
    shifts = smooth.shared(least=0.0)
    rebuilt = np.diag(smooth.own) + shifts.T @ shifts
    scale = np.sqrt(np.outer(np.diag(smooth.covariance), np.diag(smooth.covariance)))
    assert np.abs((rebuilt - smooth.covariance) / scale).max() < 0.1


def test_knots_follow_from_the_overall_mean_sign() -> None:
    half = np.array([[50.0] * 10, [49.0] * 10])
    assert knots_for(SignSums(half, half)) == 1  # no significance anywhere
    assert knots_for(SignSums(half * np.array([[1.0], [0.2]]), half)) > 3
    with pytest.raises(ValueError, match="sum to -"):
        smooth_contents(SignSums(half[::-1], half))


@given(st.lists(st.floats(0.1, 5.0), min_size=4, max_size=8), st.integers(1, 4), st.integers(0, 2**16))
def test_no_cut_is_better_than_the_one_that_is_found(values: list[float], most: int, seed: int) -> None:
    rng, size = np.random.default_rng(seed), len(values) + 1
    gain, good = rng.normal(size=(size, size)), rng.random((size, size)) < 0.7
    for exact in (False, True):
        best = -np.inf
        for runs in range(most if exact else 1, most + 1):
            for inner in itertools.combinations(range(1, len(values)), runs - 1):
                bounds = [0, *inner, len(values)]
                pairs = list(itertools.pairwise(bounds))
                if all(good[pair] for pair in pairs):
                    best = max(best, sum(gain[pair] for pair in pairs))
        found = _best_runs(good, gain, most, exact=exact)
        if not len(found):
            assert best == -np.inf
            continue
        pairs = list(itertools.pairwise([*found, len(values)]))
        assert found[0] == 0
        assert all(good[pair] for pair in pairs)
        assert sum(gain[pair] for pair in pairs) == pytest.approx(best)


def test_flat_targets_are_flat() -> None:
    ones = SignSums(np.array([[10.0] * 60, [0.0] * 60]), np.array([[10.0] * 60, [0.0] * 60]))
    falling = SignSums(
        np.array([np.arange(60, 0, -1.0), np.zeros(60)]), np.array([np.arange(60, 0, -1.0), np.zeros(60)])
    )
    processes = {"s": Process.smooth(ones, signal=True), "b": Process.smooth(falling, signal=False)}
    loose = Conditions(significance=1, effective=1, rate=0.5)
    for target, sums in (("flat_signal", ones), ("flat_background", falling)):
        starts = choose_starts(processes, target=target, most=4, conditions=loose)  # type: ignore[arg-type]
        shares = np.add.reduceat(sums.content, starts) / sums.content.sum()
        np.testing.assert_allclose(shares, 0.25, atol=0.02)
    assert choose_starts(processes, target="flat_signal", most=6, conditions=loose).tolist() == [0, 10, 20, 30, 40, 50]


def test_the_best_bins_separate_signal_from_background() -> None:
    flat = np.full(40, 100.0)
    step = np.where(np.arange(40) < 30, 1.0, 30.0)
    processes = {
        name: Process.smooth(SignSums(np.array([part, 0 * part]), np.array([part, 0 * part])), signal=name == "s")
        for name, part in (("s", step), ("b", flat))
    }
    loose = Conditions(significance=1, effective=1, rate=0.5)
    assert 30 in choose_starts(processes, most=2, conditions=loose)
    with pytest.raises(DataError, match="needs signal and background"):
        choose_starts({"b": processes["b"]}, conditions=loose)
    with pytest.raises(DataError, match="'b' has Σw = 4000"):
        choose_starts(processes, conditions=Conditions(effective=1e5), required=["b"])


@pytest.mark.parametrize(("target", "effective"), [("significance", 400), ("flat_signal", 2000)])
def test_conditions_hold_at_their_rate_and_other_events_leave_no_bias(
    truth: dict[str, tuple[np.ndarray, np.ndarray]], target: Target, effective: int
) -> None:
    events, share, conditions = int(effective / 0.16), 0.25, Conditions()
    weakest: dict[str, list[float]] = {"other events": [], "same events": []}
    met = tried = 0
    for seed in range(TOYS):
        rng = np.random.default_rng(seed)
        chosen = {name: toy(name, int(share * events), rng) for name in truth}
        filled = {name: toy(name, int((1 - share) * events), rng) for name in truth}
        ratio = (1 - share) / share
        for how, pulls in weakest.items():
            processes = {
                name: Process.smooth(chosen[name], signal=name == "sig", events=ratio)
                if how == "other events"
                else Process(name == "sig", filled[name].content, np.zeros((FINE, FINE)), filled[name].variance)
                for name in truth
            }
            starts = choose_starts(processes, target=target, conditions=conditions, required=["bkg"])
            content, square = (
                np.add.reduceat(part, starts) for part in (filled["bkg"].content, filled["bkg"].variance)
            )
            wanted, spread = (int((1 - share) * events) * np.add.reduceat(part, starts) for part in truth["bkg"])
            low = int(np.argmin(wanted / np.sqrt(spread)))
            pulls.append((content[low] - wanted[low]) / np.sqrt(spread[low]))
            if how == "other events" and len(starts) > 1:
                met += int((content > conditions.least * np.sqrt(square)).sum())
                tried += len(starts)
    error = 1 / np.sqrt(TOYS)
    assert abs(np.mean(weakest["other events"])) < 0.1 + 3 * error
    assert np.mean(weakest["same events"]) > 0.5
    # The rate is promised for each bin: binomial fluctuations of as many tries.
    assert met >= binom.ppf(1e-4, tried, conditions.rate)


def test_the_grid_finds_each_value() -> None:
    grid = FineGrid.of_response()
    assert (np.diff(grid.edges) > 0).all()
    assert (grid.edges[0], grid.edges[-1]) == (0.0, 1.0)
    values = np.array([-0.1, 0.0, 0.5, 1.0, 1.1])
    place = grid.place(values)
    assert place[0] == -1
    assert place[-1] == len(grid)
    assert place[-2] == len(grid) - 1
    assert grid.edges[place[2]] <= 0.5 < grid.edges[place[2] + 1]
    given_edges = [0.0, 0.3, 2.0]
    assert FineGrid.between(given_edges).starts(np.array(given_edges)).tolist() == [0, 50]


def test_a_condition_is_on_independent_events() -> None:
    sums = SignSums(np.array([[30.0], [0.0]]), np.array([[30.0], [0.0]]))
    exact = Process(False, sums.content, np.zeros((1, 1)), sums.variance)
    known = Process.as_is(sums, signal=False)
    strict = Conditions(significance=4.0, effective=1, rate=0.9)
    assert _meets(exact, strict)[0, 1]  # 30/√30 = 5.5 is above 4 + 1.28
    assert not _meets(known, strict)[0, 1]  # but not above 4 + 1.28·√2

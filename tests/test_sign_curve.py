"""The curve from learnt to observed signs: what was bent becomes straight, and nothing is made up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hepneg._core.hashing import assign_folds
from hepneg._core.linear_spline import LinearSpline
from hepneg.events import EventTable
from hepneg.signs.curve import SignCurve, best_curve, straightened
from hepneg.signs.refinement import refine


def log_odds(sign: np.ndarray) -> np.ndarray:
    return np.asarray(2 * np.arctanh(sign))


def signed(sign: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Weights of size 0.5 to 1.5 whose local mean sign is ``sign``."""
    return rng.uniform(0.5, 1.5, len(sign)) * np.where(rng.random(len(sign)) < 0.5 + 0.5 * sign, 1.0, -1.0)


def test_a_bent_sign_becomes_straight() -> None:
    rng = np.random.default_rng(1)
    learnt = rng.uniform(0.1, 0.8, 200_000)
    d = log_odds(learnt) - 1.0
    true = np.tanh(0.5 * (1.1 + 0.8 * d + 0.3 * d**2))
    curve = best_curve(learnt, signed(true, rng))
    # Between knots a line stands for a parabola (0.3 · step²/4 < 0.01); each value is known to some 0.008.
    np.testing.assert_allclose(curve(learnt), true, atol=0.03)
    assert float(np.sqrt(np.mean((curve(learnt) - true) ** 2))) < 0.01


def test_what_is_right_stays_so_within_its_noise() -> None:
    rng = np.random.default_rng(4)
    learnt = rng.uniform(0.1, 0.8, 20_000)
    corrected = best_curve(learnt, signed(learnt, rng))(learnt)
    # Ten parameters at most of a variance of (1 − ĝ²)/n each: a root mean square of √(10/20 000) is the largest
    # expected.
    assert float(np.sqrt(np.mean((corrected - learnt) ** 2))) < 2 * np.sqrt(10 / 20_000)


def test_one_value_everywhere_becomes_the_mean_sign() -> None:
    weight = signed(np.full(20_000, 0.3), np.random.default_rng(5))
    corrected = best_curve(np.full(20_000, 0.6), weight)(np.array([0.6]))
    assert corrected[0] == pytest.approx(weight.sum() / np.abs(weight).sum(), abs=1e-3)


def test_signs_at_random_bend_little_and_unbiased() -> None:
    shifts = []
    for seed in range(40):
        rng = np.random.default_rng([2, seed])
        learnt = rng.uniform(0.35, 0.45, 2000)
        weight = signed(np.full(2000, 0.4), rng)
        shifts.append(float(best_curve(learnt, weight)(learnt).mean() - weight.sum() / np.abs(weight).sum()))
    # A logistic regression with an offset meets the mean sign; the prior moves it by 1/(n·variance·width²) at most.
    assert np.abs(shifts).max() < 0.01


steps = st.lists(st.tuples(st.floats(1e-3, 2), st.floats(0, 2)), min_size=2, max_size=9)


@given(steps, st.floats(-3, 3), st.lists(st.floats(-1.2, 1.2), min_size=2))
def test_it_never_falls_and_stays_a_sign(steps: list[tuple[float, float]], start: float, learnt: list[float]) -> None:
    knots, values = (start + np.cumsum([step[i] for step in steps]) for i in (0, 1))
    corrected = SignCurve(LinearSpline(tuple(knots.tolist()), tuple(values.tolist())))(np.sort(learnt))
    assert (np.diff(corrected) >= -1e-12).all()
    assert (np.abs(corrected) <= 1).all()


@pytest.mark.parametrize(
    "weight", [np.ones(3000), -np.ones(3000), np.zeros(3000), np.zeros(0), np.array([1.0, -1.0] * 20)]
)
def test_too_little_to_go_by_changes_nothing(weight: np.ndarray) -> None:
    learnt = np.linspace(-0.9, 0.9, len(weight))
    np.testing.assert_allclose(best_curve(learnt, weight)(learnt), learnt, atol=1e-12)


def test_a_curve_is_not_fitted_to_the_events_that_it_is_for() -> None:
    rng = np.random.default_rng(3)
    x = rng.random((6000, 2))
    events = EventTable.from_arrays(x, signed(0.1 + 0.8 * x[:, 0], rng), np.zeros(6000, int), feature_names=["x", "y"])
    fold = assign_folds(events.event_id, 3, 1)
    refinement = refine(events, folds=3, network={"hidden": [8]}, epochs=3)
    weight = np.where(fold == 0, -events.weight, events.weight)
    changed = EventTable.from_arrays(x, weight, np.zeros(6000, int), feature_names=["x", "y"])
    plain = [replace(signs, curves={}) for signs in refinement.signs]
    before, after = (straightened(plain, table, fold) for table in (events, changed))
    assert before[0].curves == after[0].curves
    assert before[1].curves != after[1].curves
    assert [one.curves for one in before] == [one.curves for one in refinement.signs]

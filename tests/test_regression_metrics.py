"""Signed errors of a regression against oracles, their coverage, and what the evaluation makes of them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import binom

from hepneg import EventTable, evaluate
from hepneg.errors import DataError
from hepneg.events import clusters
from hepneg.metrics import (
    bias,
    mean_absolute_error,
    mean_squared_error,
    paired_difference,
    quantile_loss,
    resolution,
    squared_error_influence,
)
from hepneg.metrics.residuals import residual_profile
from hepneg.metrics.target_errors import residual_correlation

NUMBERS = hnp.arrays(np.float64, 12, elements=st.floats(-1e3, 1e3))


@given(NUMBERS, NUMBERS, hnp.arrays(np.float64, 12, elements=st.floats(0.1, 10)))
@settings(deadline=None)
def test_positive_weights_give_weighted_means(p: np.ndarray, t: np.ndarray, w: np.ndarray) -> None:
    r = p - t
    assert mean_squared_error(p, t, w).value == pytest.approx(np.average(r**2, weights=w))
    assert mean_absolute_error(p, t, w).value == pytest.approx(np.average(abs(r), weights=w))
    assert bias(p, t, w).value == pytest.approx(np.average(r, weights=w), abs=1e-9)
    spread = np.sqrt(np.average((r - np.average(r, weights=w)) ** 2, weights=w))
    assert resolution(p, t, w).value == pytest.approx(spread, nan_ok=True) or spread < 1e-6


@given(NUMBERS, NUMBERS, st.floats(0.1, 100))
@settings(deadline=None)
def test_a_copy_with_opposite_weight_cancels(p: np.ndarray, t: np.ndarray, scale: float) -> None:
    twice, weight = [np.tile(column, 3) for column in (p, t)], np.repeat([scale, scale, -scale], 12)
    assert mean_squared_error(*twice, weight).value == pytest.approx(mean_squared_error(p, t, np.ones(12)).value)


def test_the_quantile_loss_is_least_at_the_quantile() -> None:
    t = np.random.default_rng(0).exponential(size=4001)
    w = np.ones(4001)
    losses = {q: quantile_loss(np.full(4001, np.quantile(t, q)), t, w, 0.3).value for q in (0.2, 0.3, 0.4)}
    assert min(losses, key=lambda q: losses[q]) == 0.3


def test_errors_cover() -> None:
    """Two in three of 400 samples, within four standard deviations of the binomial number, hold the truth."""
    rng, inside = np.random.default_rng(1), np.zeros(3)
    for _ in range(400):
        n = rng.poisson(500)
        t, w = rng.normal(size=n), np.where(rng.random(n) < 0.2, -1.0, 1.0)
        p = np.full(n, 0.5)
        measured = (bias(p, t, w), mean_squared_error(p, t, w), resolution(p, t, w))
        inside += [abs(one.value - true) < one.error for one, true in zip(measured, (0.5, 1.25, 1.0), strict=True)]
    band = 4 * np.sqrt(0.683 * 0.317 / 400)
    assert (abs(inside / 400 - 0.683) < band).all()


def test_a_paired_difference_is_sharper_than_its_parts() -> None:
    rng = np.random.default_rng(2)
    t, w = rng.normal(size=2000), np.where(rng.random(2000) < 0.2, -1.0, 1.0)
    first, second = t + rng.normal(size=2000), t + rng.normal(size=2000)
    difference = paired_difference(squared_error_influence, first, first + 0.01 * second, t, w)
    assert 0 < difference.error < 0.3 * mean_squared_error(first, t, w).error


def candidates(rng: np.random.Generator, events: int, rows: int) -> tuple[np.ndarray, ...]:
    """Residuals, targets, signed weights and identifiers of events whose rows share the weight and 80 % of the rest."""
    event = np.repeat(np.arange(events), rows)
    residual, target = (
        np.sqrt(0.8) * rng.normal(size=events)[event] + np.sqrt(0.2) * rng.normal(size=len(event)) for _ in range(2)
    )
    return residual, target, np.where(rng.random(events) < 0.2, -1.0, 1.0)[event], event


def test_copies_of_an_event_know_no_more_than_the_event() -> None:
    residual, target, weight, event = candidates(np.random.default_rng(3), 2000, 1)
    several = [np.repeat(column, 4) for column in (target + residual, target, weight)]
    for metric in (bias, mean_squared_error, mean_absolute_error, resolution):
        once, copies = metric(target + residual, target, weight), metric(*several, event_id=np.repeat(event, 4))
        assert (copies.value, copies.error) == pytest.approx((once.value, once.error))
        assert metric(*several).error == pytest.approx(once.error / 2)
    once, copies = (
        quantile_loss(residual, target, weight, 0.3),
        quantile_loss(
            *(np.repeat(column, 4) for column in (residual, target, weight)), 0.3, event_id=np.repeat(event, 4)
        ),
    )
    assert (copies.value, copies.error) == pytest.approx((once.value, once.error))
    once, copies = (
        residual_correlation(residual, target, weight),
        residual_correlation(
            *(np.repeat(column, 4) for column in (residual, target, weight)), event_id=np.repeat(event, 4)
        ),
    )
    assert (copies.value, copies.error) == pytest.approx((once.value, once.error))


def test_an_evaluation_goes_by_events_not_by_rows() -> None:
    residual, target, weight, event = candidates(np.random.default_rng(4), 3000, 1)
    results = []
    for rows in (1, 4):
        t, r, w, e = (np.repeat(column, rows) for column in (target, residual, weight, event))
        table = EventTable.from_arrays(t[:, None], w, target=t, event_id=e)
        results.append(evaluate(table, prediction=t + r, scheme="signed", objective="squared"))
    once, copies = (one.to_dict() for one in results)
    for name in ("bias", "resolution", "mse", "mae", "variance", "pull_mean", "pull_width"):
        assert copies[f"{name}_error"] == pytest.approx(once[f"{name}_error"], rel=1e-6), name
    for name in ("by_target", "by_prediction"):
        assert copies[name]["degrees"] == once[name]["degrees"]
        assert copies[name]["chi2"] == pytest.approx(once[name]["chi2"], rel=1e-6)
    (one,), (other,) = (result.samples.values() for result in results)
    assert other.sum_weights.error == pytest.approx(4 * one.sum_weights.error)
    for name in ("residual", "matrix"):
        np.testing.assert_allclose(copies[name]["variances"], 16 * np.array(once[name]["variances"]))


def test_errors_and_the_bias_chi2_hold_where_events_have_several_rows() -> None:
    """400 samples of 500 events with four rows: 68 % hold the truth, 5 % of the χ² are at the 5 % level."""
    rng, inside, alarms = np.random.default_rng(5), np.zeros(3), 0
    for _ in range(400):
        r, t, w, event = candidates(rng, 500, 4)
        measured = (bias(t + r, t, w, event_id=event), mean_squared_error(t + r, t, w, event_id=event))
        measured += (resolution(t + r, t, w, event_id=event),)
        inside += [abs(one.value - true) < one.error for one, true in zip(measured, (0.0, 1.0, 1.0), strict=True)]
        alarms += residual_profile(t, r, w, clusters(event), bins=5).p_value < 0.05
    band = 4 * np.sqrt(0.683 * 0.317 / 400)
    assert (abs(inside / 400 - 0.683) < band).all()
    assert alarms <= binom.ppf(0.9999, 400, 0.05)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (([1.0], [1.0, 2.0], [1.0]), "have shapes"),
        (([np.nan], [1.0], [1.0]), "NaN or infinite values in prediction"),
        (([1.0, 2.0], [1.0, 2.0], [1.0, -1.0]), "weights sum to 0"),
    ],
)
def test_unusable_columns_are_refused(columns: tuple[list[float], ...], message: str) -> None:
    with pytest.raises(DataError, match=message):
        mean_squared_error(*columns)


def test_a_variance_that_is_not_positive_has_no_root() -> None:
    assert np.isnan(resolution([0.0, 0.0, 9.0, 0.0], np.zeros(4), [1.0, 1.0, -1.0, 1.0]).value)


def test_bins_are_merged_until_their_sums_are_significant() -> None:
    rng = np.random.default_rng(3)
    x, w = rng.normal(size=4000), np.where(rng.random(4000) < 0.45, -1.0, 1.0)
    profile = residual_profile(x, rng.normal(size=4000), w)
    bin_of = profile.bin_of(x)
    for number in range(profile.degrees):
        chosen = w[bin_of == number]
        assert chosen.sum() > 5 * np.sqrt(np.square(chosen).sum())
    assert profile.p_value > 1e-3
    assert residual_profile(x, 1 + rng.normal(size=4000), np.ones(4000)).p_value < 1e-10


def events_and_truth() -> tuple[EventTable, np.ndarray]:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(3000, 2))
    truth = x[:, 0] - 1
    weight = np.where(rng.random(3000) < 0.2, -1.0, 1.0)
    grade = np.where(np.arange(3000) < 100, -1.0, 1.0)
    target = truth + 0.5 * rng.normal(size=3000) + np.where(grade < 0, 50.0, 0.0)
    return EventTable.from_arrays(x, weight, target=target, grade=grade), truth


def test_an_exact_regression_is_recognised_and_counter_examples_are_left_out() -> None:
    events, truth = events_and_truth()
    quantiles = {0.16: truth - 0.5, 0.84: truth + 0.5}
    found = evaluate(events, prediction=truth, quantiles=quantiles, scheme="refined", objective="quantile")
    assert found.counter_examples == 100
    assert abs(found.bias.value) < 4 * found.bias.error
    assert abs(found.resolution.value - 0.5) < 4 * found.resolution.error
    assert abs(found.pull_width.value - 1.0) < 4 * found.pull_width.error + 0.01  # ±0.5 is 0.503 of the 16 % quantile
    assert all(abs(row.below.value - row.probability) < 4 * row.below.error + 0.002 for row in found.quantiles)
    assert found.matrix.sum(flow=True).value == pytest.approx(events.weight[100:].sum())
    assert json.loads(json.dumps(found.to_dict()))["by_prediction"]["degrees"] == found.by_prediction.degrees
    assert set(found.histograms()) == {"residual_events", "pull_events", "matrix"}
    assert "bias" in repr(found)
    assert "<table>" in found._repr_html_()


def test_the_evaluation_refuses_what_does_not_fit() -> None:
    events, truth = events_and_truth()
    with pytest.raises(DataError, match="2999 values are given for the predictions"):
        evaluate(events, prediction=truth[1:])
    labelled = EventTable.from_arrays(np.zeros((2, 1)), [1.0, 1.0], [0, 1])
    with pytest.raises(DataError, match="no target"):
        evaluate(labelled, prediction=[0.0, 0.0])

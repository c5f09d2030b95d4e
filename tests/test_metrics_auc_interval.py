"""The interval of the AUC: against direct sums over pairs, and where Σw is barely significant."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import binom, chi2, norm

from hepneg import metrics

TRUE_AUC = norm.cdf(np.sqrt(0.5))


def toy(rng, n, fraction):
    label = rng.integers(0, 2, n)
    weight = np.where(rng.random(n) < fraction, -1.0, 1.0) * np.exp(rng.normal(0.0, 0.3, n))
    return rng.normal(label, 1.0), label, weight


def excess(area, level, score, label, weight):
    """T² − z²V by sums over all pairs; at most 0 where an area agrees with the events."""
    signal = label == 1
    w, v = weight[signal], weight[~signal]
    kernel = np.heaviside(score[signal][:, None] - score[~signal], 0.5) - area
    variance = w**2 @ (kernel @ v) ** 2 + (w @ kernel) ** 2 @ v**2 - w**2 @ kernel**2 @ v**2
    return ((w @ kernel @ v) ** 2 - chi2.ppf(level, 1) * variance) / (w.sum() * v.sum()) ** 2


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 100_000), st.floats(0.3, 0.97), st.sampled_from([0.0, 0.3, 0.45]))
def test_the_ends_are_where_the_sum_over_pairs_stops_agreeing(seed, level, fraction):
    score, label, weight = toy(np.random.default_rng(seed), 60, fraction)
    score = np.round(score, 1)  # ties
    assume(min(weight[label == 1].sum(), weight[label == 0].sum()) > 0.5)
    interval = metrics.auc_interval(score, label, weight, level=level)
    grid = np.linspace(0.0, 1.0, 201)
    outside = [
        excess(a, level, score, label, weight) for a in grid if not interval.low - 1e-6 <= a <= interval.high + 1e-6
    ]
    assert min(outside, default=1.0) > -1e-9
    for end in (interval.low, interval.high):
        found = excess(end, level, score, label, weight)
        assert found == pytest.approx(0.0, abs=1e-6) or end in (0.0, 1.0) or interval.low == interval.high


def test_the_interval_agrees_with_the_error_far_from_zero():
    events = toy(np.random.default_rng(5), 50_000, 0.1)
    estimate, interval = metrics.auc(*events), metrics.auc_interval(*events)
    assert interval.high - estimate.value == pytest.approx(estimate.error, rel=0.02)
    assert estimate.value - interval.low == pytest.approx(estimate.error, rel=0.02)


@pytest.mark.parametrize("fraction", [0.0, 0.45])
def test_the_interval_covers_where_the_sums_are_barely_significant_too(fraction):
    rng, toys, made, inside = np.random.default_rng(4), 400, 0, np.zeros(2, int)
    while made < toys:
        events = toy(rng, 1000, fraction)
        if min(events[2][events[1] == 1].sum(), events[2][events[1] == 0].sum()) <= 0:
            continue
        made += 1
        for i, level in enumerate((0.6827, 0.95)):
            interval = metrics.auc_interval(*events, level=level)
            inside[i] += interval.low <= TRUE_AUC <= interval.high
    for count, level in zip(inside, (0.6827, 0.95), strict=True):
        low, high = binom.interval(0.999, toys, level)
        assert low <= count
        # Where nothing bounds the area but [0, 1], the interval at 95 % is wider than it need be.
        assert count <= high or (fraction == 0.45 and level == 0.95)


def test_a_perfect_separation_stays_within_the_unit_interval():
    score, label = np.arange(20.0), np.arange(20) >= 10
    interval = metrics.auc_interval(score, label, np.ones(20), level=0.95)
    assert 0.5 < interval.low <= interval.high == 1.0


def test_levels_are_between_0_and_1():
    with pytest.raises(ValueError, match="level"):
        metrics.auc_interval([0.0, 1.0], [0, 1], [1.0, 1.0], level=1.0)


def test_calibration_never_rejects_too_often_where_the_sums_are_barely_significant():
    rng, toys, made, rejected = np.random.default_rng(6), 500, 0, 0
    while made < toys:
        x, label, weight = toy(rng, 600, 0.45)
        if min(weight[label == 1].sum(), weight[label == 0].sum()) <= 0:
            continue
        made += 1
        rejected += metrics.calibration_curve(1.0 / (1.0 + np.exp(0.5 - x)), label, weight).p_value <= 0.05
    assert 0 < rejected <= binom.ppf(0.999, toys, 0.05)


def test_ks_is_exact_among_sets_with_positive_sums():
    rng, toys, rejected, made = np.random.default_rng(7), 400, 0, 0
    while made < toys:
        w = np.where(rng.random(160) < 0.45, -1.0, 1.0)
        if min(w[:80].sum(), w[80:].sum()) <= 0:
            continue
        made += 1
        x = rng.normal(size=160)
        rejected += metrics.ks_two_sample(x[:80], w[:80], x[80:], w[80:], permutations=99, seed=made).p_value <= 0.05
    low, high = binom.interval(0.999, toys, 0.05)
    assert low <= rejected <= high

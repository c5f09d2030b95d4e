"""Calibration from sums: the same in one piece, in chunks and merged; intervals where Σw is barely significant."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, norm

from hepneg import metrics
from hepneg.errors import DataError
from hepneg.metrics.calibration import residual_chi2


def toy(rng, n, fraction=0.3):
    label = rng.integers(0, 2, n)
    weight = np.where(rng.random(n) < fraction, -1.0, 1.0) * np.exp(0.3 * rng.normal(size=n))
    return rng.normal(label, 1.0), label, weight


def sigmoid(logit):
    return 1.0 / (1.0 + np.exp(-logit))


def in_parts(make, score, label, weight, pieces):
    """Fill one accumulator for each piece and add them up."""
    parts = []
    for piece in np.array_split(np.arange(len(score)), pieces):
        parts.append(make())
        parts[-1].fill(score[piece], label[piece], weight[piece])
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total.result()


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 1000), st.integers(1, 7))
def test_sums_in_pieces_give_what_all_events_give(seed, pieces):
    x, label, weight = toy(np.random.default_rng(seed), 500, 0.15)
    whole = metrics.calibration_curve(sigmoid(x - 0.5), label, weight)
    found = in_parts(metrics.CalibrationAccumulator, sigmoid(x - 0.5), label, weight, pieces)
    for name in ("edges", "expected", "observed", "error", "difference_error", "chi2"):
        np.testing.assert_allclose(getattr(found, name), getattr(whole, name), rtol=1e-8, atol=1e-10)


def test_only_like_accumulators_merge():
    with pytest.raises(ValueError, match="same bins"):
        metrics.CalibrationAccumulator(5).merge(metrics.CalibrationAccumulator(6))


def test_empty_sums_have_no_result():
    with pytest.raises(DataError, match="weights sum to 0"):
        metrics.CalibrationAccumulator().result()


@pytest.mark.parametrize("fraction", [0.0, 0.3])
def test_residuals_in_bins_of_a_feature_reject_at_their_level(fraction):
    rng, toys, rejected = np.random.default_rng(3), 300, 0
    for _ in range(toys):
        x, label, weight = toy(rng, 2000, fraction)
        feature = rng.normal(size=2000) + 0.5 * x
        place = np.searchsorted(np.quantile(feature, np.arange(1, 10) / 10), feature)
        rejected += residual_chi2(metrics.scored_events(sigmoid(x - 0.5), label, weight), place)[2] < 0.05
    low, high = binom.interval(0.999, toys, 0.05)
    assert low <= rejected <= high


TRUE_AUC = norm.cdf(np.sqrt(0.5))


@pytest.mark.parametrize(("n", "fraction"), [(1000, 0.0), (1000, 0.3), (1000, 0.45)])
def test_intervals_cover(n, fraction):
    rng, toys, made = np.random.default_rng(4), 300, 0
    inside = np.zeros(2, int)
    while made < toys:
        x, label, weight = toy(rng, n, fraction)
        if min(weight[label == 1].sum(), weight[label == 0].sum()) <= 0:
            continue
        made += 1
        influence = metrics.auc_influence(x, label, weight)
        for i, level in enumerate((0.6827, 0.95)):
            interval = metrics.confidence_interval(influence, label, weight, level=level)
            inside[i] += interval.low <= TRUE_AUC <= interval.high
    for count, level in zip(inside, (0.6827, 0.95), strict=True):
        low, high = binom.interval(0.999, toys, level)
        # With Σw of two standard deviations the interval covers some 5 and 3 % too much, the symmetric error 16 and 5
        # %.
        assert low <= count <= high + (0.05 * toys if fraction == 0.45 else 0)


def test_intervals_agree_with_the_error_far_from_zero():
    x, label, weight = toy(np.random.default_rng(5), 50_000, 0.1)
    influence = metrics.log_loss_influence(x - 0.5, label, weight)
    estimate, interval = influence.estimate(), metrics.confidence_interval(influence, label, weight)
    assert interval.high - estimate.value == pytest.approx(estimate.error, rel=0.02)
    assert estimate.value - interval.low == pytest.approx(estimate.error, rel=0.02)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.floats(0.3, 0.9))
def test_intervals_grow_with_the_level(seed, level):
    x, label, weight = toy(np.random.default_rng(seed), 200, 0.4)
    if min(weight[label == 1].sum(), weight[label == 0].sum()) <= 0:
        return
    influence = metrics.auc_influence(x, label, weight)
    narrow, wide = (metrics.confidence_interval(influence, label, weight, level=p) for p in (level, level + 0.09))
    slack = 1e-3 * (wide.high - wide.low)
    assert wide.low <= narrow.low + slack
    assert narrow.high <= wide.high + slack


def test_intervals_refuse_what_does_not_fit():
    x, label, weight = toy(np.random.default_rng(6), 100, 0.1)
    influence = metrics.auc_influence(x, label, weight)
    with pytest.raises(DataError, match="contributions"):
        metrics.confidence_interval(influence, label[1:], weight[1:])
    with pytest.raises(ValueError, match="level"):
        metrics.confidence_interval(influence, label, weight, level=1.0)

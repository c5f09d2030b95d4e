"""Quantiles, correlations and permutation importance under signed weights."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import binom, norm

from hepneg import metrics
from hepneg.errors import DataError

NAMES = ("a", "b", "c")
COVARIANCE = np.array([[1.0, 0.5, 0.0], [0.5, 2.0, 0.3], [0.0, 0.3, 1.0]])


def signed(rng, n, fraction=0.3):
    return np.where(rng.random(n) < fraction, -1.0, 1.0) * np.exp(0.3 * rng.normal(size=n))


@pytest.mark.parametrize("n", [5, 6, 101])
def test_quantiles_of_equal_weights_are_numpys(n):
    x = np.random.default_rng(n).normal(size=n)
    wanted = [0.1, 0.25, 0.5, 0.9]
    expected = np.quantile(x, wanted, method="averaged_inverted_cdf")
    np.testing.assert_allclose(metrics.quantiles(x, np.ones(n), wanted).value, expected, rtol=1e-12)


def test_quantile_intervals_cover():
    toys, wanted = 300, np.array([0.1, 0.5, 0.9])
    inside = np.zeros(3, int)
    for number in range(toys):
        rng = np.random.default_rng([1, number])
        found = metrics.quantiles(rng.normal(size=3000), signed(rng, 3000), wanted)
        inside += (found.low <= norm.ppf(wanted)) & (norm.ppf(wanted) <= found.high)
    low, high = binom.interval(0.999, toys, 0.6827)
    # The interval reaches to the next event on either side, so it covers a little more than its level.
    assert np.all(inside >= low)
    assert np.all(inside <= high + 0.03 * toys)


def test_a_quantile_inside_a_negative_region_is_not_unique():
    rng = np.random.default_rng(2)
    minus = rng.random(100_000) < 0.2
    x = rng.normal(size=100_000) * np.where(minus, 0.2, 1.0)
    # F of 0.8·N(0, 1) − 0.2·N(0, 0.2), normalised, falls around 0: it is ½ there and at two other places.
    found = metrics.quantiles(x, np.where(minus, -1.0, 1.0), [0.1, 0.5, 0.9])
    np.testing.assert_array_equal(found.unique, [True, False, True])
    assert found.low[1] < -0.136
    assert found.high[1] > 0.136


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(-5, 5), st.floats(0.1, 3.0)), min_size=3, max_size=20), st.integers(0, 5))
def test_a_cancelling_pair_moves_no_quantile(events, at):
    x, w = (np.array(column, float) for column in zip(*events, strict=True))
    position = x[at % len(x)]
    base = metrics.quantiles(x, w, [0.3, 0.7]).value
    paired = metrics.quantiles(np.append(x, [position] * 2), np.append(w, [2.0, -2.0]), [0.3, 0.7]).value
    np.testing.assert_array_equal(base, paired)


def test_quantiles_refuse_what_has_none():
    with pytest.raises(DataError, match="sum to"):
        metrics.quantiles([1.0, 2.0], [1.0, -1.0], 0.5)
    with pytest.raises(DataError, match="between 0 and 1"):
        metrics.quantiles([1.0], [1.0], 1.0)


def test_correlations_of_equal_weights_are_numpys():
    x = np.random.default_rng(3).multivariate_normal([1e3, 0, 5], COVARIANCE, 500)
    found = metrics.correlations(x, np.full(500, 2.0), NAMES)
    np.testing.assert_allclose(found.matrix, np.corrcoef(x.T), atol=1e-12)
    np.testing.assert_allclose(found.mean, x.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(found.variance, x.var(axis=0), rtol=1e-10)


def test_correlation_errors_match_the_spread_of_toys():
    toys = 400
    found = []
    for number in range(toys):
        rng = np.random.default_rng([4, number])
        x = rng.multivariate_normal([1.0, 2.0, 0.0], COVARIANCE, 2000)
        found.append(metrics.correlations(x, signed(rng, 2000), NAMES))
    spread = np.std([part.matrix for part in found], axis=0)
    error = np.mean([part.error for part in found], axis=0)
    off = ~np.eye(3, dtype=bool)
    # The spread of 400 toys is known to 1/√800 = 3.5 %; the linear errors are off by some 1/√n_eff more.
    np.testing.assert_allclose(error[off], spread[off], rtol=4 * 0.035 + 0.03)
    means = np.array([part.mean for part in found])
    np.testing.assert_allclose(np.mean([p.mean_error for p in found], axis=0), means.std(axis=0), rtol=4 * 0.035 + 0.03)


def test_an_insignificant_variance_gives_nan_and_a_flag():
    rng = np.random.default_rng(5)
    minus = rng.random(20_000) < 0.45
    x = rng.normal(size=(20_000, 2))
    x[minus, 0] *= 1.3  # the signed second moment 0.55 − 0.45·1.69 is negative
    found = metrics.correlations(x, np.where(minus, -1.0, 1.0), ["odd", "fine"])
    np.testing.assert_array_equal(found.defined, [False, True])
    assert np.isnan(found.matrix[0]).all()
    assert found.matrix[1, 1] == pytest.approx(1.0)
    assert json.loads(json.dumps(found.to_dict()))["matrix"][0][1] is None


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 1000), st.integers(1, 199), st.floats(0.1, 10.0))
def test_correlations_merge_and_ignore_scales_and_order(seed, cut, scale):
    rng = np.random.default_rng(seed)
    x, w = rng.normal(size=(200, 3)), signed(rng, 200, 0.1)
    assume(w.sum() > 20)
    parts = [metrics.CorrelationAccumulator(NAMES, np.zeros(3), np.ones(3)) for _ in range(3)]
    order = rng.permutation(200)
    parts[0].fill(x, w)
    parts[1].fill(x[order[:cut]], scale * w[order[:cut]])
    parts[2].fill(x[order[cut:]], scale * w[order[cut:]])
    one, other = parts[0].result(), (parts[1] + parts[2]).result()
    for name in ("matrix", "error", "mean", "mean_error", "variance", "variance_error"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-8, atol=1e-9)


def test_accumulators_of_different_origins_do_not_merge():
    one, other = (metrics.CorrelationAccumulator("ab", [0.0, shift], [1.0, 1.0]) for shift in (0.0, 1.0))
    with pytest.raises(ValueError, match="same features"):
        one.merge(other)


def test_the_difference_of_the_signs_is_found_with_a_valid_error():
    pulls = []
    for number in range(200):
        rng = np.random.default_rng([6, number])
        x, w = rng.multivariate_normal(np.zeros(3), COVARIANCE, 1000), signed(rng, 1000)
        pulls.append(metrics.sign_correlations(x, w, NAMES).significance[0, 1])
    assert np.std(pulls) == pytest.approx(1.0, abs=4 / np.sqrt(400) + 0.03)
    rng = np.random.default_rng(7)
    x, w = rng.normal(size=(20_000, 3)), signed(rng, 20_000)
    x[:, 1] = np.where(w < 0, 0.4 * x[:, 0] + np.sqrt(0.84) * x[:, 1], x[:, 1])
    found = metrics.sign_correlations(x, w, NAMES)
    assert found.difference[0, 1] == pytest.approx(0.4, abs=4 * found.error[0, 1])
    assert found.significance[0, 1] > 10
    assert abs(found.significance[0, 2]) < 4


def test_sign_correlations_need_both_signs():
    with pytest.raises(DataError, match="no events with negative weight"):
        metrics.sign_correlations(np.ones((3, 2)), np.ones(3), "ab")


def separated(rng, n):
    """Signal and background differ in the first feature only."""
    label = rng.integers(0, 2, n)
    x = rng.normal(size=(n, 2)).astype(np.float32)
    x[:, 0] += label
    return x, label, signed(rng, n)


def test_importance_is_what_the_feature_carries():
    x, label, w = separated(np.random.default_rng(8), 20_000)
    found = metrics.permutation_importance(lambda y: y[:, 0], x, label, w, feature_names=["used", "idle"])
    expected = norm.cdf(np.sqrt(0.5)) - 0.5  # dealt out anew, the score is worth ½
    assert found["used"].value == pytest.approx(expected, abs=5 * found["used"].error)
    assert found["idle"].value == pytest.approx(0.0, abs=1e-12)
    assert found["idle"].error == pytest.approx(0.0, abs=1e-12)


def test_importance_errors_match_the_spread_of_toys():
    toys, found = 150, []
    for number in range(toys):
        x, label, w = separated(np.random.default_rng([9, number]), 2000)
        found.append(
            metrics.permutation_importance(
                lambda y: y[:, 0] - 0.5, x, label, w, influence=metrics.log_loss_influence, larger_is_better=False
            )["x0"]
        )
    assert np.mean([part.value for part in found]) > 0
    spread, error = np.std([part.value for part in found]), np.mean([part.error for part in found])
    # 150 toys know the spread to 6 %; the spread between five deals and of the values dealt is not in the error.
    assert 0.7 * spread < error < (1 + 4 * 0.06) * spread


def test_importance_needs_fitting_names():
    with pytest.raises(DataError, match="2 columns, but 1 names"):
        metrics.permutation_importance(lambda y: y[:, 0], np.ones((4, 2)), [0, 1, 0, 1], np.ones(4), feature_names="a")

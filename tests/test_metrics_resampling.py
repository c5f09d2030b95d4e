"""Bootstrap, paired differences and the significance scan."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepneg import metrics
from hepneg._core.output import json_ready
from hepneg.errors import DataError, HepnegWarning


def toy(n=2000, seed=1, fraction=0.25):
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 2, n)
    weight = np.where(rng.random(n) < fraction, -1.0, 1.0)
    return rng.normal(label, 1.0), label, weight


def test_multiplicities_follow_the_identifier_not_the_order():
    ids = np.arange(1000, dtype=np.uint64) * 977
    order = np.random.default_rng(1).permutation(1000)
    found = metrics.poisson_multiplicity(ids, 3, seed=5)
    np.testing.assert_array_equal(metrics.poisson_multiplicity(ids[order], 3, seed=5), found[order])
    assert not np.array_equal(metrics.poisson_multiplicity(ids, 4, seed=5), found)
    assert not np.array_equal(metrics.poisson_multiplicity(ids, 3, seed=6), found)


def test_multiplicities_are_poisson():
    n = 100_000
    counts = metrics.poisson_multiplicity(np.arange(n), 0, seed=1)
    # Mean and variance of a Poisson number of mean 1: standard errors 1/√n and √(3/n); four of them.
    assert counts.mean() == pytest.approx(1.0, abs=4 / np.sqrt(n))
    assert counts.var() == pytest.approx(1.0, abs=4 * np.sqrt(3 / n))
    assert counts.min() == 0


@pytest.mark.parametrize("metric", [metrics.auc, metrics.log_loss])
def test_bootstrap_agrees_with_the_linear_error(metric):
    score, label, weight = toy()
    replicas = 200
    found = metrics.poisson_bootstrap(metric, score, label, weight, replicas=replicas)
    linear = metric(score, label, weight)
    assert found.value == linear.value
    # Four standard deviations of the spread of the replicas, and 5 % for what is not linear.
    assert found.error == pytest.approx(linear.error, rel=4 / np.sqrt(2 * replicas) + 0.05)


def test_bootstrap_is_reproducible():
    score, label, weight = toy(300)
    first, second = (metrics.poisson_bootstrap(metrics.auc, score, label, weight, replicas=20) for _ in range(2))
    assert first == second


def test_bootstrap_says_when_replicas_are_undefined():
    label = np.repeat([0, 1], 5)
    with pytest.warns(HepnegWarning, match="undefined in"):
        metrics.poisson_bootstrap(metrics.auc, np.arange(10.0), label, np.tile([1.0, 1.0, 1.0, 1.0, -1.0], 2))
    with pytest.raises(DataError, match="of 50 bootstrap replicas"):
        metrics.poisson_bootstrap(metrics.auc, [0.0, 1.0], [0, 1], [1.0, 1.0], replicas=50)


def test_paired_difference_of_equal_scores_is_exactly_zero():
    score, label, weight = toy()
    assert metrics.paired_difference(metrics.auc_influence, score, score, label, weight) == metrics.paired_difference(
        metrics.auc_influence, score, 2.0 * score + 1.0, label, weight
    )
    assert metrics.paired_difference(metrics.auc_influence, score, score, label, weight).error == 0.0


def test_paired_difference_is_sharper_than_independent_errors_and_agrees_with_the_bootstrap():
    score, label, weight = toy(4000)
    other = score + np.random.default_rng(2).normal(0.0, 0.3, 4000)
    paired = metrics.paired_difference(metrics.auc_influence, score, other, label, weight)
    first, second = metrics.auc(score, label, weight), metrics.auc(other, label, weight)
    assert paired.value == pytest.approx(first.value - second.value, abs=1e-14)
    assert paired.error < 0.7 * np.hypot(first.error, second.error)

    def difference(both, y, w):
        return metrics.auc(both[:, 0], y, w).value - metrics.auc(both[:, 1], y, w).value

    replicas = 200
    found = metrics.poisson_bootstrap(difference, np.stack([score, other], 1), label, weight, replicas=replicas)
    assert found.error == pytest.approx(paired.error, rel=4 / np.sqrt(2 * replicas) + 0.05)


def test_ks_refuses_sets_without_a_distribution():
    with pytest.raises(DataError, match="do not sum to a positive number"):
        metrics.ks_two_sample([1.0, 2.0], [1.0, -2.0], [1.0], [1.0])
    with pytest.raises(DataError, match="do not sum to a positive number"):
        metrics.ks_two_sample([], [], [1.0], [1.0])


def test_ks_of_a_set_with_itself_has_no_distance():
    x, w = np.array([0.0, 1.0, 1.0, 2.0]), np.array([1.0, 2.0, -1.0, 1.0])
    result = metrics.ks_two_sample(x, w, x[::-1], w[::-1], permutations=20)
    assert result.distance == pytest.approx(0.0, abs=1e-15)
    assert result.p_value == 1.0


def test_asimov_known_values():
    # s = 10, b = 100, σ = 0: √(2(110 ln 1.1 − 10)) by hand.
    assert metrics.asimov_significance(10, 100) == pytest.approx(0.983992, abs=1e-6)
    s, b, sigma = 50.0, 100.0, 20.0
    by_hand = np.sqrt(
        2.0
        * (
            (s + b) * np.log((s + b) * (b + sigma**2) / (b**2 + (s + b) * sigma**2))
            - b**2 / sigma**2 * np.log(1.0 + sigma**2 * s / (b * (b + sigma**2)))
        )
    )
    assert metrics.asimov_significance(s, b, sigma) == pytest.approx(by_hand, rel=1e-12)


@settings(deadline=None)
@given(st.floats(1e-3, 1e4), st.floats(1e-1, 1e6), st.floats(0.0, 0.5))
def test_asimov_falls_with_the_background_error_and_tends_to_s_over_sigma(s, b, relative):
    exact, uncertain = metrics.asimov_significance(s, b), metrics.asimov_significance(s, b, relative * b)
    assert uncertain <= exact * (1.0 + 1e-6)
    assert metrics.asimov_significance(s, b, 1e-9 * b) == pytest.approx(exact, rel=1e-5)
    if s < 1e-3 * b:
        assert uncertain == pytest.approx(s / np.sqrt(b + (relative * b) ** 2), rel=5e-3)


@pytest.mark.parametrize(("s", "b"), [(0.0, 1.0), (-1.0, 5.0), (5.0, 0.0), (5.0, -1.0)])
def test_asimov_is_nan_where_a_yield_is_not_positive(s, b):
    assert np.isnan(metrics.asimov_significance(s, b))


def test_scan_sums_what_is_kept_and_flags_what_is_undefined():
    response, label = np.array([0.1, 0.5, 0.5, 0.9, 0.9, 0.2]), np.array([0, 0, 0, 0, 1, 1])
    weight = np.array([3.0, 2.0, -1.0, -1.5, 2.0, 1.0])
    scan = metrics.significance_scan(response, label, weight, thresholds=[0.0, 0.5, 0.6])
    np.testing.assert_allclose(scan.signal, [3.0, 2.0, 2.0])
    np.testing.assert_allclose(scan.background, [2.5, -0.5, -1.5])
    np.testing.assert_allclose(scan.background_error**2, [9 + 4 + 1 + 2.25, 4 + 1 + 2.25, 2.25])
    assert scan.defined.tolist() == [True, False, False]
    assert scan.best == 0
    json.dumps(json_ready(scan.to_dict()), allow_nan=False)
    assert "Z = " in repr(scan)


def test_a_scan_that_is_undefined_everywhere_says_so():
    scan = metrics.significance_scan([0.5, 0.5], [0, 1], [-1.0, 1.0], thresholds=4)
    assert scan.best is None
    assert "undefined" in repr(scan)


def test_scan_error_matches_the_bootstrap():
    rng = np.random.default_rng(8)
    label = rng.integers(0, 2, 5000)
    response = 1.0 / (1.0 + np.exp(-rng.normal(label - 0.5, 1.0)))
    weight = np.where(rng.random(5000) < 0.2, -1.0, 1.0) * np.where(label == 1, 0.1, 1.0)
    scan = metrics.significance_scan(response, label, weight, thresholds=[0.5])
    sigma = scan.background_error[0]

    def at_fixed_sigma(r, y, w):
        again = metrics.significance_scan(r, y, w, thresholds=[0.5])
        return float(metrics.asimov_significance(again.signal[0], again.background[0], sigma))

    found = metrics.poisson_bootstrap(at_fixed_sigma, response, label, weight, replicas=200)
    assert scan.error[0] == pytest.approx(found.error, rel=4 / np.sqrt(400) + 0.05)


def test_asimov_survives_an_error_that_underflows():
    assert metrics.asimov_significance(0.5, 1.0, 1e-160) == pytest.approx(
        metrics.asimov_significance(0.5, 1.0), rel=1e-9
    )

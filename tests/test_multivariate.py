"""Can a classifier tell the sign? Valid under no difference for any learner, and sees what no single feature shows."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, kstest

from hepneg import metrics
from hepneg.binning.subsample import Subsample
from hepneg.errors import HepnegWarning
from hepneg.events import EventTable
from hepneg.shapes.shape_tests.forward_crossfit import block_bounds, combine, sign_permutation_p_values
from hepneg.shapes.shape_tests.multivariate import check_multivariate, check_multivariate_subsample, normal_scores


def fisher(x, negative, magnitude, seed):
    """A linear classifier: fast enough for many toys."""
    means = [np.average(x[part], axis=0, weights=magnitude[part]) for part in (~negative, negative)]
    direction = np.linalg.solve(np.cov(x.T, aweights=magnitude) + 1e-6 * np.eye(x.shape[1]), means[0] - means[1])
    return lambda y: y @ direction


def toy(rng, n=300, fraction=0.3, sigma=0.0):
    magnitude = np.exp(sigma * rng.normal(size=n))
    weight = np.where(rng.random(n) < fraction, -magnitude, magnitude)
    return rng.normal(size=(n, 3)).astype(np.float32), weight


def check(x, weight, learner=fisher, seed=1):
    names = [f"x{i}" for i in range(x.shape[1])]
    return check_multivariate_subsample(
        Subsample(x, weight, len(weight)), names, sample="s", seed=seed, learner=learner
    )


def correlated(rng, n, rho=0.4):
    """Negative events differ in the correlation of the first two features only."""
    x, weight = toy(rng, n)
    mixed = rho * x[:, 0] + np.sqrt(1.0 - rho**2) * x[:, 1]
    x[:, 1] = np.where(weight < 0, mixed, x[:, 1])
    return x, weight


@pytest.mark.parametrize(("fraction", "sigma"), [(0.15, 0.0), (0.45, 1.0)])
def test_false_alarms_come_at_the_nominal_rate(fraction, sigma):
    toys = 150
    p_values = [check(*toy(np.random.default_rng([7, i]), 300, fraction, sigma)).p_value for i in range(toys)]
    low, high = binom.interval(0.999, toys, 0.05)
    assert low <= np.count_nonzero(np.array(p_values) <= 0.05) <= high
    # With unequal |w| the larger of two p-values counts, which may be conservative.
    assert kstest(p_values, "uniform", alternative="two-sided" if sigma == 0 else "greater").pvalue > 1e-3


def test_permutations_at_the_fixed_scores_of_k_folds_would_not_be_valid():
    """The reason for the forward blocks: plain k folds raise false alarms far above the band."""
    toys, rejected = 600, 0
    for number in range(toys):
        rng = np.random.default_rng([8, number])
        x, weight = toy(rng)
        z, fold = [], np.arange(len(weight)) % 5
        for k in range(5):
            seen, held = fold != k, fold == k
            score = fisher(x[seen], weight[seen] < 0, np.abs(weight[seen]), 0)(x[held])
            z.append(metrics.auc(score, weight[held] > 0, np.abs(weight[held])))
        z = [(part.value - 0.5) / part.error for part in z]
        rejected += np.sum(z) / np.sqrt(5) > 1.645
    assert rejected > binom.ppf(0.999, toys, 0.05)


def test_a_network_sees_a_difference_that_lives_only_in_a_correlation():
    result = check(*correlated(np.random.default_rng(1), 20_000), learner=None)
    assert result.p_value < 1e-6
    assert list(result.importance)[:2] in (["x0", "x1"], ["x1", "x0"])
    first, third = (result.importance[name] for name in ("x0", "x2"))
    assert first.value > 10 * first.error
    assert abs(third.value) < 4 * third.error + 0.005
    # The best possible classifier knows the exact ratio of the two densities.
    x, weight = correlated(np.random.default_rng(2), 200_000)
    rho = 0.4
    ratio = (x[:, 0] ** 2 + x[:, 1] ** 2 - 2 * rho * x[:, 0] * x[:, 1]) / (1 - rho**2) - x[:, 0] ** 2 - x[:, 1] ** 2
    best = metrics.auc(ratio, weight > 0, np.abs(weight)).value
    assert 0.5 < result.auc.value < best + 4 * result.auc.error
    assert result.auc.value > 0.5 + 0.8 * (best - 0.5)


def test_no_single_feature_shows_that_difference():
    x, weight = correlated(np.random.default_rng(1), 20_000)
    for column in x.T:
        assert metrics.auc(column, weight > 0, np.abs(weight)).value == pytest.approx(0.5, abs=4 * 0.0045)


def test_the_result_depends_on_the_seed_alone():
    rng = np.random.default_rng(3)
    x, weight = correlated(rng, 2000)
    events = EventTable.from_arrays(x, weight, np.zeros(2000, int), event_id=np.arange(2000))
    order = rng.permutation(2000)
    once, again = (check_multivariate(table, seed=5) for table in (events, events.select(order)))
    assert once["background"].to_dict() == again["background"].to_dict()
    assert json.loads(json.dumps(once["background"].to_dict()))["used"] == 2000


def test_only_the_subsample_is_used():
    x, weight = toy(np.random.default_rng(4), 1000)
    events = EventTable.from_arrays(x, weight, np.zeros(1000, int))
    (result,) = check_multivariate(events, most=400, learner=fisher).values()
    assert (result.used, result.seen) == (400, 1000)


def test_too_few_events_of_a_sign_are_said():
    x, _ = toy(np.random.default_rng(5), 100)
    with pytest.warns(HepnegWarning, match="fewer than 20 events"):
        result = check(x, np.where(np.arange(100) < 5, -1.0, 1.0))
    assert np.isnan(result.p_value)
    assert result.to_dict()["auc"] is None


def test_a_constant_score_is_no_evidence():
    rng = np.random.default_rng(6)
    p_values = sign_permutation_p_values(np.zeros(100), np.where(rng.random(100) < 0.3, -1.0, 1.0), rng)
    assert p_values == pytest.approx((0.5, 0.5), abs=1e-12)


@settings(deadline=None, max_examples=30)
@given(st.integers(20, 60), st.integers(0, 10_000))
def test_permutation_p_value_is_a_mid_rank(n, seed):
    rng = np.random.default_rng(seed)
    weight = np.where(rng.random(n) < 0.4, -1.0, 1.0) * np.exp(rng.normal(size=n))
    for p_value in sign_permutation_p_values(rng.integers(0, 5, n) * 1.0, weight, rng, 19):
        assert 0.0 < p_value < 1.0
        assert (2 * 20 * p_value) == pytest.approx(round(2 * 20 * p_value), abs=1e-9)


def test_normal_scores_keep_order_and_ties():
    x = np.array([[-999.0], [1.0], [-999.0], [5.0], [2.0]], np.float32)
    scores = normal_scores(x)[:, 0]
    assert scores[0] == scores[2]
    assert scores[0] < scores[1] < scores[4] < scores[3]


def test_blocks_cover_all_events_and_combination_is_uniform():
    bounds = block_bounds(103, 5)
    assert bounds[0][0] == 0
    assert bounds[-1][1] == 103
    assert all(stop == start for (_, stop), (start, _) in pairwise(bounds))
    combined = [combine(row) for row in np.random.default_rng(9).random((500, 4))]
    assert kstest(combined, "uniform").pvalue > 1e-3

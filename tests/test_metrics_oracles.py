"""For weights >= 0 the metrics equal scikit-learn's and scipy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ks_2samp
from sklearn import calibration as sk_calibration
from sklearn import metrics as sk

from hepneg import metrics
from hepneg.errors import DataError


@pytest.fixture(params=["floats", "ties"])
def scored(request):
    rng = np.random.default_rng(7)
    label = rng.integers(0, 2, 3000)
    logit = rng.normal(label - 0.5, 1.0)
    if request.param == "ties":
        logit = np.round(logit, 1)
    return logit, label, rng.exponential(size=3000)


def balanced(label, weight):
    return weight / np.where(label == 1, weight[label == 1].sum(), weight[label == 0].sum())


def sigmoid(logit):
    return 1.0 / (1.0 + np.exp(-logit))


def test_auc_equals_scikit_learn(scored):
    logit, label, weight = scored
    assert metrics.auc(*scored).value == pytest.approx(sk.roc_auc_score(label, logit, sample_weight=weight), abs=1e-12)


def test_log_loss_equals_scikit_learn(scored):
    logit, label, weight = scored
    expected = sk.log_loss(label, sigmoid(logit), sample_weight=balanced(label, weight))
    assert metrics.log_loss(*scored).value == pytest.approx(expected, abs=1e-12)


def test_brier_equals_scikit_learn(scored):
    logit, label, weight = scored
    response = sigmoid(logit)
    expected = sk.brier_score_loss(label, response, sample_weight=balanced(label, weight))
    assert metrics.brier(response, label, weight).value == pytest.approx(expected, abs=1e-12)


def test_roc_equals_scikit_learn(scored):
    logit, label, weight = scored
    background, signal, threshold = sk.roc_curve(label, logit, sample_weight=weight, drop_intermediate=False)
    curve = metrics.roc_curve(*scored, points=None)
    np.testing.assert_allclose(curve.background_efficiency, background, atol=1e-12)
    np.testing.assert_allclose(curve.signal_efficiency, signal, atol=1e-12)
    np.testing.assert_array_equal(curve.threshold, threshold)


def test_a_thinned_roc_keeps_points_of_the_full_one(scored):
    full, thin = metrics.roc_curve(*scored, points=None), metrics.roc_curve(*scored, points=50)
    assert len(thin) <= 52
    position = np.searchsorted(-full.threshold, -thin.threshold)
    np.testing.assert_allclose(full.signal_efficiency[position], thin.signal_efficiency, atol=1e-12)
    np.testing.assert_allclose(full.signal_error[position], thin.signal_error, atol=1e-12)
    assert thin.signal_efficiency[-1] == pytest.approx(1.0)


def test_ks_distance_equals_scipy():
    rng = np.random.default_rng(3)
    first, second = np.round(rng.normal(size=400), 1), np.round(rng.normal(0.2, 1.0, 300), 1)
    result = metrics.ks_two_sample(first, np.ones(400), second, np.ones(300), permutations=9)
    assert result.distance == pytest.approx(ks_2samp(first, second, method="asymp").statistic, abs=1e-12)


def test_ks_p_value_agrees_with_scipy_for_unit_weights():
    rng = np.random.default_rng(4)
    first, second = rng.normal(size=400), rng.normal(0.12, 1.0, 300)
    expected = ks_2samp(first, second, method="exact").pvalue
    permutations = 2000
    found = metrics.ks_two_sample(first, np.ones(400), second, np.ones(300), permutations=permutations).p_value
    # Four standard deviations of the number of extreme permutations.
    assert abs(found - expected) < 4.0 * np.sqrt(expected * (1 - expected) / permutations) + 1.0 / permutations


def test_calibration_equals_scikit_learn_for_unit_weights_and_equal_labels():
    rng = np.random.default_rng(5)
    label = np.repeat([0, 1], 40_000)
    response = sigmoid(rng.normal(label - 0.5, 1.0))
    observed, expected = sk_calibration.calibration_curve(label, response, n_bins=8)
    part = metrics.calibration_curve(response, label, np.ones(80_000), bins=8)
    np.testing.assert_allclose(part.observed, observed, atol=1e-12)
    np.testing.assert_allclose(part.expected, expected, atol=1e-12)


def test_auc_error_equals_delong_for_unit_weights():
    rng = np.random.default_rng(6)
    label = np.repeat([0, 1], [150, 250])
    score = rng.normal(label * 0.8, 1.0)
    kernel = (score[label == 1][:, None] > score[label == 0][None, :]).astype(float)
    variance = kernel.mean(axis=1).var() / 250 + kernel.mean(axis=0).var() / 150
    assert metrics.auc(score, label, np.ones(400)).error == pytest.approx(np.sqrt(variance), rel=1e-12)


@pytest.mark.parametrize(
    ("score", "label", "weight", "says"),
    [
        ([0.1, 0.2], [0, 1], [1.0, -1.0], "signal weights sum to -1"),
        ([0.1, 0.2], [1, 1], [1.0, 1.0], "background weights sum to 0"),
        ([0.1, np.nan], [0, 1], [1.0, 1.0], "NaN or infinite values in score, at entry 1"),
        ([0.1, 0.2], [0, 1], [np.inf, 1.0], "NaN or infinite values in weight, at entry 0"),
        ([0.1, 0.2], [0, 2], [1.0, 1.0], "neither 1 (signal) nor 0 (background), at entry 1"),
        ([0.1, 0.2], [0, 1], [1.0], "one of each per event"),
        ([[0.1], [0.2]], [0, 1], [1.0, 1.0], "one number per event"),
    ],
)
def test_unusable_columns_say_what_is_wrong(score, label, weight, says):
    for metric in (metrics.auc, metrics.log_loss, metrics.brier, metrics.roc_curve, metrics.calibration_curve):
        with pytest.raises(DataError) as caught:
            metric(score, label, weight)
        assert says in str(caught.value)
        assert "\n" not in str(caught.value)

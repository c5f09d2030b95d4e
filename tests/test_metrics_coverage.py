"""Do the intervals hold the truth as often as they claim? Toys with a known answer, judged by binomial bands."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import trapezoid
from scipy.stats import binom, norm

from hepneg import metrics

GRID = np.linspace(-9.0, 10.0, 40001)
SIGNAL, BACKGROUND = norm.pdf(GRID, 1.0), norm.pdf(GRID, 0.0)
TILT = 1.4


def true_loss(tilt):
    logit = tilt * (GRID - 0.5)
    return 0.5 * trapezoid(SIGNAL * np.logaddexp(0, -logit) + BACKGROUND * np.logaddexp(0, logit), GRID)


TRUTH = {
    "auc": norm.cdf(np.sqrt(0.5)),
    "loss": true_loss(1.0),
    "difference": true_loss(1.0) - true_loss(TILT),
}


def toy(rng, n, fraction):
    """Signal N(1, 1) against background N(0, 1) with log-normal |w| and a sign that does not depend on x."""
    label = rng.integers(0, 2, n)
    weight = np.where(rng.random(n) < fraction, -1.0, 1.0) * np.exp(rng.normal(0.0, 0.3, n))
    return rng.normal(label, 1.0), label, weight


def measure(x, label, weight):
    logit = x - 0.5
    return {
        "auc": metrics.auc(x, label, weight),
        "loss": metrics.log_loss(logit, label, weight),
        "difference": metrics.paired_difference(metrics.log_loss_influence, logit, TILT * logit, label, weight),
    }


def covered(n, fraction, toys, seed):
    rng = np.random.default_rng(seed)
    pulls = {name: [] for name in TRUTH}
    while len(pulls["auc"]) < toys:
        x, label, weight = toy(rng, n, fraction)
        if min(weight[label == 1].sum(), weight[label == 0].sum()) <= 0:
            continue
        for name, estimate in measure(x, label, weight).items():
            pulls[name].append(abs(estimate.value - TRUTH[name]) / estimate.error)
    return {name: [np.count_nonzero(np.array(p) < z) for z in (1.0, 1.96)] for name, p in pulls.items()}


# Each case makes six comparisons: a band of 99.9 % each keeps a false alarm of a case below 1 %.
@pytest.mark.parametrize(("n", "fraction"), [(1000, 0.0), (1000, 0.3), (20_000, 0.45)])
def test_errors_cover(n, fraction):
    toys = 400 if n == 1000 else 150
    for name, counts in covered(n, fraction, toys, seed=11).items():
        for count, level in zip(counts, (0.6827, 0.95), strict=True):
            low, high = binom.interval(0.999, toys, level)
            assert low <= count <= high, (name, level, count, toys)


def test_errors_never_cover_too_little_where_the_sums_are_barely_significant():
    toys = 300
    for name, counts in covered(1000, 0.45, toys, seed=12).items():
        for count, level in zip(counts, (0.6827, 0.95), strict=True):
            assert count >= binom.ppf(0.0005, toys, level), (name, level, count)


@pytest.mark.parametrize("fraction", [0.0, 0.3])
def test_calibration_rejects_at_its_level_and_its_bins_cover(fraction):
    rng, toys, rejected, inside, bins = np.random.default_rng(13), 400, 0, 0, 0
    for _ in range(toys):
        x, label, weight = toy(rng, 1500, fraction)
        part = metrics.calibration_curve(1.0 / (1.0 + np.exp(0.5 - x)), label, weight)
        rejected += part.p_value < 0.05
        # The mean response of a bin is known far better than the share: the difference is the share's fluctuation.
        inside += np.count_nonzero(np.abs(part.observed - part.expected) < part.error)
        bins += part.degrees
    low, high = binom.interval(0.999, toys, 0.05)
    assert low <= rejected <= high
    # Bins of one toy are correlated at most weakly and negatively; their joint band is that of independent ones,
    # widened by the 2 % by which a normal error is off with some twenty events in a bin.
    low, high = binom.interval(0.999, bins, 0.6827)
    assert low - 0.02 * bins <= inside <= high + 0.02 * bins


def test_calibration_sees_an_overconfident_response():
    x, label, weight = toy(np.random.default_rng(14), 20_000, 0.2)
    assert metrics.calibration_curve(1.0 / (1.0 + np.exp(-2.0 * (x - 0.5))), label, weight).p_value < 1e-6


@pytest.mark.parametrize("fraction", [0.0, 0.4])
def test_ks_false_alarms(fraction):
    rng, toys, permutations = np.random.default_rng(15), 300, 99
    rejected = 0
    for number in range(toys):
        w = np.where(rng.random(200) < fraction, -1.0, 1.0) * np.exp(rng.normal(0.0, 1.0, 200))
        x = np.round(rng.normal(size=200), 1)
        if w[:120].sum() <= 0 or w[120:].sum() <= 0:
            continue
        test = metrics.ks_two_sample(x[:120], w[:120], x[120:], w[120:], permutations=permutations, seed=number)
        rejected += test.p_value <= 0.05
    # Leaving out the undefined toys and the ties make the test a little conservative: the band is one-sided above.
    assert rejected <= binom.ppf(0.999, toys, 0.05)
    assert rejected > 0


def test_ks_sees_a_shift_through_the_signs():
    rng = np.random.default_rng(16)
    w = np.where(rng.random(4000) < 0.3, -1.0, 1.0)
    x = rng.normal(size=4000) + np.repeat([0.0, 0.3], 2000)
    assert metrics.ks_two_sample(x[:2000], w[:2000], x[2000:], w[2000:], permutations=199).p_value == 1 / 200


def test_roc_band_matches_the_spread_of_toys():
    rng, toys, at = np.random.default_rng(17), 200, 0.3
    found, bands = [], []
    for _ in range(toys):
        curve = metrics.roc_curve(*toy(rng, 2000, 0.2), points=60)
        order = np.maximum.accumulate(curve.background_efficiency)
        found.append(np.interp(at, order, curve.signal_efficiency))
        bands.append(np.interp(at, order, curve.band))
    # The spread of 200 toys is known to 1/√400 = 5 %, a band of 200 replicas to 7 %, averaged over toys better.
    assert np.mean(bands) == pytest.approx(np.std(found), rel=4 * 0.05 + 0.05)

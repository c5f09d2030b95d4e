"""The smooth test: valid, and far stronger than the distances for widths and tails."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, chi2, epps_singleton_2samp

from hepneg.binning.signed_bins import SignedBins
from hepneg.events import EventTable
from hepneg.shapes import draw_subsample, fill_sums, plan_bins
from hepneg.shapes.shape_tests.differences import observed_gap, standardised_gap
from hepneg.shapes.shape_tests.normal_moments import NormalMoments


def bins_of(x, weight):
    events = EventTable.from_arrays(np.asarray(x)[:, None], weight, np.zeros(len(weight), int))
    return fill_sums(plan_bins([draw_subsample(events, 1).features], ["x0"]), events).result()[0]


def direct(x, negative, size):
    """A binned comparison made without the planning of bins: every distinct value is a bin."""
    values, place = np.unique(x, return_inverse=True)
    rows = [np.bincount(place, size * mask, len(values)) for mask in (~negative, negative)]
    squares = [np.bincount(place, size**2 * mask, len(values)) for mask in (~negative, negative)]
    counts = [np.bincount(place, mask, len(values)).astype(np.int64) for mask in (~negative, negative)]
    edges = np.append(values - 0.5, values[-1] + 0.5)
    return SignedBins("x", edges, (edges[0], edges[-1]), np.array(counts), np.array(rows), np.array(squares))


def components_of(bins):
    scores = NormalMoments.of(bins.total, bins.square.sum(axis=0))
    return scores.components(observed_gap(bins))[:, 0]


def smooth_p_value(bins):
    components = components_of(bins)
    return chi2.sf(components @ components, len(components))


@pytest.mark.parametrize("sigma", [0.0, 0.7])
@pytest.mark.parametrize("discrete", [False, True])
def test_false_alarms_come_at_the_nominal_rate(sigma, discrete):
    toys, rejected = 400, 0
    for number in range(toys):
        rng = np.random.default_rng([1, number])
        x = rng.poisson(3.0, 2000) if discrete else rng.normal(size=2000)
        rejected += smooth_p_value(direct(x, rng.random(2000) < 0.3, np.exp(sigma * rng.normal(size=2000)))) < 0.05
    low, high = binom.interval(0.999, toys, 0.05)
    assert low <= rejected <= high


@pytest.mark.parametrize(("name", "width"), [("width", 0.85), ("tails", None)])
def test_power_at_least_that_of_epps_and_singleton(name, width):
    """Their test of characteristic functions is scipy's strongest for these."""
    toys, found, theirs = 100, 0, 0
    for number in range(toys):
        rng = np.random.default_rng([2, number])
        x, negative = rng.normal(size=1000), rng.random(1000) < 0.3
        other = rng.normal(0.0, width, 1000) if width else 0.85 * rng.standard_t(4, 1000)
        x = np.where(negative, other, x)
        found += smooth_p_value(direct(x, negative, np.ones(1000))) < 0.05
        theirs += epps_singleton_2samp(x[~negative], x[negative]).pvalue < 0.05
    # Three standard deviations of the difference of two rates of 100 paired toys are at most 3·√(2·¼·100) = 21.
    assert found >= theirs - 21
    assert found > 50


def test_permuted_moments_match_their_null_distribution():
    rng = np.random.default_rng(3)
    x, size = rng.normal(size=3000), np.exp(0.3 * rng.normal(size=3000))
    negative = rng.random(3000) < 0.3
    bins = direct(x, negative, size)
    order = np.argsort(x, kind="stable")
    permuted = np.stack([rng.permutation(negative[order]) for _ in range(500)])
    one = size[order] * permuted
    square = bins.square.sum(axis=0)
    gap = standardised_gap(bins.total, one, square.sum(), np.sum(one**2, axis=1))
    components = NormalMoments.of(bins.total, square).components(gap)
    # Independent standard normals: means to 4/√500, (co)variances to 4·√2/√500.
    assert components.mean(axis=1) == pytest.approx(np.zeros(4), abs=4 / np.sqrt(500))
    assert np.cov(components) == pytest.approx(np.eye(4), abs=4 * np.sqrt(2 / 500))


def test_few_values_have_few_moments():
    rng = np.random.default_rng(4)
    size, negative = np.ones(500), rng.random(500) < 0.4
    for values in (1, 2, 4, 9):
        assert len(components_of(direct(rng.integers(0, values, 500), negative, size))) == min(values - 1, 4)


def test_the_components_of_two_values_are_their_difference():
    counts = np.array([[300, 200], [100, 140]])
    bins = SignedBins("x", np.arange(3.0), (0.0, 2.0), counts, counts.astype(float), counts.astype(float))
    (location,) = components_of(bins)
    n, share = counts.sum(axis=1), counts.sum(axis=0) / counts.sum()
    gap = counts[1, 1] / n[1] - counts[0, 1] / n[0]
    assert location == pytest.approx(gap / np.sqrt(share[0] * share[1] * np.sum(1 / n)))


def test_a_width_moves_the_second_component_and_a_shift_the_first():
    rng = np.random.default_rng(6)
    x, negative = rng.normal(size=20_000), rng.random(20_000) < 0.4
    wide = components_of(direct(np.where(negative, 1.2 * x, x), negative, np.ones(20_000)))
    moved = components_of(direct(np.where(negative, x + 0.2, x), negative, np.ones(20_000)))
    assert abs(wide[1]) > 10.0
    assert abs(moved[0]) > 10.0
    assert max(abs(wide[0]), abs(moved[1])) < 4.5  # the shift by 0.2 widens both signs together by little


def test_planned_bins_change_little():
    rng = np.random.default_rng(5)
    x, negative = rng.normal(size=20_000).astype(np.float32), rng.random(20_000) < 0.3
    x[negative] *= 1.03
    fine = smooth_p_value(direct(x, negative, np.ones(20_000)))
    assert smooth_p_value(bins_of(x, np.where(negative, -1.0, 1.0))) == pytest.approx(fine, rel=0.1)

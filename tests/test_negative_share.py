"""Negative densities that networks find: the sum of the events they select, its false alarms, and cuts."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from hepneg import EventTable, check_shapes
from hepneg.metrics.negative_share import negative_share
from hepneg.shapes.negative.cut_tree import tree_cuts
from hepneg.shapes.negative.learnt_region import learnt_region, out_of_fold_sign


def cell_learner(features, negative, magnitude, seed):
    """The log-odds of the sign in 64 cells of two features, balanced: as rough as a learner gets."""
    edges = np.linspace(-1.5, 1.5, 7)

    def cell(x):
        return np.searchsorted(edges, x[:, 0]) * 8 + np.searchsorted(edges, x[:, 1])

    sums = [np.bincount(cell(features)[mask], magnitude[mask], 64) + 1e-3 for mask in (~negative, negative)]
    score = np.log(sums[0] / sums[0].sum()) - np.log(sums[1] / sums[1].sum())
    return lambda x: score[cell(x)]


def table(x, weight, event_id=None):
    ids = np.arange(len(weight)) if event_id is None else event_id
    return EventTable.from_arrays(x, weight, np.zeros(len(weight), int), event_id=ids)


def toy(rng, n, sign_of):
    x = rng.normal(size=(n, 2)).astype(np.float32)
    return table(x, np.where(rng.random(n) < 0.5 * (1.0 + sign_of(x)), 1.0, -1.0))


def found(events, seed=1):
    return learnt_region(events, out_of_fold_sign(events.features, events.weight, cell_learner, seed=seed))


DENSITIES = {
    "positive": lambda x: np.where(x[:, 0] < -0.5, 0.2, 0.7),
    "zero in a third": lambda x: np.where(x[:, 0] < -0.5, 0.0, 0.7),
    "zero in a cell": lambda x: np.where((np.abs(x) < 0.5).all(axis=1), 0.0, 0.6),
}


@pytest.mark.parametrize("kind", DENSITIES)
def test_a_density_that_is_not_negative_is_rarely_called_so(kind):
    """At 5 % and 1 %; for so rough a learner and 24 cells of zero density the rate is 1.5 times the nominal one."""
    rng, toys = np.random.default_rng(31), 200
    p_values = np.array([found(toy(rng, 1500, DENSITIES[kind])).selected.p_value for _ in range(toys)])
    for level in (0.05, 0.01):
        assert np.count_nonzero(p_values <= level) <= binom.ppf(0.999, toys, 1.5 * level)


def test_sums_of_folds_are_correlated_as_the_correction_says():
    """The same for many toys without learners: each fold keeps the places where the other folds' sums are negative."""
    rng = np.random.default_rng(32)
    for places, folds in ((1, 5), (3, 5), (10, 5), (30, 5), (10, 2), (10, 10)):
        sums = rng.normal(size=(40_000, places, folds))
        kept = (sums.sum(axis=2, keepdims=True) - sums) < 0
        variance = kept.sum(axis=(1, 2))
        z = (sums * kept).sum(axis=(1, 2)) / np.sqrt(np.maximum(variance, 1)) / np.sqrt(1.1 + 0.02 * folds)
        assert 0.004 <= np.mean(z < -2.326) <= 0.017


def test_a_negative_density_is_found_and_described():
    rng = np.random.default_rng(33)
    inside = lambda x: (x[:, 0] > 0.8) & (x[:, 1] < 0.0)
    events = toy(rng, 8000, lambda x: np.where(inside(x), -0.4, 0.6))
    region = found(events)
    truth = inside(events.features)
    assert region.significant
    assert region.selected.share == pytest.approx(truth.mean(), rel=0.35)
    assert region.selected.sum_weights.value < -3 * region.selected.sum_weights.error
    assert {cut.feature for cut in region.boxes[0].cuts} == {"x0", "x1"}
    assert region.boxes[0].confirmed.value < -3 * region.boxes[0].confirmed.error
    content = region.to_dict()
    assert content["p_value"] < 1e-3
    assert content["sum_weights"]["value"] == region.selected.sum_weights.value
    assert content["boxes"][0]["where"] in content["where"]


def test_candidates_of_an_event_count_once():
    rng = np.random.default_rng(34)
    weight, chosen = np.where(rng.random(400) < 0.6, -1.0, 1.0), rng.random(400) < 0.5
    one = negative_share(weight, chosen)
    four = negative_share(np.repeat(weight, 4), np.repeat(chosen, 4), np.repeat(np.arange(400), 4))
    assert four.significance == pytest.approx(one.significance)
    assert four.p_value == pytest.approx(one.p_value)
    assert four.share == pytest.approx(one.share)


def test_few_events_and_doubt():
    few = negative_share(np.array([-1.0] * 12 + [1.0] * 100), np.arange(112) < 12)
    assert few.p_value == 1.0
    assert few.doubtful
    assert not negative_share(np.ones(200), np.arange(200) < 50).doubtful
    assert not negative_share(np.ones(200), np.zeros(200, bool)).doubtful


def test_cuts_close_around_a_disk():
    """The core of 2 N(0, 2) − N(0, 1.2): Σw is below zero inside, and positive in any strip that goes on outside."""
    rng, confirmed = np.random.default_rng(37), []
    for _ in range(5):
        minus = rng.random(20_000) < 1 / 3
        x = rng.normal(size=(20_000, 2)) * np.where(minus, 1.2, 2.0)[:, None]
        radius = np.hypot(*x.T) + rng.normal(0, 0.15, 20_000)
        region = learnt_region(table(x.astype(np.float32), np.where(minus, -1.0, 1.0)), radius - 1.35)
        assert {cut.feature for cut in region.boxes[0].cuts} == {"x0", "x1"}
        assert all(np.isfinite([cut.low, cut.high]).all() for cut in region.boxes[0].cuts)
        confirmed.append(region.boxes[0].confirmed)
    # In the mean some three standard deviations each: five add up to seven.
    total = sum(one.value for one in confirmed)
    assert total < -3 * np.sqrt(sum(one.error**2 for one in confirmed))


def test_cuts_without_a_negative_sum_describe_nothing():
    rng = np.random.default_rng(38)
    x = rng.normal(size=(4000, 2)).astype(np.float32)
    region = learnt_region(table(x, np.where(rng.random(4000) < 0.8, 1.0, -1.0)), np.where(x[:, 0] > 1, -1.0, 1.0))
    assert region.selected.entries > 400
    assert region.boxes == ()
    assert region.where == "no simple cuts"


def test_a_tree_needs_a_majority():
    rng = np.random.default_rng(35)
    x = rng.normal(size=(2000, 3)).astype(np.float32)
    assert tree_cuts(x, rng.random(2000) < 0.2, np.ones(2000)) == []
    (leaf,) = tree_cuts(x, x[:, 2] > 1.0, np.ones(2000))
    assert list(leaf) == [2]
    assert leaf[2][0] == pytest.approx(1.0, abs=0.15)


def test_the_check_names_what_networks_find():
    """A negative density along a ring, where no interval and no box of two features is negative."""
    rng = np.random.default_rng(36)
    x = rng.normal(size=(9000, 3)).astype(np.float32)
    sign = np.where(np.abs(np.hypot(x[:, 0], x[:, 1]) - 1.2) < 0.25, -0.35, 0.8)
    weight = np.where(rng.random(9000) < 0.5 * (1.0 + sign), 1.0, -1.0)
    (sample,) = check_shapes(table(x, weight)).samples.values()
    region = sample.learnt_region
    assert region is not None
    assert region.significant
    assert "the density is negative where networks say so" in sample.reason
    content = sample.to_dict()
    assert content["negative_sign"]["p_value"] < 1e-3
    assert any(one.get("boxes") is not None for one in content["negative_regions"])
    plain = np.where(rng.random(9000) < 0.2, -1.0, 1.0)
    (sample,) = check_shapes(table(x, plain)).samples.values()
    assert sample.learnt_region is None
    assert sample.to_dict()["negative_sign"] is None

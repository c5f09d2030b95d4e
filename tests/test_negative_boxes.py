"""Boxes of negative density: the known ones are found, and nothing is found where there is none."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import binom, norm

from hepneg.binning.density_cells import signed_density
from hepneg.events import EventTable
from hepneg.shapes.negative.pair_cells import negative_boxes


def table(x, weight):
    names = [f"x{i}" for i in range(np.shape(x)[1])]
    return EventTable.from_arrays(x, weight, np.zeros(len(weight), int), feature_names=names)


def difference(rng, n, positive, negative, features=1):
    """Events of a·N(0, s) − b·N(0, t), each given as (a, s) and (b, t)."""
    (a, s), (b, t) = positive, negative
    minus = rng.random(n) < b / (a + b)
    x = rng.normal(size=(n, features)) * np.where(minus, t, s)[:, None]
    return x, np.where(minus, -1.0, 1.0)


def test_finds_the_negative_core_in_one_feature():
    x, weight = difference(np.random.default_rng(1), 1_000_000, (0.8, 1.0), (0.2, 0.2))
    (box,) = negative_boxes(table(x, weight))
    (cut,) = box.cuts
    # The density changes sign at ±0.136. The box ends at the last of 256 quantiles (0.02 apart) that is not positive by
    # more than its noise.
    assert cut.low == pytest.approx(-0.136, abs=0.03)
    assert cut.high == pytest.approx(0.136, abs=0.03)
    assert box.significance < -15
    inside = (x[:, 0].astype(np.float32) >= cut.low) & (x[:, 0].astype(np.float32) < cut.high)
    assert box.entries == inside.sum()
    assert box.sum_weights.value == pytest.approx(weight[inside].sum())
    assert box.sum_weights.error == pytest.approx(np.sqrt(inside.sum()))


def test_finds_the_negative_core_in_two_features_among_others():
    rng = np.random.default_rng(2)
    x, weight = difference(rng, 1_000_000, (2.0, 2.0), (1.0, 1.2), features=2)
    box = negative_boxes(table(np.hstack([x, rng.normal(size=(len(x), 3))]), weight))[0]
    assert {"x0", "x1"} <= {cut.feature for cut in box.cuts}
    # The density is negative for r < 1.216: the box holds the middle of that, and its corners stay near the circle.
    for cut in box.cuts:
        if cut.feature in ("x0", "x1"):
            assert -1.4 < cut.low < -0.6
            assert 0.6 < cut.high < 1.4
    assert box.significance < -15
    # The mean of the density within the box, times the events that confirmed it.
    cuts = {cut.feature: (cut.low, cut.high) for cut in box.cuts}
    share = [
        np.prod([norm.cdf(high / s) - norm.cdf(low / s) for low, high in (cuts["x0"], cuts["x1"])]) for s in (2.0, 1.2)
    ]
    if len(box.cuts) == 2:
        expected = 500_000 * (2.0 * share[0] - share[1]) / 3.0
        assert box.confirmed.value == pytest.approx(expected, abs=5 * box.confirmed.error)


def test_a_tail_of_a_continuous_and_a_discrete_feature_becomes_readable_cuts():
    rng = np.random.default_rng(3)
    x = np.column_stack([rng.normal(size=300_000), rng.poisson(3.0, 300_000), rng.normal(size=300_000)])
    mean_sign = np.where((x[:, 0] > 1.5) & (x[:, 1] >= 5), -0.2, 0.5)
    weight = np.where(rng.random(len(x)) < 0.5 * (1 + mean_sign), 1.0, -1.0)
    box = negative_boxes(table(x, weight))[0]
    cuts = {cut.feature: cut for cut in box.cuts}
    assert set(cuts) >= {"x0", "x1"}
    assert cuts["x0"].low == pytest.approx(1.5, abs=0.05)
    assert cuts["x1"].low == 5
    assert np.isinf(cuts["x0"].high)
    assert "≤ x0" in str(box)
    assert json.loads(json.dumps(box.to_dict()))["cuts"][0]["high"] is None


def test_false_alarms_stay_below_the_nominal_rate():
    toys = 150
    quiet = [difference(np.random.default_rng([4, i]), 10_000, (0.75, 1.0), (0.25, 0.5)) for i in range(toys)]
    alarms = sum(bool(negative_boxes(table(*toy))) for toy in quiet)
    assert alarms <= binom.ppf(0.999, toys, norm.cdf(-3))


def test_false_alarms_stay_below_the_nominal_rate_where_the_density_is_zero():
    toys, alarms = 150, 0
    for number in range(toys):
        rng = np.random.default_rng([5, number])
        weight = np.where(rng.random(2000) < 0.5, -1.0, 1.0) * np.exp(rng.normal(size=2000))
        alarms += bool(negative_boxes(table(rng.normal(size=(2000, 3)), weight)))
    assert alarms <= binom.ppf(0.999, toys, norm.cdf(-3))


@pytest.mark.parametrize("n", [0, 1, 30])
def test_few_events_have_no_boxes(n):
    assert negative_boxes(table(np.zeros((n, 2)), np.full(n, 1.0))) == ()


def test_events_that_are_negative_everywhere_make_one_box_without_cuts():
    (box,) = negative_boxes(table(np.random.default_rng(6).normal(size=(5000, 2)), np.full(5000, -1.0)))
    assert box.cuts == ()
    assert "everywhere" in str(box)


def test_density_adds_up():
    x, weight = difference(np.random.default_rng(7), 5000, (2.0, 2.0), (1.0, 1.2), features=2)
    density = signed_density(table(x, weight), "x0", "x1", bins=10)
    x = x.astype(np.float32)
    inside = np.logical_and(
        *((c >= e[0]) & (c <= e[-1]) for c, e in zip(x.T, (density.x_edges, density.y_edges), strict=True))
    )
    assert density.net.sum() == pytest.approx(weight[inside].sum())
    assert density.count.sum() == inside.sum()
    expected, _, _ = np.histogram2d(*x[inside].T, bins=[density.x_edges, density.y_edges], weights=weight[inside])
    np.testing.assert_allclose(density.net, expected)

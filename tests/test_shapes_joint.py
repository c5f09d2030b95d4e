"""The check of all features together, as a part of the shape check."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from scipy.stats import binom

from hepneg._core.estimate import Estimate
from hepneg._core.figure_names import MULTIVARIATE_STEM, boxes_stem
from hepneg.events import EventTable
from hepneg.plots.gallery import shape_figures
from hepneg.shapes import SignedSums, SubsampleAccumulator, check_shapes, check_sums, plan_bins
from hepneg.shapes.negative.pair_cells import Cut, NegativeBox
from hepneg.shapes.shape_tests import multivariate, sign_classifier
from hepneg.shapes.verdict import sample_verdict


def correlated(n: int, rho: float, seed: int = 0) -> EventTable:
    """The first two of three features are correlated in negative events only."""
    rng = np.random.default_rng(seed)
    x, negative = rng.normal(size=(n, 3)), rng.random(n) < 0.3
    x[:, 1] = np.where(negative, rho * x[:, 0] + np.sqrt(1.0 - rho**2) * x[:, 1], x[:, 1])
    weight = np.where(negative, -1.0, 1.0) * rng.lognormal(sigma=0.3, size=n)
    return EventTable.from_arrays(x, weight, np.zeros(n, int), sample=np.full(n, "ttbar"))


def holed(n: int, seed: int = 0) -> EventTable:
    """2·N(0, 2) − N(0, 1.2) in two dimensions, negative near the origin, and a third feature that knows nothing."""
    rng = np.random.default_rng(seed)
    negative = rng.random(n) < 1 / 3
    x = np.column_stack([rng.normal(size=(n, 2)) * np.where(negative, 1.2, 2.0)[:, None], rng.normal(size=n)])
    return EventTable.from_arrays(x, np.where(negative, -1.0, 1.0), np.zeros(n, int), sample=np.full(n, "toy"))


@pytest.fixture(scope="module")
def correlation():
    return check_shapes(correlated(10_000, 0.4)).samples["ttbar"]


@pytest.fixture(scope="module")
def hole():
    return check_shapes(holed(30_000))


@pytest.fixture
def linear(monkeypatch):
    """A linear classifier instead of the network: fast enough for many toys."""

    def learner(x, negative, magnitude, _seed):
        means = [np.average(x[part], axis=0, weights=magnitude[part]) for part in (~negative, negative)]
        return lambda y: y @ (means[0] - means[1])

    monkeypatch.setattr(multivariate, "_network_learner", lambda: learner)
    monkeypatch.setattr(sign_classifier, "learn_sign", learner)


def test_a_difference_that_no_feature_shows_alone_makes_the_verdict(correlation):
    assert correlation.verdict == "different"
    assert "no feature differs significantly on its own, but a classifier tells the sign" in correlation.reason
    assert "x0 and x1" in correlation.reason or "x1 and x0" in correlation.reason
    assert correlation.multivariate.p_adjusted < 1e-6
    assert min(shape.p_adjusted for shape in correlation.features.values()) > 0.05
    alone = check_shapes(correlated(10_000, 0.4), multivariate=False).samples["ttbar"]
    assert (alone.multivariate, alone.joint) == (None, None)
    assert alone.verdict != "different"


def test_a_sample_without_a_difference_stays_compatible():
    sample = check_shapes(correlated(20_000, 0.0, seed=1)).samples["ttbar"]
    assert sample.verdict == "compatible"
    assert sample.multivariate.p_adjusted > 0.05
    assert sample.negative_boxes == ()


@pytest.mark.usefixtures("linear", "few_permutations")
def test_the_verdict_keeps_its_level():
    toys = 60
    verdicts = [
        check_shapes(correlated(400, 0.0, seed=1000 + number), seed=number).samples["ttbar"].verdict
        for number in range(toys)
    ]
    # The corrections may be conservative, so only the upper end of the band binds.
    assert verdicts.count("different") <= binom.ppf(0.9999, toys, 0.05)


def test_half_of_the_level_goes_to_either_part(linear):
    """With a multivariate test the features are adjusted by twice their number, until that one is rejected."""
    events = correlated(2000, 0.0, seed=3)
    alone, beside = (check_shapes(events, multivariate=wanted).samples["ttbar"] for wanted in (False, True))
    assert beside.multivariate.p_adjusted >= min(1.0, beside.multivariate.p_value)
    smallest = min(alone.features.values(), key=lambda shape: shape.p_value)
    first = min(2.0 * beside.multivariate.p_value, 6.0 * smallest.p_value)
    adjusted = [beside.multivariate.p_adjusted, *(shape.p_adjusted for shape in beside.features.values())]
    assert min(adjusted) == pytest.approx(min(1.0, first))
    assert beside.detectable_total_variation > alone.detectable_total_variation


def test_json_holds_the_keys_of_the_contract(correlation):
    payload = json.loads(json.dumps(correlation.to_dict(), allow_nan=False))
    found = payload["multivariate"]
    assert {"auc", "auc_error", "p_value", "p_adjusted", "importance", "used", "seen"} <= set(found)
    assert set(found["importance"]) == {"x0", "x1", "x2"}
    assert {"value", "error"} == set(found["importance"]["x0"])
    assert payload["subsample"] == {"used": 10_000, "seen": 10_000}


@pytest.mark.parametrize(("negative", "features"), [(15, 2), (200, 1)])
def test_nothing_is_made_of_too_few_events_or_of_one_feature(negative, features):
    x = np.random.default_rng(0).normal(size=(600, features))
    weight = np.where(np.arange(600) < negative, -1.0, 1.0)
    sample = check_shapes(EventTable.from_arrays(x, weight, np.zeros(600, int))).samples["background"]
    assert sample.multivariate is None
    assert sample.to_dict()["multivariate"] is None
    assert sample.features["x0"].p_value <= 1.0


def test_torch_stays_out_where_no_network_is_trained():
    code = (
        "import sys, numpy as np, hepneg\n"
        "w = np.where(np.arange(200) < 50, -1.0, 1.0)\n"
        "events = hepneg.EventTable.from_arrays(np.arange(400.0).reshape(200, 2), w, np.zeros(200, int))\n"
        "hepneg.check_shapes(events, multivariate=False)\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_chunks_in_any_order_give_the_same_result():
    events = correlated(3000, 0.5, seed=2)
    drawn = SubsampleAccumulator(seed=1)
    parts = np.array_split(np.random.default_rng(0).permutation(3000), 5)
    for part in parts:
        drawn.fill(events.features[part], events.weight[part], events.observation_id[part])
    subsample = drawn.result()
    sums = SignedSums(plan_bins([subsample.features], events.feature_names))
    for part in parts:
        sums.fill(events.features[part], events.weight[part])
    streamed = check_sums({"ttbar": sums}, {"ttbar": subsample}).samples["ttbar"]
    direct = check_shapes(events).samples["ttbar"]
    assert streamed.multivariate.auc == direct.multivariate.auc
    assert streamed.multivariate.p_value == direct.multivariate.p_value
    assert streamed.negative_boxes == direct.negative_boxes
    assert streamed.reason == direct.reason


def test_a_box_is_reported_once_and_drawn(hole):
    sample = hole.samples["toy"]
    assert sample.negative_regions == ()  # neither projection is negative anywhere
    box = sample.negative_boxes[0]
    assert {cut.feature for cut in box.cuts} == {"x0", "x1"}
    assert box.sum_weights.value < 0
    assert box.significance < -3
    count = len(sample.negative_boxes)
    assert f"Σw is significantly below zero in {count} region{'' if count == 1 else 's'}" in sample.reason
    (written, *_) = hole.to_dict()["samples"]["toy"]["negative_regions"]
    assert written["where"] == box.where
    assert {"cuts", "sum_weights", "significance", "p_value"} <= set(written)
    stems = [stem for stem, _ in shape_figures(hole)]
    assert MULTIVARIATE_STEM in stems
    assert boxes_stem("toy", "x0", "x1") in stems


def test_boxes_inside_a_negative_interval_are_not_counted_again():
    rng = np.random.default_rng(5)
    n = 20_000
    negative = rng.random(n) < 0.25
    x = np.column_stack([rng.normal(size=n) * np.where(negative, 0.2, 1.0), rng.normal(size=n)])
    events = EventTable.from_arrays(x, np.where(negative, -1.0, 1.0), np.zeros(n, int), sample=np.full(n, "toy"))
    sample = check_shapes(events).samples["toy"]
    assert len(sample.negative_regions) == 1
    assert sample.negative_boxes == ()
    assert "below zero in 1 region" in sample.reason


def test_figures_of_the_joint_check_come_only_where_there_is_something():
    report = check_shapes(correlated(600, 0.0), multivariate=False)
    stems = [stem for stem, _ in shape_figures(report)]
    assert MULTIVARIATE_STEM not in stems
    assert not [stem for stem in stems if stem.startswith("negative")]


def test_a_box_says_where_it_is():
    cuts = (Cut("pt", 10.0, np.inf), Cut("eta", -np.inf, 0.5))
    box = NegativeBox(cuts, 5, Estimate(-9.0, 1.0), Estimate(-5.0, 1.0), -5.0, 1e-6)
    assert box.where == "10 ≤ pt and eta < 0.5"
    assert box.to_dict()["where"] == box.where


def test_the_classifier_has_its_say_beside_features_that_differ(correlation):
    found = correlation.multivariate
    apart = {name: shape for name, shape in correlation.features.items() if name != "x2"}
    verdict, reason = sample_verdict(apart, 1.0, 0.01, 100, found)
    assert verdict == "different"
    assert f"AUC of {found.auc}" in reason
    assert "differ between the signs" in reason

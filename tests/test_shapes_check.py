"""The shape check as a whole: verdicts, regions of negative density, and what it hands on."""

from __future__ import annotations

import json

import numpy as np
import pytest

from hepneg.binning.negative_intervals import negative_runs, significant_regions
from hepneg.events import EventTable
from hepneg.shapes import SignedSums, SubsampleAccumulator, check_shapes, check_sums, plan_bins
from hepneg.shapes.verdict import overall_verdict, recommend


def table(n: int, *, f: float = 0.3, shift: float = 0.0, seed: int = 0, features: int = 2) -> EventTable:
    rng = np.random.default_rng(seed)
    negative = rng.random(n) < f
    x = rng.normal(size=(n, features))
    x[:, 0] += shift * negative
    weight = np.where(negative, -1.0, 1.0) * rng.lognormal(sigma=0.3, size=n)
    names = [f"x{i}" for i in range(features)]
    return EventTable.from_arrays(x, weight, np.ones(n, int), sample=np.full(n, "ttbar"), feature_names=names)


def test_a_shifted_feature_is_found_and_named():
    report = check_shapes(table(20_000, shift=0.3))
    sample = report.samples["ttbar"]
    assert (report.verdict, sample.verdict) == ("different", "different")
    assert sample.reason.startswith("1 of 2 features differs between the signs, by total variation: x0")
    assert "x1" not in sample.reason
    assert sample.features["x0"].p_adjusted < 1e-6
    # Two normal shapes a distance s apart differ by erf(s / √8).
    assert sample.features["x0"].total_variation.value == pytest.approx(0.1192, abs=0.03)


def test_many_events_without_a_difference_are_compatible():
    report = check_shapes(table(40_000, seed=3))
    assert report.samples["ttbar"].verdict == "compatible"
    assert report.recommended_schemes[0] == "absolute"


def test_few_events_without_a_difference_are_inconclusive_and_say_how_many_are_needed():
    sample = check_shapes(table(400, seed=1)).samples["ttbar"]
    assert sample.verdict == "inconclusive"
    assert "events instead of 400" in sample.reason
    assert sample.features["x0"].method == "permutation"
    assert sample.detectable_total_variation > 0.05


@pytest.mark.parametrize(
    ("weight", "verdict", "words"),
    [
        (np.ones(200), "compatible", "no event has a negative weight"),
        (-np.ones(200), "inconclusive", "no event has a positive weight"),
        (np.append(np.ones(195), -np.ones(5)), "inconclusive", "only 5.0 effective events of negative weight"),
    ],
)
def test_samples_without_enough_events_of_a_sign(weight, verdict, words):
    x = np.random.default_rng(0).normal(size=(200, 2))
    sample = check_shapes(EventTable.from_arrays(x, weight, np.ones(200, int))).samples["signal"]
    assert sample.verdict == verdict
    assert words in sample.reason
    json.dumps(check_shapes(EventTable.from_arrays(x, weight, np.ones(200, int))).to_dict())


@pytest.mark.parametrize("n", [1, 2, 3])
def test_the_smallest_samples_do_not_crash(n):
    weight = np.array([1.0, -1.0, 1.0])[:n]
    report = check_shapes(EventTable.from_arrays(np.arange(n * 2.0).reshape(n, 2), weight, np.ones(n, int)))
    assert report.samples["signal"].verdict == ("compatible" if n == 1 else "inconclusive")


def test_constant_features_and_zero_weights_do_not_crash():
    events = table(500)
    x = np.column_stack([events.features, np.full(500, 7.0)])
    weight = np.where(np.arange(500) < 5, 0.0, events.weight)
    sample = check_shapes(EventTable.from_arrays(x, weight, events.label)).samples["signal"]
    assert sample.features["x2"].p_value == 1.0
    assert sample.features["x2"].total_variation.value == 0.0


def test_same_seed_same_report_and_the_input_stays_as_it_is():
    events = table(600, shift=0.2)
    before = events.features.copy(), events.weight.copy()
    first, again = check_shapes(events, seed=5).to_dict(), check_shapes(events, seed=5).to_dict()
    assert json.dumps(first) == json.dumps(again)
    assert np.array_equal(before[0], events.features)
    assert np.array_equal(before[1], events.weight)


@pytest.mark.parametrize("n", [600, 20_000])
def test_chunks_in_any_order_give_the_same_report(n):
    events = table(n, shift=0.1)
    plan_from = SubsampleAccumulator(seed=1)
    parts = np.array_split(np.random.default_rng(0).permutation(n), 7)
    for part in parts:
        plan_from.fill(events.features[part], events.weight[part], events.observation_id[part])
    drawn = plan_from.result()
    plan = plan_bins([drawn.features], events.feature_names)
    sums = SignedSums(plan)
    for part in parts:
        one = SignedSums(plan)
        one.fill(events.features[part], events.weight[part])
        sums = sums + one
    streamed = check_sums({"ttbar": sums}, {"ttbar": drawn}, seed=1).samples["ttbar"]
    direct = check_shapes(events, seed=1).samples["ttbar"]
    for name, shape in direct.features.items():
        assert streamed.features[name].p_value == pytest.approx(shape.p_value, rel=1e-6)
        assert streamed.features[name].total_variation.value == pytest.approx(shape.total_variation.value, rel=1e-9)
    assert streamed.verdict == direct.verdict


def test_report_has_the_keys_of_the_contract():
    payload = check_shapes(table(2000)).to_dict()
    sample = payload["samples"]["ttbar"]
    assert payload["schema_version"] == 1
    assert sample["verdict"] in {"compatible", "different", "inconclusive"}
    assert {"p_value", "p_adjusted", "total_variation", "total_variation_error"} <= set(sample["features"]["x0"])
    assert isinstance(sample["negative_regions"], list)
    assert isinstance(payload["recommended_schemes"], list)
    json.dumps(payload, allow_nan=False)


def test_report_prints_itself():
    report = check_shapes(table(2000))
    assert "ttbar" in repr(report)
    assert "<table>" in report._repr_html_()
    assert "x0" in repr(report.samples["ttbar"].features["x0"])


def test_overall_verdict_and_recommendation():
    assert overall_verdict(["compatible", "inconclusive", "different"]) == "different"
    assert overall_verdict(["compatible", "inconclusive"]) == "inconclusive"
    assert overall_verdict(["compatible"]) == "compatible"
    assert "absolute" not in recommend("different")
    assert recommend("inconclusive")[0] != "absolute"


def binned(x: np.ndarray, weight: np.ndarray):
    column = x.astype(np.float32)[:, None]
    sums = SignedSums(plan_bins([column[:100_000]], ["x"]))
    sums.fill(column, weight)
    return sums.result()[0]


def mixture(n: int, share: float, width: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw share·N(0, 1) − (1 − share)·N(0, width)."""
    negative = rng.random(n) >= share
    return rng.normal(size=n) * np.where(negative, width, 1.0), np.where(negative, -1.0, 1.0)


def test_the_negative_core_of_a_density_is_found():
    # 0.8 N(0, 1) − 0.2 N(0, 0.2) is negative for |x| < 0.136.
    bins = binned(*mixture(1_000_000, 0.8, 0.2, np.random.default_rng(0)))
    (region,) = significant_regions([bins])
    assert region.low == pytest.approx(-0.136, abs=0.03)
    assert region.high == pytest.approx(0.136, abs=0.03)
    assert region.significance < -20
    (run,) = negative_runs(bins)
    assert (run.low, run.high) == (pytest.approx(-0.136, abs=0.05), pytest.approx(0.136, abs=0.05))


def test_no_negative_region_where_the_density_touches_zero():
    # 0.75 N(0, 1) − 0.25 N(0, 0.5) is small and positive at 0. One false region in 40 toys has probability 5 %.
    rng = np.random.default_rng(2)
    toys = [significant_regions([binned(*mixture(20_000, 0.75, 0.5, rng))]) for _ in range(40)]
    assert sum(bool(regions) for regions in toys) <= 1


def test_open_ends_of_regions_are_infinite_and_null_in_json():
    x = np.concatenate([np.linspace(0, 1, 5000), np.linspace(2, 3, 5000)])
    weight = np.where(x > 1.5, -1.0, 1.0)
    (region,) = significant_regions([binned(x, weight)])
    assert region.high == np.inf
    assert region.to_dict()["high"] is None
    assert str(region).startswith("2.00")
    assert region.sum_weights.value == pytest.approx(-5000.0, rel=0.01)

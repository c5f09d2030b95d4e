"""What the signs cost: figures, merging, outliers and the risk of a batch."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepneg.events import EventTable
from hepneg.shapes import plan_bins
from hepneg.weights import WeightAccumulator, batch_risk, report_weights, summarize, summarize_weights


def events(n: int = 4000, seed: int = 0) -> EventTable:
    rng = np.random.default_rng(seed)
    label = (rng.random(n) < 0.4).astype(int)
    sample = np.where(label == 1, "ttbar", np.where(rng.random(n) < 0.5, "wjets", "zjets"))
    weight = np.where(rng.random(n) < 0.3, -1.0, 1.0) * rng.lognormal(size=n)
    return EventTable.from_arrays(rng.normal(size=(n, 2)), weight, label, sample=sample)


def test_figures_are_those_of_their_definitions():
    table = events()
    w = table.of_sample("wjets").weight
    summary = summarize_weights(table).samples["wjets"]
    f = np.abs(w[w < 0]).sum() / np.abs(w).sum()
    assert summary.selected == summary.entries == len(w)
    assert summary.sum_weights == pytest.approx(w.sum())
    assert summary.sum_abs_weights == pytest.approx(np.abs(w).sum())
    assert summary.sum_weights_error == pytest.approx(np.sqrt(np.sum(w**2)))
    assert summary.negative_fraction == pytest.approx(f)
    assert summary.negative_fraction_counted == np.mean(w < 0)
    assert summary.dilution == pytest.approx((1 - 2 * f) ** 2)
    assert summary.n_eff == pytest.approx(w.sum() ** 2 / np.sum(w**2))
    assert np.allclose(summary.largest, w[np.argsort(-np.abs(w))][:10])
    assert summary.largest_share == pytest.approx(sum(summary.largest) / w.sum())


def test_labels_add_up_their_samples():
    report = summarize_weights(events())
    parts = report.samples["wjets"], report.samples["zjets"]
    assert report.labels["background"].selected == sum(part.selected for part in parts)
    assert report.labels["background"].sum_weights == pytest.approx(sum(part.sum_weights for part in parts))
    assert report.labels["signal"].sum_weights == pytest.approx(report.samples["ttbar"].sum_weights)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 2000), max_size=4), st.booleans())
def test_chunks_and_parts_give_the_same_summary(edges, merge):
    table = events(2000)
    plan = plan_bins([table.features], table.feature_names)
    whole, other = WeightAccumulator(plan), WeightAccumulator(plan)
    whole.fill(table.weight, table.features)
    for part in np.split(np.arange(2000), sorted(edges)):
        target = WeightAccumulator(plan) if merge else other
        target.fill(table.weight[part], table.features[part])
        other = other + target if merge else other
    one, two = summarize("all", whole).to_dict(), summarize("all", other).to_dict()
    assert one["selected"] == two["selected"]
    assert one["largest_weights"] == two["largest_weights"]
    assert one["spectrum"] == two["spectrum"]
    for key in ("sum_weights", "sum_abs_weights", "sum_weights_error", "negative_fraction", "n_eff", "dilution"):
        assert one[key] == pytest.approx(two[key], rel=1e-11)
    assert [r["entries"] for r in one["negative_regions"]] == [r["entries"] for r in two["negative_regions"]]


@given(st.floats(1e-3, 1e3))
def test_a_common_scale_changes_sums_only(scale):
    table = events(500)
    accumulator = WeightAccumulator()
    accumulator.fill(table.weight, entries=800)
    raw, physical = summarize("a", accumulator), summarize("a", accumulator.scaled(scale))
    assert physical.sum_weights == pytest.approx(scale * raw.sum_weights)
    assert physical.error == pytest.approx(scale * raw.error)
    assert np.allclose(physical.largest, np.multiply(scale, raw.largest))
    assert physical.spectrum.count.sum() == raw.spectrum.count.sum() == 500
    for name in ("entries", "selected", "negative_fraction_counted"):
        assert getattr(physical, name) == getattr(raw, name)
    for name in ("negative_fraction", "n_eff", "dilution", "largest_share"):
        assert getattr(physical, name) == pytest.approx(getattr(raw, name))
    assert raw.entries == 800


def test_spectrum_holds_the_weights():
    table = events(3000)
    spectrum = summarize_weights(table).samples["ttbar"].spectrum
    w = table.of_sample("ttbar").weight
    for row, part in enumerate((w[w >= 0], -w[w < 0])):
        assert np.array_equal(spectrum.count[row], np.histogram(part, spectrum.edges)[0])


def test_outliers_are_flagged_and_well_behaved_weights_are_not():
    table = events()
    assert not summarize_weights(table).samples["ttbar"].outliers
    accumulator = WeightAccumulator()
    accumulator.fill(np.append(np.ones(1000), [-400.0]))
    summary = summarize("spiky", accumulator)
    assert summary.outliers
    assert summary.largest[0] == -400.0
    assert summary.outlier_sentence.startswith(
        "Outliers in spiky: the largest weight, -400, is 28.6% of Σ|w|, and the 10"
    )
    assert "`selection:`" in summary.outlier_sentence
    assert summarize("none", WeightAccumulator()).outlier_sentence == ""


def test_a_report_names_the_samples_with_outliers():
    table = EventTable.from_arrays(
        np.zeros((2000, 1)), np.append(np.ones(1999), 1e5), np.ones(2000), sample=["a"] * 1000 + ["b"] * 1000
    )
    report = summarize_weights(table)
    assert len(report.outliers) == 1
    assert "Outliers in b: the largest weight, 100000, is 99.0%" in repr(report)
    assert "Outliers in b" in report._repr_html_()
    assert "Outliers" not in repr(summarize_weights(events()))


def test_a_region_with_a_negative_sum_is_named():
    rng = np.random.default_rng(0)
    x = rng.uniform(size=(20_000, 1))
    weight = np.where((x[:, 0] > 0.6) & (x[:, 0] < 0.7), -1.0, 1.0)
    summary = summarize_weights(EventTable.from_arrays(x, weight, np.ones(20_000, int))).samples["signal"]
    region = summary.negative_regions[0]
    assert (region.low, region.high) == (pytest.approx(0.6, abs=0.021), pytest.approx(0.7, abs=0.021))
    assert region.sum_weights.value < 0


def simulated_risk(weight: np.ndarray, label: np.ndarray, size: int, toys: int, seed: int) -> float:
    rng = np.random.default_rng(seed)
    signal = np.where(label == 1, weight, 0.0)
    return float(np.mean(signal[rng.integers(0, len(signal), (toys, size))].sum(axis=1) <= 0))


@pytest.mark.parametrize("size", [8, 64, 200])
def test_batch_risk_of_constant_weights_is_exact(size):
    rng = np.random.default_rng(1)
    label = (np.arange(20_000) % 5 < 2).astype(int)
    weight = np.where(rng.random(20_000) < 0.4, -0.7, 0.7)
    table = EventTable.from_arrays(np.zeros((20_000, 1)), weight, label)
    risk = summarize_weights(table, size).batch_risk["signal"]
    toys = 20_000
    found = simulated_risk(weight, label, size, toys, seed=2)
    assert abs(found - risk) < 4 * np.sqrt(risk * (1 - risk) / toys) + 1e-12


@pytest.mark.parametrize("size", [128, 512])
def test_batch_risk_of_spread_weights_is_close(size):
    rng = np.random.default_rng(3)
    label = (np.arange(50_000) % 5 < 2).astype(int)
    weight = np.where(rng.random(50_000) < 0.4, -1.0, 1.0) * rng.lognormal(sigma=0.7, size=50_000)
    table = EventTable.from_arrays(np.zeros((50_000, 1)), weight, label)
    risk = summarize_weights(table, size).batch_risk["signal"]
    toys = 10_000
    found = simulated_risk(weight, label, size, toys, seed=4)
    assert abs(found - risk) < 4 * np.sqrt(risk * (1 - risk) / toys) + 0.1 * risk


def test_batch_risk_at_its_limits():
    unit = (1.0, 1.0, 1.0)
    assert batch_risk(100, 1.0, 1.0, unit, (1.0, 1.0)) == 0.0
    assert batch_risk(100, 1.0, 0.0, (-1.0, 1.0, -1.0), (1.0, 1.0)) == pytest.approx(1.0)
    # Only batches without an event of the label fail: (1 − 0.5)^4.
    assert batch_risk(4, 0.5, 1.0, unit, (1.0, 1.0)) == pytest.approx(0.0625)


def test_report_has_the_keys_of_the_contract():
    report = summarize_weights(events())
    payload = report.to_dict()
    keys = {"entries", "selected", "sum_weights", "sum_abs_weights", "negative_fraction", "n_eff", "dilution"}
    assert payload["schema_version"] == 1
    assert keys <= set(payload["samples"]["ttbar"])
    json.dumps(payload, allow_nan=False)
    assert "ttbar" in repr(report)
    assert "<table>" in report._repr_html_()
    assert "n_eff" in repr(report.samples["ttbar"])


def test_scales_turn_raw_sums_into_physical_ones():
    accumulators = {"a": WeightAccumulator(), "b": WeightAccumulator()}
    for accumulator in accumulators.values():
        accumulator.fill(np.array([1.0, 1.0, -1.0]))
    labels = dict.fromkeys(accumulators, "background")
    report = report_weights(accumulators, labels, scales={"a": 2.0, "b": 10.0})
    assert report.labels["background"].sum_weights == 12.0
    assert list(report.labels) == ["background"]


def test_empty_and_all_zero_samples_do_not_crash():
    for weight in (np.empty(0), np.zeros(3)):
        accumulator = WeightAccumulator()
        accumulator.fill(weight)
        summary = summarize("empty", accumulator)
        assert summary.sum_weights == 0.0
        assert np.isnan(summary.n_eff)
        json.dumps(summary.to_dict(), allow_nan=False)


def test_misuse_is_refused():
    plan = plan_bins([np.zeros((2, 1), np.float32)], ["x"])
    with pytest.raises(ValueError, match="needs the features"):
        WeightAccumulator(plan).fill(np.ones(2))
    with pytest.raises(ValueError, match="same bins"):
        WeightAccumulator(plan).merge(WeightAccumulator())

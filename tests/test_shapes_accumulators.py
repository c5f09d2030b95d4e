"""Bins planned from a subsample, and sums that do not depend on how events are handed over."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepneg.errors import DataError
from hepneg.shapes import BinPlan, SignedSums, Subsample, SubsampleAccumulator, plan_bins


def toy(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    columns = [
        rng.normal(172.5, 1.5, n),
        rng.exponential(40.0, n) + 25.0,
        rng.poisson(3.0, n),
        np.where(rng.random(n) < 0.4, 0.0, rng.normal(size=n)),
        np.where(rng.random(n) < 0.2, -999.0, rng.standard_t(4, n)),
    ]
    weight = np.where(rng.random(n) < 0.3, -1.0, 1.0) * rng.lognormal(size=n)
    return np.asfortranarray(np.stack(columns, 1).astype(np.float32)), weight, rng.permutation(n).astype(np.uint64)


NAMES = ("mass", "pt", "njets", "eta", "score")


def planned(n: int = 20_000) -> BinPlan:
    return plan_bins([toy(n)[0]], NAMES, bins=256)


def subsample(parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]], size: int) -> Subsample:
    accumulator = SubsampleAccumulator(size)
    for part in parts:
        accumulator.fill(*part)
    return accumulator.result()


def cut(arrays: tuple[np.ndarray, ...], edges: list[int]) -> list[tuple[np.ndarray, ...]]:
    bounds = [0, *sorted(edges), len(arrays[1])]
    return [tuple(a[i:j] for a in arrays) for i, j in itertools.pairwise(bounds)]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 3000), max_size=4), st.randoms(use_true_random=False))
def test_subsample_does_not_depend_on_chunks_order_or_merging(edges, random):
    arrays = toy(3000)
    whole = subsample([arrays], 500)
    parts = cut(arrays, edges)
    random.shuffle(parts)
    chunked = subsample(parts, 500)
    merged = SubsampleAccumulator(500)
    for part in parts:
        single = SubsampleAccumulator(500)
        single.fill(*part)
        merged = merged + single
    for other in (chunked, merged.result()):
        assert np.array_equal(other.features, whole.features)
        assert np.array_equal(other.weight, whole.weight)
        assert other.seen == whole.seen == 3000
    assert len(whole.weight) == 500
    assert not whole.complete


def test_subsample_of_few_events_is_complete_and_ties_of_identifiers_keep_their_order():
    features, weight, _ = toy(50)
    same = np.zeros(50, np.uint64)
    forward = subsample([(features, weight, same)], 100)
    backward = subsample([(features[::-1], weight[::-1], same)], 100)
    assert forward.complete
    assert np.array_equal(forward.weight, backward.weight)


def test_subsample_is_uniform():
    n, kept = 20_000, 2_000
    features, weight, ids = toy(n)
    drawn = subsample([(features, weight, ids)], kept)
    share, expected = np.mean(drawn.weight < 0), np.mean(weight < 0)
    # Four standard deviations of a draw without replacement.
    assert abs(share - expected) < 4.0 * np.sqrt(expected * (1 - expected) / kept)


def test_subsamples_of_other_seeds_do_not_merge():
    with pytest.raises(ValueError, match="same size and seed"):
        SubsampleAccumulator(seed=1).merge(SubsampleAccumulator(seed=2))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 5000), max_size=5))
def test_sums_are_the_same_at_once_in_chunks_and_merged(edges):
    features, weight, _ = toy(5000, seed=1)
    plan = planned()
    whole, chunked, merged = SignedSums(plan), SignedSums(plan), SignedSums(plan)
    whole.fill(features, weight)
    for x, w in cut((features, weight), edges):
        chunked.fill(x, w)
        part = SignedSums(plan)
        part.fill(x, w)
        merged = merged + part
    for other in (chunked, merged):
        for mine, theirs in zip(whole.result(), other.result(), strict=True):
            assert np.array_equal(mine.count, theirs.count)
            assert np.allclose(mine.magnitude, theirs.magnitude, rtol=1e-12, atol=0)
            assert np.allclose(mine.square, theirs.square, rtol=1e-12, atol=0)


def test_sums_add_up_to_those_of_the_events():
    features, weight, _ = toy(40_000, seed=2)
    sums = SignedSums(planned())
    sums.fill(features, weight)
    for bins in sums.result():
        assert bins.count.sum(axis=1).tolist() == [np.sum(weight >= 0), np.sum(weight < 0)]
        assert bins.net.sum() == pytest.approx(weight.sum(), rel=1e-10)
        assert bins.square.sum() == pytest.approx(np.sum(weight**2), rel=1e-12)


def test_constant_weights_take_the_short_cut_to_the_same_sums():
    features, weight, _ = toy(1000)
    signs = np.sign(weight) * 0.3
    short, long = SignedSums(planned()), SignedSums(planned())
    short.fill(features, signs)
    # One event of another weight sends the block the long way.
    long.fill(np.vstack([features, features[:1]]), np.append(signs, 1e-300))
    for mine, theirs in zip(short.result(), long.result(), strict=True):
        assert np.allclose(mine.magnitude, theirs.magnitude, rtol=1e-12, atol=1e-290)


def test_codes_follow_the_edges():
    features, _, _ = toy(20_000, seed=3)
    for bins, column in zip(planned().features, features.T, strict=True):
        spikes = [value for value, _ in bins.spikes]
        plain = column[~np.isin(column, spikes)]
        # Values that share a cell with a spike lie next to its bin: compare only elsewhere.
        expected = np.searchsorted(bins.edges[1:-1], plain.astype(float), side="right")
        off = np.abs(bins.codes(plain) - expected)
        assert np.mean(off > 0) < 1e-3
        assert off.max() <= 2


def test_codes_are_monotone_and_take_any_value():
    for bins in planned().features:
        values = np.sort(np.random.default_rng(0).standard_cauchy(2000) * 1e3).astype(np.float32)
        values = np.concatenate([[np.float32(-3e38)], values, [np.float32(3e38)]])
        values = values[~np.isin(values, [value for value, _ in bins.spikes])]
        codes = bins.codes(values)
        assert np.all(np.diff(codes) >= 0)
        assert (codes[0], codes[-1]) == (0, len(bins) - 1)


def test_distinct_values_and_spikes_have_bins_of_their_own():
    features, weight, _ = toy(20_000)
    sums = SignedSums(planned())
    sums.fill(features, weight)
    bins = dict(zip(NAMES, sums.result(), strict=True))
    assert np.array_equal(
        np.sort(bins["njets"].count.sum(axis=0)), np.sort(np.unique(features[:, 2], return_counts=True)[1])
    )
    for name, value in (("eta", 0.0), ("score", -999.0)):
        column = features[:, NAMES.index(name)]
        assert bins[name].count.sum(axis=0).max() == np.sum(column == np.float32(value))


def test_minus_zero_is_zero():
    features = np.array([[0.0], [-0.0], [1.0]], np.float32)
    (bins,) = plan_bins([features], ["x"]).features
    assert bins.codes(features[:, 0]).tolist() == [0, 0, 1]


def test_fine_bins_have_about_equal_population():
    features, weight, _ = toy(20_000)
    sums = SignedSums(planned())
    sums.fill(features, weight)
    population = sums.result()[0].count.sum(axis=0)
    assert len(population) > 200
    assert population.max() < 3 * 20_000 / 256


def test_view_leaves_out_far_padding_and_keeps_whole_discrete_bins():
    views = {bins.name: bins.view for bins in planned().features}
    assert views["score"][0] > -500.0
    assert views["njets"][0] <= 0.0
    assert views["pt"][0] == pytest.approx(25.0, abs=0.5)


def test_single_value_and_single_event_can_be_planned():
    for column in (np.full((10, 1), 3.0, np.float32), np.full((1, 1), -1.0, np.float32)):
        (bins,) = plan_bins([column], ["x"]).features
        assert len(bins) == 1
        assert bins.edges[0] < column[0, 0] < bins.edges[1]


def test_no_events_to_plan_from():
    with pytest.raises(DataError, match="no events"):
        plan_bins([np.empty((0, 1), np.float32)], ["x"])


def test_sums_refuse_other_shapes_and_other_bins():
    sums = SignedSums(planned())
    with pytest.raises(ValueError, match="5 planned"):
        sums.fill(np.zeros((3, 2), np.float32), np.ones(3))
    with pytest.raises(ValueError, match="same bins"):
        sums.merge(SignedSums(plan_bins([toy(100)[0]], NAMES)))


def test_filling_does_not_touch_its_input():
    features, weight, ids = toy(1000)
    before = features.copy(), weight.copy(), ids.copy()
    for array in (features, weight, ids):
        array.flags.writeable = False
    subsample([(features, weight, ids)], 100)
    SignedSums(planned()).fill(features, weight)
    assert all(np.array_equal(a, b) for a, b in zip(before, (features, weight, ids), strict=True))

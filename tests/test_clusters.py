"""Rows that are not independent: candidates of one event, and exact copies under other identifiers."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy.stats import binom

from hepneg import EventTable, check_shapes, summarize_weights
from hepneg.binning.copies import CopyFinder, copied_share
from hepneg.binning.subsample import draw_subsample
from hepneg.errors import HepnegWarning
from hepneg.events import cluster_sums, clustering, clusters
from hepneg.shapes.shape_tests.rearrangements import Observations


def candidates(events: int, number: int, seed: int) -> EventTable:
    """Rows of which ``number`` share weight, identifier and, nearly, the feature; nothing depends on the sign."""
    rng = np.random.default_rng(seed)
    weight = np.where(rng.random(events) < 0.25, -1.0, 1.0)
    x = np.repeat(rng.normal(size=events), number) + 0.3 * rng.normal(size=events * number)
    row_id = np.repeat(np.arange(events), number)
    return table(x, np.repeat(weight, number), row_id)


def table(x, weight, event_id=None) -> EventTable:
    x = np.asarray(x)
    return EventTable.from_arrays(x.reshape(len(x), -1), weight, np.zeros(len(weight), int), event_id=event_id)


def check(events: EventTable):
    (sample,) = check_shapes(events, multivariate=False).samples.values()
    return sample


def test_clusters_are_rows_with_equal_identifiers():
    assert clusters(np.array([7, 3, 9])) is None
    assert clusters(np.array([1, 2, 3])) is None
    assert clusters(np.array([7, 3, 7, 9])).tolist() == [1, 0, 1, 2]
    pairs = clusters(np.array([[1, 5], [1, 6], [1, 5]]))
    assert pairs[0] == pairs[2] != pairs[1]
    assert cluster_sums(np.array([1.0, 2.0, 4.0, 8.0]), np.array([1, 0, 1, 2])).tolist() == [2.0, 5.0, 8.0]
    assert cluster_sums(np.array([1.0, 2.0]), None).tolist() == [1.0, 2.0]


@pytest.mark.parametrize("number", [2, 3])
def test_candidates_raise_no_false_alarms(number):
    toys = 60
    p_values = [check(candidates(200, number, seed)).features["x0"].p_value for seed in range(toys)]
    assert np.count_nonzero(np.array(p_values) <= 0.05) <= binom.ppf(0.999, toys, 0.05)


def test_a_difference_of_candidates_is_found():
    events = candidates(600, 2, seed=1)
    shifted = events.features[:, 0] + np.where(events.weight < 0, 0.6, 0.0)
    sample = check(table(shifted, events.weight, events.event_id))
    assert sample.features["x0"].p_value <= 0.002
    assert sample.features["x0"].method == "permutation"


def test_effective_numbers_count_events():
    single, double = (candidates(3000, number, seed=2) for number in (1, 4))
    assert check(double).n_eff == pytest.approx(check(single).n_eff)
    one, four = (summarize_weights(events).samples["background"] for events in (single, double))
    assert one.n_eff_events == one.n_eff
    assert four.n_eff == pytest.approx(4 * one.n_eff)
    assert four.n_eff_events == pytest.approx(one.n_eff)
    assert four.to_dict()["n_eff_events"] == four.n_eff_events
    label = summarize_weights(double).labels["background"]
    assert label.n_eff_events == pytest.approx(one.n_eff)


def test_errors_in_bins_are_those_of_independent_events():
    """Four candidates with one value add nothing; with values of their own they fluctuate as 4 times the events do."""
    rng = np.random.default_rng(3)
    weight, x = np.where(rng.random(4000) < 0.3, -1.0, 1.0), rng.normal(size=4000)
    row_id = np.repeat(np.arange(4000), 4)
    alike = check(table(np.repeat(x, 4), np.repeat(weight, 4), row_id)).features["x0"].comparison
    assert alike.positive_error == pytest.approx(np.sqrt(alike.positive / np.count_nonzero(weight > 0)))
    apart = check(table(rng.normal(size=16_000), np.repeat(weight, 4), row_id)).features["x0"].comparison
    # A candidate meets each of the three others of its event in its bin with the probability of the bin.
    shares = apart.positive
    rows = np.sqrt(shares / (4 * np.count_nonzero(weight > 0)))
    assert apart.positive_error == pytest.approx(rows * np.sqrt(1 + 3 * shares), rel=0.15)


def test_permutations_keep_clusters_together():
    cluster = np.array([0, 0, 1, 2, 2, 3, 4, 4])
    weight = np.array([-1.0, -2.0, 3.0, 4.0, 5.0, -6.0, 7.0, 8.0])
    rng = np.random.default_rng(4)
    observations = Observations.of(weight, cluster)
    (signs,) = (signed for signed, _ in observations.permuted_signs(rng, 300))
    (moved,) = (signed for signed, _ in observations.permuted_weights(rng, 300))
    assert np.all(np.abs(signs) == np.abs(weight))
    for first, second in ((0, 1), (3, 4), (6, 7)):
        assert np.all(np.sign(signs[:, first]) == np.sign(signs[:, second]))
        pairs = {(row[first], row[second]) for row in moved}
        assert pairs == {(-1.0, -2.0), (4.0, 5.0), (7.0, 8.0)}
    assert {(row[2], row[5]) for row in moved} == {(3.0, -6.0), (-6.0, 3.0)}


def test_a_subsample_keeps_clusters_whole():
    subsample = draw_subsample(candidates(500, 3, seed=5), 1, size=100)
    assert np.all(np.bincount(subsample.cluster) == 3)
    assert np.all(np.diff(subsample.cluster) >= 0)
    assert len(subsample.first(50).weight) in (48, 51)
    assert clustering(subsample.weight, subsample.cluster) == pytest.approx(3.0)


def reduced(column):
    """Keep ten bits of the mantissa, as many a format of files does."""
    return (column.astype("f4").view(np.int32) >> 13 << 13).view(np.float32)


@pytest.mark.parametrize(
    "kind", ["continuous", "counts", "steps", "reduced", "function", "function and flag", "candidates"]
)
def test_coincidences_are_no_copies(kind):
    rng, n = np.random.default_rng(6), 5000
    counts = rng.poisson(500, n)
    event_id = np.repeat(np.arange(n // 5), 5) if kind == "candidates" else np.arange(n)
    columns = {
        "continuous": rng.normal(size=n),
        "counts": rng.poisson(3, n),
        "steps": np.round(rng.exponential(50, n), 1),
        "reduced": np.stack([reduced(rng.exponential(50, n)), rng.poisson(2, n)], axis=1),
        "function": np.stack([counts, np.sqrt(counts)], axis=1),
        "function and flag": np.stack([counts, np.sqrt(counts), rng.random(n) < 0.5], axis=1),
        "candidates": np.repeat(rng.normal(size=n // 5), 5),
    }[kind]
    assert copied_share(table(columns, np.ones(n), event_id)) == 0.0


@pytest.mark.parametrize("kind", ["continuous", "reduced"])
def test_copies_are_found_and_said(kind):
    rng, n = np.random.default_rng(7), 4000
    x = rng.exponential(50, size=(n, 3))
    x = np.repeat(reduced(x) if kind == "reduced" else x, 3, axis=0)
    weight = np.repeat(np.where(rng.random(n) < 0.3, -1.0, 1.0), 3)
    events = table(x, weight)
    with pytest.warns(HepnegWarning, match=r"exact copies .*: 67% of sample 'background'; .* one `event_id`"):
        check(events)
    with pytest.warns(HepnegWarning, match="exact copies"):
        summarize_weights(events)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check(table(x, weight, np.repeat(np.arange(n), 3)))


def test_copies_in_parts_are_found_as_in_one():
    x = np.repeat(np.random.default_rng(8).normal(size=(30_000, 2)), 2, axis=0)
    events = table(x[np.random.default_rng(9).permutation(60_000)], np.ones(60_000))
    first, second = CopyFinder(), CopyFinder()
    first.fill(events.features[:20_000], events.weight[:20_000], events.observation_id[:20_000])
    second.fill(events.features[20_000:], events.weight[20_000:], events.observation_id[20_000:])
    assert (first + second).result() == copied_share(events) == pytest.approx(0.5)

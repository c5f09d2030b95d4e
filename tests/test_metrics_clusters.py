"""Rows of one event are one observation: errors, tests and yields of metrics where events have several candidates."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, norm

from hepneg import EventTable, evaluate, metrics
from hepneg.events import cluster_products, cluster_squares, excess, nested_sums
from hepneg.metrics.calibration import residual_chi2

LEVELS = (0.6827, 0.95)


def events_with_candidates(rng, n, rows, *, both=False):
    """Log-odds x of rows that share weight, identifier and most of x; with ``both``, one signal row in each event."""
    event = np.repeat(np.arange(n), rows)
    label = np.tile(np.arange(rows) == 0, n).astype(int) if both else np.repeat(rng.integers(0, 2, n), rows)
    x = np.sqrt(0.8) * rng.normal(size=n)[event] + np.sqrt(0.2) * rng.normal(size=n * rows)
    weight = np.where(rng.random(n) < 0.3, -1.0, 1.0) * np.exp(rng.normal(0.0, 0.3, n))
    return metrics.scored_events(x + label, label, weight[event], event_id=event)


def response(events):
    return events.with_score(1.0 / (1.0 + np.exp(0.5 - events.score)))


@given(st.integers(0, 10_000), st.integers(2, 4))
@settings(max_examples=8, deadline=None)
def test_copies_change_no_figure_and_no_error(seed, copies):
    rng = np.random.default_rng(seed)
    one = events_with_candidates(rng, 400, 1)
    assert one.cluster is None
    rows = rng.permutation(np.repeat(np.arange(400), copies))
    many = metrics.scored_events(one.score[rows], one.code[rows], one.weight[rows], event_id=rows)
    for influence in (metrics.auc_of, metrics.log_loss_of):
        assert numbers(influence(many).estimate()) == pytest.approx(numbers(influence(one).estimate()))
    assert numbers(metrics.auc_interval_of(many)) == pytest.approx(numbers(metrics.auc_interval_of(one)))
    briers = [metrics.brier_of(response(events)).estimate() for events in (one, many)]
    assert numbers(briers[1]) == pytest.approx(numbers(briers[0]), rel=1e-6, abs=1e-7)
    for measure in (metrics.calibration_curve_of, metrics.operating_point_of):
        assert numbers(measure(response(many))) == pytest.approx(numbers(measure(response(one))), rel=1e-6, abs=1e-7)
    for events in (one, many):
        influence = metrics.log_loss_of(events)
        interval = metrics.confidence_interval(influence, events.code, events.weight)
        assert numbers(interval) == pytest.approx(
            numbers(metrics.confidence_interval(metrics.log_loss_of(one), one.code, one.weight))
        )
    curves = [metrics.roc_curve_of(events, points=40) for events in (one, many)]
    assert curves[1].signal_error == pytest.approx(curves[0].signal_error, abs=1e-7)
    assert curves[1].background_error == pytest.approx(curves[0].background_error, abs=1e-7)
    scans = [metrics.significance_scan_of(response(events), thresholds=7) for events in (one, many)]
    assert scans[1].signal_error == pytest.approx(copies * scans[0].signal_error)
    found = [
        metrics.quantiles(events.score, np.abs(events.weight), [0.2, 0.7], event_id=ids)
        for events, ids in ((one, None), (many, rows))
    ]
    assert found[1].error == pytest.approx(found[0].error)
    pairs = [np.stack([events.score, events.score**2], axis=1) for events in (one, many)]
    before = metrics.correlations(pairs[0], np.abs(one.weight), "ab")
    after = metrics.correlations(pairs[1], np.abs(many.weight), "ab", event_id=rows)
    for name in ("error", "mean_error", "variance_error"):
        np.testing.assert_allclose(getattr(after, name), getattr(before, name), rtol=1e-6, atol=1e-12)


def numbers(result):
    """All numbers of a result, flat."""
    parts = result.to_dict().values() if hasattr(result, "to_dict") else vars(result).values()
    return np.concatenate([np.ravel(np.asarray(part, dtype=np.float64)) for part in parts])


def test_sums_by_cluster_are_what_their_names_say():
    rng = np.random.default_rng(1)
    codes, bins, v, u = rng.integers(0, 40, 100), rng.integers(0, 5, 100), rng.normal(size=100), rng.normal(size=100)
    table = np.zeros((40, 5))
    np.add.at(table, (codes, bins), v)
    np.testing.assert_allclose(cluster_squares(v, bins, 5, codes), (table**2).sum(axis=0))
    single = np.zeros((100, 5))
    single[np.arange(100), bins] = v
    rows = np.arange(100)
    np.testing.assert_allclose(cluster_products(v, bins, 5, codes, rows), table.T @ table - single.T @ single)
    expected = np.bincount(codes, v) @ np.bincount(codes, u) - v @ u
    assert excess(v, u, codes) == pytest.approx(expected)
    assert excess(v, u, None) == 0.0
    squares, cross = nested_sums(v, codes)
    for stop in (1, 37, 100):
        kept = np.bincount(codes[:stop], v[:stop], 40)
        assert squares[stop - 1] == pytest.approx(kept @ kept)
        assert cross[stop - 1] == pytest.approx(kept @ np.bincount(codes, v, 40))


@pytest.mark.parametrize(("rows", "both"), [(2, False), (4, False), (3, True)])
def test_errors_of_candidates_cover(rows, both):
    rng, toys = np.random.default_rng(21), 150
    truth = norm.cdf(np.sqrt(0.5))
    inside = np.zeros((3, 2), int)
    rejected = 0
    for _ in range(toys):
        events = events_with_candidates(rng, 500, rows, both=both)
        area = metrics.auc_of(events).estimate()
        one, other = (
            metrics.log_loss_of(events.with_score(score)) for score in (events.score - 0.5, 1.4 * (events.score - 0.5))
        )
        loss, difference = one.estimate(), (one - other).estimate()
        pulls = [
            (estimate.value - known) / estimate.error
            for estimate, known in ((area, truth), (loss, LOSS), (difference, LOSS - TILTED))
        ]
        inside += [[abs(pull) < norm.isf(0.5 - 0.5 * level) for level in LEVELS] for pull in pulls]
        rejected += metrics.calibration_curve_of(response(events)).p_value < 0.05
    for row in inside:
        for count, level in zip(row, LEVELS, strict=True):
            low, high = binom.interval(0.999, toys, level)
            assert low <= count <= high, (inside, toys)
    assert rejected <= binom.ppf(0.999, toys, 0.05)


def loss_of(tilt):
    z = np.linspace(-9.0, 10.0, 20_001)
    terms = norm.pdf(z, 1.0) * np.logaddexp(0, tilt * (0.5 - z)) + norm.pdf(z) * np.logaddexp(0, tilt * (z - 0.5))
    return float(0.5 * terms.sum() * (z[1] - z[0]))


LOSS, TILTED = loss_of(1.0), loss_of(1.4)


def test_band_and_tests_know_candidates():
    rng, rejected, toys = np.random.default_rng(22), 0, 120
    one = events_with_candidates(rng, 600, 1)
    ids = np.repeat(np.arange(600), 4)
    four = metrics.scored_events(one.score[ids], one.code[ids], one.weight[ids], event_id=ids)
    bands = [metrics.roc_curve_of(events, points=30).band for events in (one, four)]
    assert np.median(bands[1][5:25] / bands[0][5:25]) == pytest.approx(1.0, abs=0.15)
    residuals = [residual_chi2(response(events), (events.score > 0.5).astype(int)) for events in (one, four)]
    assert residuals[1] == pytest.approx(residuals[0])
    for seed in range(toys):
        x, w, event = rng.normal(size=80), np.where(rng.random(80) < 0.1, -1.0, 1.0), np.repeat(np.arange(80), 3)
        first = event < 40
        parts = [x[event][first], w[event][first], x[event][~first], w[event][~first]]
        ids = {"event_id1": event[first], "event_id2": event[~first]}
        rejected += metrics.ks_two_sample(*parts, **ids, permutations=49, seed=seed).p_value <= 0.04
    assert rejected <= binom.ppf(0.999, toys, 0.04)


def test_rows_are_of_one_event_within_a_sample_and_where_samples_share_their_events():
    x, weight, label, ids = np.zeros((4, 1)), np.ones(4), [1, 1, 0, 0], [7, 8, 7, 9]
    together = EventTable.from_arrays(x, weight, label, event_id=ids)
    assert together.clusters().tolist() == [0, 1, 0, 2]
    apart = EventTable.from_arrays(x, weight, label, event_id=ids, sample=["a", "a", "b", "b"])
    assert apart.clusters() is None
    doubled = EventTable.concatenate([apart, apart])
    assert len(np.unique(doubled.clusters())) == 4
    assert EventTable.concatenate([together, together]).select(np.array([0, 2, 4])).clusters().tolist() == [0, 0, 0]
    assert EventTable.from_arrays(x, weight, label).clusters() is None


def test_an_evaluation_counts_events():
    rng = np.random.default_rng(23)
    label, x = rng.integers(0, 2, 1500), rng.normal(size=1500)
    weight, ids = np.where(rng.random(1500) < 0.2, -1.0, 1.0), np.arange(1500)
    tables = [
        EventTable.from_arrays(x[rows, None], weight[rows], label[rows], event_id=ids[rows])
        for rows in (ids, np.repeat(ids, 3))
    ]
    one, three = (evaluate(table, logit=table.features[:, 0] + table.label - 0.5) for table in tables)
    assert three.auc.error == pytest.approx(one.auc.error)
    assert three.loss.error == pytest.approx(one.loss.error)
    for before, after in zip(one.samples, three.samples, strict=True):
        assert after.n_eff == pytest.approx(before.n_eff)
        assert after.sum_weights.error == pytest.approx(3 * before.sum_weights.error)
        assert after.auc.error == pytest.approx(before.auc.error)
    assert np.asarray(three.response.variances()) == pytest.approx(9 * np.asarray(one.response.variances()))

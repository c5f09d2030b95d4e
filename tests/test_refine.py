"""Refined weights: non-negative, the same sums and shapes, honest about what they do not know."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2

from hepneg.errors import ConfigError, DataError, TrainingError
from hepneg.events import EventTable
from hepneg.signs.refinement import Refinement, refine

FAST = {"folds": 2, "network": {"hidden": [16, 16]}, "batch_size": 512}


def events_of(n: int, seed: int) -> EventTable:
    """One feature in [0, 1], the mean sign 0.1 + 0.8x for signal and 0.6 for background; a second one is noise."""
    rng = np.random.default_rng(seed)
    x, label = rng.random((n, 2)), np.arange(n) % 2
    sign = np.where(label == 1, 0.1 + 0.8 * x[:, 0], 0.6)
    weight = rng.uniform(0.5, 1.5, n) * np.where(rng.random(n) < 0.5 + 0.5 * sign, 1, -1)
    return EventTable.from_arrays(x, weight, label, feature_names=["x", "y"])


@pytest.fixture(scope="module")
def events() -> EventTable:
    return events_of(12_000, 0)


@pytest.fixture(scope="module")
def refinement(events: EventTable) -> Refinement:
    return refine(events, **FAST)


def test_weights_are_not_negative_and_keep_the_sums(events: EventTable, refinement: Refinement) -> None:
    weight = refinement.held_out_weight(events)
    assert (weight >= 0).all()
    for label in (0, 1):
        chosen = events.label == label
        assert weight[chosen].sum() == pytest.approx(events.weight[chosen].sum())


def test_the_closure_report_tells_agreement(refinement: Refinement) -> None:
    for closure in refinement.closure.values():
        for agreement in closure.features.values():
            assert agreement.chi2 < chi2.ppf(1 - 1e-4, agreement.ndf)
    report = refinement.to_dict()
    assert report["schema_version"] == 1
    assert report["samples"]["signal"]["label"] == "signal"
    assert set(report["samples"]["signal"]["features"]) == {"x", "y"}


def test_foreign_events_are_refined_as_the_truth_says(refinement: Refinement) -> None:
    foreign = events_of(8000, 1)
    weight = refinement.weight(foreign.features, foreign.weight, foreign.label)
    error = refinement.weight_error(foreign.features, foreign.weight, foreign.label)
    assert (weight >= 0).all()
    assert (error >= 0).all()
    signal = foreign.label == 1
    learnt = weight[signal] / np.abs(foreign.weight[signal])
    # 6000 events tell a mean sign in fifths of x to 1/√1200 = 0.03; 4.5 of these, and the smoothing at the ends.
    exact = 0.1 + 0.8 * foreign.features[signal, 0]
    for part in np.array_split(np.argsort(exact), 5):
        assert learnt[part].mean() == pytest.approx(exact[part].mean(), abs=4.5 * 0.03)


def test_the_same_seed_gives_the_same_weights(events: EventTable, refinement: Refinement) -> None:
    again = refine(events, **FAST)
    assert np.array_equal(again.held_out_weight(events), refinement.held_out_weight(events))
    other = refine(events, **FAST, seed=2)
    assert not np.array_equal(other.held_out_weight(events), refinement.held_out_weight(events))


def test_one_label_alone_can_be_refined(events: EventTable) -> None:
    signal = events.of_sample("signal")
    refinement = refine(signal, **FAST)
    assert refinement.held_out_weight(signal).sum() == pytest.approx(signal.weight.sum())
    with pytest.raises(DataError, match="the background has 0 samples"):
        refinement.weight(events.features, events.weight, events.label)


def test_samples_are_asked_for_where_a_label_has_several() -> None:
    table = events_of(1000, 2)
    sample = np.where(table.label == 1, "ttbar", np.where(np.arange(1000) % 4 == 0, "wjets", "zjets"))
    events = EventTable.from_arrays(table.features, table.weight, table.label, sample=sample)
    refinement = refine(events, **FAST, epochs=2)
    with pytest.raises(DataError, match="the background has 2 samples; say by `sample` which one each event is of"):
        refinement.weight(events.features, events.weight, events.label)
    assert (refinement.weight(events.features, events.weight, events.label, sample) >= 0).all()
    with pytest.raises(DataError, match="no refinement for sample 'wjet'; did you mean 'wjets'"):
        refinement.weight(events.features[:1], [1.0], [0], ["wjet"])


def test_unusable_calls_are_refused(events: EventTable, refinement: Refinement) -> None:
    with pytest.raises(ConfigError, match="unknown setting 'fold'"):
        refine(events, fold=3)
    for unused in ({"scheme": "signed"}, {"objective": "cross_entropy"}, {"activity": {"strength": 0.1}}):
        with pytest.raises(ConfigError, match="refine learns the mean sign alone: .* plays no part; known: folds, "):
            refine(events, **unused)
    for mistake in ({"members": 0}, {"members": True}, {"patience": 1.5}):
        with pytest.raises(ConfigError, match="refine: .* must be a whole number of at least 1"):
            refine(events, **mistake)
    with pytest.raises(DataError, match="there are no events to refine"):
        refine(events.select(np.zeros(0, dtype=np.int64)))
    other = EventTable.from_arrays(events.features, events.weight, events.label, feature_names=["x", "z"])
    with pytest.raises(DataError, match="the events have the features x, z, but the refinement takes x, y"):
        refinement.held_out_weight(other)
    assert "clipped: background" in repr(refinement)
    assert "<table>" in refinement._repr_html_()


def test_a_sample_in_one_fold_is_refused(events: EventTable) -> None:
    one_run = EventTable.from_arrays(
        events.features, events.weight, events.label, event_id=np.ones(len(events), dtype=np.int64)
    )
    with pytest.raises(TrainingError, match=r"events of sample 'background' are in one fold.*`event_id:`"):
        refine(one_run, **FAST)

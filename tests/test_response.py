"""Signed response histograms, their projections and ratios."""

from __future__ import annotations

import hist
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepneg.errors import DataError
from hepneg.evaluation.histograms import (
    bin_errors,
    count_negative_bins,
    net_over_positive,
    normalised,
    project,
    ratio,
    response_histogram,
)
from hepneg.events import EventTable


def table(n=2000, seed=1):
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 2, n)
    weight = np.where(rng.random(n) < 0.3, -1.0, 1.0) * rng.exponential(size=n)
    sample = np.where(label == 1, "ttbar", np.where(rng.random(n) < 0.5, "wjets", "zjets"))
    return EventTable.from_arrays(rng.normal(size=(n, 2)), weight, label, sample=sample)


EVENTS = table()
RESPONSE = np.random.default_rng(2).random(len(EVENTS))


def one_dimensional(values, variances):
    histogram = hist.Hist(hist.axis.Regular(len(values), 0, 1, name="response"), storage=hist.storage.Weight())
    view = histogram.view()
    view["value"], view["variance"] = values, variances
    return histogram


def test_contents_equal_an_ordinary_fill():
    histogram = response_histogram(RESPONSE, EVENTS, bins=25)
    filled = histogram.copy().reset()
    names = np.array(EVENTS.sample_names)[EVENTS.sample]
    filled.fill(names, np.where(EVENTS.weight < 0, "negative", "positive"), RESPONSE, weight=EVENTS.weight)
    np.testing.assert_allclose(histogram.values(), filled.values(), atol=1e-12)
    np.testing.assert_allclose(histogram.variances(), filled.variances(), atol=1e-12)
    assert histogram.axes.name == ("sample", "sign", "response")
    assert histogram.storage_type is hist.storage.Weight


def test_sums_are_those_of_the_signed_weights():
    histogram = response_histogram(RESPONSE, EVENTS)
    for name in EVENTS.sample_names:
        weight = EVENTS.of_sample(name).weight
        net, negative = project(histogram, name), project(histogram, name, "negative")
        assert net.values().sum() == pytest.approx(weight.sum())
        assert net.variances().sum() == pytest.approx(np.sum(weight**2))
        assert negative.values().sum() == pytest.approx(weight[weight < 0].sum())
        assert np.all(negative.values() <= 0)
    assert project(histogram).values().sum() == pytest.approx(EVENTS.weight.sum())
    both = project(histogram, ["wjets", "zjets"])
    assert both.values().sum() == pytest.approx(EVENTS.weight[EVENTS.label == 0].sum())


def test_nothing_is_lost_at_the_edges():
    events = EventTable.from_arrays(np.zeros((3, 1)), [1.0, 2.0, -4.0], [0, 1, 1])
    net = project(response_histogram([0.0, 1.0, 1.0], events, bins=2))
    np.testing.assert_allclose(net.values(), [1.0, -2.0])
    net = project(response_histogram([0.1, 0.7, 1.0], events, bins=[0.0, 0.2, 1.0]))
    np.testing.assert_allclose(net.values(), [1.0, -2.0])


@settings(deadline=None)
@given(st.integers(1, len(EVENTS) - 1))
def test_chunks_add_up_to_the_whole(cut):
    first = np.arange(len(EVENTS)) < cut
    whole = response_histogram(RESPONSE, EVENTS)
    parts = [response_histogram(RESPONSE[part], EVENTS.select(part)) for part in (first, ~first)]
    np.testing.assert_allclose((parts[0] + parts[1]).values(), whole.values(), atol=1e-10)
    np.testing.assert_allclose((parts[0] + parts[1]).variances(), whole.variances(), atol=1e-10)


def test_a_classifier_is_asked_for_its_held_out_response():
    class Classifier:
        def held_out_response(self, events):
            return np.full(len(events), 0.25)

    net = project(response_histogram(Classifier(), EVENTS, bins=4))
    assert np.flatnonzero(net.values()).tolist() == [1]


@pytest.mark.parametrize(
    ("response", "says"),
    [(RESPONSE[:-1], "1999 values are given for the response"), (RESPONSE * np.nan, "2000 NaN or infinite")],
)
def test_an_unusable_response_is_refused(response, says):
    with pytest.raises(DataError, match=says):
        response_histogram(response, EVENTS)


def test_normalising_keeps_the_sign_and_the_input():
    histogram = one_dimensional([-3.0, 1.0], [4.0, 1.0])
    scaled = normalised(histogram)
    np.testing.assert_allclose(scaled.values(), [-1.5, 0.5])
    np.testing.assert_allclose(bin_errors(scaled), [1.0, 0.5])
    np.testing.assert_allclose(histogram.values(), [-3.0, 1.0])
    empty = one_dimensional([0.0], [0.0])
    assert normalised(empty).values().tolist() == [0.0]


def test_negative_bins_are_counted():
    assert count_negative_bins(one_dimensional([-3.0, 0.0, 1.0, -1e-9], [1.0] * 4)) == 2


def test_ratios_are_masked_where_the_denominator_is_insignificant():
    top, bottom = one_dimensional([2.0, 1.0, 1.0], [0.04, 1.0, 0.0]), one_dimensional([4.0, 0.5, 0.0], [0.16, 1.0, 0.0])
    part = ratio(top, bottom)
    assert part.shown.tolist() == [True, False, False]
    assert np.isnan(part.value[1:]).all()
    assert part.value[0] == pytest.approx(0.5)
    # Both are known to 10 %: the ratio to √2 · 10 %.
    assert part.error[0] == pytest.approx(0.5 * 0.1 * np.sqrt(2))


def test_net_over_positive_is_one_minus_the_cancelled_share():
    histogram = response_histogram(RESPONSE, EVENTS, bins=5)
    part = net_over_positive(histogram, "ttbar")
    expected = project(histogram, "ttbar").values() / project(histogram, "ttbar", "positive").values()
    np.testing.assert_allclose(part.value, expected)

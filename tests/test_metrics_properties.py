"""What must not change a metric: how a weight is split, pairs that cancel, a common scale, the order of events."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hepneg import metrics

RELATIVE = 1e-8


@st.composite
def signed_events(draw):
    """Scores with ties and signed weights whose sums are far enough from 0 for rounding not to matter."""
    n = draw(st.integers(4, 40))
    score = np.array(draw(st.lists(st.integers(-20, 20), min_size=n, max_size=n))) / 4.0
    weight = np.array(draw(st.lists(st.floats(-1.0, 2.0).filter(lambda w: abs(w) > 1e-3), min_size=n, max_size=n)))
    label = np.array(draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)))
    for which in (0, 1):
        mine = weight[label == which]
        assume(mine.sum() > 0.1 * np.abs(mine).sum() > 0)
    return score, label, weight


def sigmoid(logit):
    return 1.0 / (1.0 + np.exp(-logit))


def values(score, label, weight):
    curve = metrics.roc_curve(score, label, weight, points=None)
    return np.concatenate(
        [
            [metrics.auc(score, label, weight).value],
            [metrics.log_loss(score, label, weight).value],
            [metrics.brier(sigmoid(score), label, weight).value],
            curve.signal_efficiency,
            curve.background_efficiency,
            [distance(score, label, weight)],
        ]
    )


def distance(score, label, weight):
    signal = label == 1
    return metrics.ks_two_sample(
        score[signal], weight[signal], score[~signal], weight[~signal], permutations=1
    ).distance


@settings(deadline=None)
@given(signed_events(), st.data())
def test_splitting_a_weight_changes_nothing(events, data):
    score, label, weight = events
    i, part = data.draw(st.integers(0, len(score) - 1)), data.draw(st.floats(-1.0, 2.0))
    split = np.append(weight, (1.0 - part) * weight[i])
    split[i] *= part
    np.testing.assert_allclose(
        values(np.append(score, score[i]), np.append(label, label[i]), split), values(*events), atol=RELATIVE
    )


@settings(deadline=None)
@given(signed_events(), st.data())
def test_a_cancelling_pair_at_one_score_changes_nothing(events, data):
    score, label, weight = events
    at, w = data.draw(st.sampled_from(sorted(set(score.tolist())))), data.draw(st.floats(0.01, 5.0))
    which = data.draw(st.integers(0, 1))
    paired = np.append(score, [at, at]), np.append(label, [which, which]), np.append(weight, [w, -w])
    np.testing.assert_allclose(values(*paired), values(*events), atol=RELATIVE)


@settings(deadline=None)
@given(signed_events(), st.floats(1e-3, 1e3))
def test_a_common_scale_changes_neither_value_nor_error(events, scale):
    score, label, weight = events
    np.testing.assert_allclose(values(score, label, scale * weight), values(*events), atol=RELATIVE)
    for metric in (metrics.auc, metrics.log_loss):
        assert metric(score, label, scale * weight).error == pytest.approx(metric(*events).error, rel=1e-6, abs=1e-9)


@settings(deadline=None)
@given(signed_events(), st.randoms(use_true_random=False))
def test_the_order_of_events_changes_nothing(events, random):
    order = list(range(len(events[0])))
    random.shuffle(order)
    shuffled = tuple(column[order] for column in events)
    np.testing.assert_allclose(values(*shuffled), values(*events), atol=RELATIVE)


@settings(deadline=None)
@given(signed_events())
def test_auc_is_the_sum_over_pairs(events):
    score, label, weight = events
    s1, w1, s0, w0 = score[label == 1], weight[label == 1], score[label == 0], weight[label == 0]
    kernel = (s1[:, None] > s0) + 0.5 * (s1[:, None] == s0)
    expected = w1 @ kernel @ w0 / (w1.sum() * w0.sum())
    assert metrics.auc(*events).value == pytest.approx(expected, abs=RELATIVE)


@settings(deadline=None)
@given(signed_events())
def test_contributions_are_derivatives_and_sum_to_zero(events):
    score, label, weight = events
    influences = (metrics.auc_influence, metrics.log_loss_influence)
    for influence in influences:
        result, step = influence(*events), 1e-5
        assert np.sum(result.contribution) == pytest.approx(0.0, abs=1e-8)
        up, down = weight.copy(), weight.copy()
        up[0], down[0] = weight[0] * (1.0 + step), weight[0] * (1.0 - step)
        slope = (influence(score, label, up).value - influence(score, label, down).value) / (2.0 * step)
        # Central differences are off by step²/6 times a third derivative, at most some 10³ times the value's scale as
        # the sums of weights are at least a tenth of Σ|w|; rounding adds 10⁻¹⁵ / step.
        scale = np.abs(result.contribution).max() + abs(result.value) + 1.0
        assert slope == pytest.approx(result.contribution[0], abs=1e-6 * scale)


@settings(deadline=None)
@given(signed_events())
def test_the_envelope_is_monotone_and_within_bounds(events):
    curve = metrics.roc_curve(*events, points=None).envelope()
    for efficiency in (curve.signal_efficiency, curve.background_efficiency):
        assert np.all(np.diff(efficiency) >= 0)
        assert efficiency[0] >= 0
        assert efficiency[-1] <= 1


FACES = {
    metrics.auc: lambda events: metrics.auc_of(events).estimate(),
    metrics.auc_interval: metrics.auc_interval_of,
    metrics.brier: lambda events: metrics.brier_of(events).estimate(),
    metrics.calibration_curve: metrics.calibration_curve_of,
    metrics.log_loss: lambda events: metrics.log_loss_of(events).estimate(),
    metrics.operating_point: metrics.operating_point_of,
    metrics.roc_curve: metrics.roc_curve_of,
    metrics.significance_scan: metrics.significance_scan_of,
}


@settings(deadline=None)
@given(signed_events(), st.data())
def test_scored_events_and_their_columns_give_the_same(events, data):
    score, label, weight = events
    scored = metrics.scored_events(score, label, weight)
    for metric, of_scored in FACES.items():
        assert of_scored(scored).to_dict() == metric(*events).to_dict()
    other = scored.with_score(sigmoid(score))
    assert metrics.brier_of(other).estimate() == metrics.brier(sigmoid(score), label, weight)
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=len(score), max_size=len(score))))
    assume(all(weight[mask & (label == code)].sum() > 0 for code in (0, 1)))
    part = scored.select(mask)
    for metric, of_scored in FACES.items():
        assert of_scored(part).to_dict() == metric(score[mask], label[mask], weight[mask]).to_dict()

"""The evaluation of a response, and what it writes."""

from __future__ import annotations

import json

import numpy as np
import pytest

from hepneg import metrics
from hepneg.errors import DataError, HepnegWarning
from hepneg.evaluation.evaluation import evaluate
from hepneg.events import EventTable
from hepneg.learning.history import EpochRecord, FoldHistory

HISTORY = FoldHistory(
    0, (EpochRecord(1, 0.6, 0.61, 0.01, 1e-3), EpochRecord(2, 0.5, 0.6, 0.01, 1e-3)), 2, "epochs", 1.0
)


def table(n=4000, seed=1, fraction=0.25):
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 2, n)
    sample = np.where(label == 1, "ttbar", np.where(rng.random(n) < 0.5, "wjets", "zjets"))
    weight = np.where(rng.random(n) < fraction, -1.0, 1.0)
    ids = rng.permutation(n).astype(np.uint64) + np.uint64(2**60)
    return EventTable.from_arrays(rng.normal(label, 1.0)[:, None], weight, label, sample=sample, event_id=ids)


EVENTS = table()
LOGIT = EVENTS.features[:, 0].astype(float) - 0.5


class Trained:
    """What an evaluation asks a classifier for."""

    task, scheme, chosen, reason, seed, histories = "classification", "auto", "signed", "because", 1, (HISTORY,)
    classes = ("background", "signal")

    def held_out_logit(self, events):
        return events.features[:, 0].astype(float) - 0.5

    trained_logit = held_out_logit

    @property
    def training(self):
        return {"objective": {"name": "cross_entropy"}}

    def uncalibrated_logit(self, events, held_out):
        return 1.1 * held_out


@pytest.fixture(scope="module")
def result():
    return evaluate(Trained(), EVENTS)


def test_metrics_json_holds_the_contract(result):
    content = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert content["schema_version"] == 1
    assert (content["scheme"], content["chosen"], content["reason"]) == ("auto", "signed", "because")
    for name, metric in (("auc", metrics.auc), ("loss", metrics.log_loss)):
        expected = metric(LOGIT, EVENTS.label, EVENTS.weight)
        assert content[name] == pytest.approx(expected.value)
        assert content[f"{name}_error"] == pytest.approx(expected.error)
    assert set(content["samples"]) == {"ttbar", "wjets", "zjets"}
    assert len(content["roc"]["threshold"]) <= 201
    assert content["roc"]["threshold"][0] is None
    assert content["histories"][0]["epochs"][1]["validation_loss"] == 0.6
    assert set(content["overtraining"]) == {"signal", "background"}


def test_rows_of_the_samples(result):
    for row in result.samples:
        mine = EVENTS.of_sample(row.sample)
        assert row.entries == len(mine)
        assert row.sum_weights.value == pytest.approx(mine.weight.sum())
        assert row.sum_weights.error == pytest.approx(np.sqrt(np.sum(mine.weight**2)))
        assert row.negative_fraction == pytest.approx(np.mean(mine.weight < 0))
        assert row.n_eff == pytest.approx(mine.weight.sum() ** 2 / len(mine))
    assert result.samples[0].auc == result.auc
    assert [row.label for row in result.samples] == ["signal", "background", "background"]
    chosen = (EVENTS.sample == 1) | (EVENTS.label == 1)
    expected = metrics.auc(LOGIT[chosen], EVENTS.label[chosen], EVENTS.weight[chosen])
    assert result.samples[1].auc == expected


def test_response_histograms_hold_every_signed_weight(result):
    content, histograms = result.to_dict()["response"], result.histograms()
    for name in EVENTS.sample_names:
        weight = EVENTS.of_sample(name).weight
        assert sum(content[name]["values"]) == pytest.approx(weight.sum())
        assert sum(content[name]["negative"]["values"]) == pytest.approx(weight[weight < 0].sum())
        net, table = histograms[f"response_{name}"], histograms["response_by_sample"]
        assert net.values().sum() == pytest.approx(weight.sum())
        assert net.variances().sum() == pytest.approx(np.sum(weight**2))
        number = list(EVENTS.sample_names).index(name)
        np.testing.assert_allclose(table.values()[:, number], net.values())
        np.testing.assert_allclose(table.variances()[:, number], net.variances())
    assert list(histograms["response_by_sample"].axes["of_sample"]) == list(EVENTS.sample_names)


def test_overtraining_halves_are_disjoint_and_complete(result):
    for label, code in (("signal", 1), ("background", 0)):
        part = result.overtraining[label]
        mine = EVENTS.weight[EVENTS.label == code]
        entries = part.held_out.variances().sum() + part.trained.variances().sum()
        assert entries == pytest.approx(np.sum(mine**2))
        # Half of the events each, within four standard deviations of a fair coin.
        assert part.held_out.variances().sum() == pytest.approx(len(mine) / 2, abs=4 * np.sqrt(len(mine)) / 2)


def test_overtraining_is_seen(result):
    assert min(part.test.p_value for part in result.overtraining.values()) > 0.002
    sharper = LOGIT + 1.0 * (2 * EVENTS.label - 1)
    again = evaluate(EVENTS, logit=LOGIT, trained_logit=sharper)
    for part in again.overtraining.values():
        assert part.test.p_value == pytest.approx(1 / (part.test.permutations + 1))


def test_the_same_events_in_another_order_give_the_same_result(result):
    order = np.random.default_rng(3).permutation(len(EVENTS))
    again = evaluate(Trained(), EVENTS.select(order))
    assert again.auc.value == pytest.approx(result.auc.value, abs=1e-12)
    for label, part in result.overtraining.items():
        assert again.overtraining[label].test.distance == pytest.approx(part.test.distance, abs=1e-12)


def test_the_same_seed_gives_the_same_result(result):
    again = evaluate(Trained(), EVENTS)
    assert again.to_dict() == result.to_dict()


def test_without_trained_responses_there_is_no_overtraining_test():
    result = evaluate(EVENTS, logit=LOGIT)
    assert result.overtraining == {}
    assert not any("trained" in name for name in result.histograms())


def test_a_sample_that_sums_to_less_than_nothing_has_no_auc():
    weight = np.where(EVENTS.sample == 2, -0.1, np.abs(EVENTS.weight))
    events = EventTable.from_arrays(
        EVENTS.features, weight, EVENTS.label, sample=np.array(EVENTS.sample_names)[EVENTS.sample]
    )
    result = evaluate(events, logit=LOGIT)
    assert np.isnan(result.samples[2].auc.value)
    assert result.samples[2].negative_bins > 0
    assert result.to_dict()["samples"]["zjets"]["auc"] is None


def test_it_reads_well(result):
    assert repr(result).startswith("Evaluation(auto: signed; AUC 0.")
    assert "<td>zjets</td>" in result._repr_html_()


def test_extreme_logits_stay_in_the_histogram():
    logit = np.where(EVENTS.label == 1, 800.0, -800.0)
    content = evaluate(EVENTS, logit=logit).to_dict()
    assert sum(content["response"]["ttbar"]["values"]) == pytest.approx(EVENTS.of_sample("ttbar").weight.sum())
    assert content["auc"] == pytest.approx(1.0)


def test_scores_from_elsewhere_give_what_the_model_gives(result):
    own = evaluate(EVENTS, logit=LOGIT, trained_logit=LOGIT, scheme="auto").to_dict()
    expected = result.to_dict()
    for key in ("auc", "loss", "brier", "samples", "roc", "calibration", "significance", "response", "overtraining"):
        assert own[key] == expected[key]
    response = evaluate(EVENTS, response=1 / (1 + np.exp(-LOGIT)))
    assert response.loss.value == pytest.approx(result.loss.value, rel=1e-12)
    assert response.brier.value == pytest.approx(result.brier.value, rel=1e-12)
    assert (response.auc, response.scheme) == (result.auc, "external")


@pytest.mark.parametrize(("dtype", "step"), [(np.float32, 2.0**-24), (np.float64, 2.0**-53)])
def test_responses_of_exactly_0_and_1_are_moved_inwards_and_counted(dtype, step):
    label = np.array([0, 1, 0, 1, 0, 1])
    events = EventTable.from_arrays(np.zeros((6, 1)), np.ones(6), label)
    response = np.array([0.0, 1.0, 1.0, 0.5, 0.5, 0.5], dtype)
    with pytest.warns(HepnegWarning, match="3 of 6 responses are exactly 0 or 1") as warned:
        found = evaluate(events, response=response)
    assert warned[0].filename == __file__
    # The background event at 1 costs log(1/step) nats, the others next to nothing or log 2.
    losses = np.array([0.0, 0.0, -np.log(step), np.log(2), np.log(2), np.log(2)])
    assert found.loss.value == pytest.approx(0.5 * (losses[label == 1].mean() + losses[label == 0].mean()), rel=1e-6)
    assert found.auc == metrics.auc(response, label, np.ones(6))


def test_a_response_below_the_step_stays_above_exact_zeros():
    events = EventTable.from_arrays(np.zeros((4, 1)), np.ones(4), [0, 0, 1, 1])
    with pytest.warns(HepnegWarning, match="1 of 4"):
        found = evaluate(events, response=[0.0, 1e-30, 1e-20, 0.5])
    assert found.auc.value == 1.0


def test_log_odds_and_probabilities_are_told_apart():
    with pytest.raises(DataError, match=r"responses lie outside \[0, 1\], from -.* to .*: give log-odds as logit="):
        evaluate(EVENTS, response=LOGIT)
    with pytest.warns(HepnegWarning, match=r"all log-odds lie in \[.*\], as probabilities do"):
        evaluate(EVENTS, logit=1 / (1 + np.exp(-LOGIT)))
    assert evaluate(EVENTS, logit=np.zeros(len(EVENTS))).loss.value == pytest.approx(
        np.log(2)
    )  # knows nothing: no warning


@pytest.mark.parametrize(
    ("arguments", "scores"),
    [
        ((EVENTS,), {}),
        ((EVENTS,), {"logit": LOGIT, "response": LOGIT}),
        ((EVENTS, LOGIT), {}),
        ((Trained(),), {}),
        ((Trained(), EVENTS), {"logit": LOGIT}),
    ],
)
def test_it_takes_a_model_or_one_score(arguments, scores):
    with pytest.raises(DataError, match="events"):
        evaluate(*arguments, **scores)


@pytest.mark.parametrize("name", ["logit", "response", "prediction"])
def test_unusable_scores_are_refused(name):
    target = EventTable.from_arrays(EVENTS.features, EVENTS.weight, EVENTS.label, target=LOGIT)
    half = np.full(len(EVENTS), 0.5)
    with pytest.raises(DataError, match="3999 values are given for the .*, but there are 4000 events"):
        evaluate(target, **{name: half[:-1]})
    half[0] = np.nan
    with pytest.raises(DataError, match="1 NaN or infinite values in the .*, at entry 0"):
        evaluate(target, **{name: half})

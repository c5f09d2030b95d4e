"""What objectives, output ranges and activity regularisation do to a training."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ctrl_c import CtrlCAfter
from hypothesis import given, settings
from hypothesis import strategies as st

from hepneg.config import Activity, Output, Training
from hepneg.errors import ConfigError, HepnegWarning, TrainingError
from hepneg.events import EventTable
from hepneg.learning.activity import ActivityLoss
from hepneg.losses.running_rates import LARGEST_RATE, RunningPrice, RunningRates
from hepneg.metrics import auc, operating_point
from hepneg.models.classifier import Classifier
from hepneg.models.training import train
from hepneg.networks.inference import network_logits
from hepneg.networks.output_range import OutputRange, bounded, response_range
from hepneg.networks.perceptron import Perceptron
from hepneg.networks.response_network import ResponseNetwork
from hepneg.objectives.balanced_cross_entropy import BalancedCrossEntropy
from hepneg.objectives.label_loss import LabelLoss
from hepneg.objectives.response_preference import ResponsePreference
from hepneg.objectives.rows import label_loss

FAST: dict[str, Any] = {"folds": 2, "epochs": 3, "batch_size": 128, "network": {"hidden": [8]}}
ASSEMBLED = ("factorised", "combined", "auto", "mixture", "signed_target")
WISHES: tuple[dict[str, Any], ...] = (
    {"objective": "balanced_cross_entropy"},
    {"objective": {"name": "response_preference", "share": 0.3}},
    {"network": {"hidden": [8], "output": {"low": 0.1, "high": 0.9}}},
    {"activity": {"strength": 0.1}},
)


def toy(seed: int = 0, n: int = 1200, f: float = 0.2, width: float = 1.0) -> EventTable:
    """Two labels that differ in mean and, if asked, in width, so that plain training is not balanced."""
    rng = np.random.default_rng(seed)
    label = np.arange(n) % 2
    features = rng.normal(size=(n, 2)) * np.where(label == 1, width, 1.0)[:, None] + label[:, None]
    weight = np.where(rng.random(n) < f, -1.0, 1.0)
    return EventTable.from_arrays(features, weight, label)


def untrained(output: OutputRange | None = None, seed: int = 1) -> ResponseNetwork:
    """A network with two inputs whose last layer is random too."""
    network = ResponseNetwork(Perceptron((8,), "tanh"), 2, None, output)
    generator = torch.Generator().manual_seed(seed)
    network.initialise(generator, np.array([[1, 1], [-1, -1]], np.float32))  # mean 0 and standard deviation 1
    with torch.no_grad():
        network.body.layers[-1].weight.normal_(0, 3, generator=generator)
    return network


def rows_of(events: EventTable) -> torch.Tensor:
    columns = np.column_stack([events.features, events.label, events.weight])
    return torch.from_numpy(columns.astype(np.float32))


sums = st.floats(-3, 3, width=32)


@given(batches=st.lists(st.tuples(sums, sums), max_size=30), strength=st.floats(0.01, 1.0))
def test_running_rates_stay_rates_whatever_the_signed_sums(batches: list[tuple[float, float]], strength: float) -> None:
    rates = RunningRates(1, strength)
    for part, whole in batches:
        rates.update(*torch.tensor([[part], [whole], [abs(whole)]]))
        assert abs(float(rates.rates[0]) - 0.5) <= LARGEST_RATE - 0.5 + 1e-6


def test_at_the_start_all_batches_count_alike_and_so_does_one_of_a_half() -> None:
    rates = RunningRates(1, 0.25)
    assert float(rates.rates[0]) == 0.5
    for number, mean in ((1, (0.5 + 0.8) / 2), (2, (0.5 + 1.6) / 3), (3, (0.5 + 2.4) / 4)):
        rates.update(*torch.tensor([[0.8], [1.0], [1.0]]))
        assert float(rates.rates[0]) == pytest.approx(mean)
        assert float(rates.started) == 0 or number == 4
    rates.update(*torch.tensor([[0.8], [1.0], [1.0]]))
    assert float(rates.rates[0]) == pytest.approx(0.75 * (0.5 + 2.4) / 4 + 0.25 * 0.8)
    assert float(rates.started) == 1


def test_a_batch_without_weight_holds_the_rate() -> None:
    rates = RunningRates(1, 1.0)
    rates.update(*torch.tensor([[0.8], [1.0], [1.0]]))
    held = float(rates.rates[0])
    assert not rates.update(*torch.tensor([[-0.7], [-3.0], [3.0]]))
    assert float(rates.rates[0]) == held


def test_a_price_follows_its_error_up_to_its_limit() -> None:
    price = RunningPrice(0.5, 2.0)
    price.update(torch.tensor(1.0))
    assert float(price.value) == 0.5
    price.update(torch.tensor(-100.0))
    assert float(price.value) == -2.0


@pytest.mark.parametrize("objective", [BalancedCrossEntropy(), ResponsePreference(share=0.9)])
def test_start_up_is_plain_cross_entropy(objective: BalancedCrossEntropy | ResponsePreference) -> None:
    network, rows, loss = untrained(), rows_of(toy()), objective.make_loss()
    batches = round(1 / objective.filter_strength)
    with torch.no_grad():
        losses = [float(loss(network, rows)) for _ in range(batches)]
        assert losses == pytest.approx([float(label_loss(network, rows))] * batches, rel=1e-6)
    assert float(loss.event_loss.price.value) != 0  # set by the batch that filled the filter


def test_prices_turn_towards_the_error_that_is_too_frequent() -> None:
    network, rows = untrained(), rows_of(toy())
    network.shift(2.0)  # nearly everything is called signal
    loss = BalancedCrossEntropy(filter_strength=0.5).make_loss()
    for _ in range(20):
        loss(network, rows)
    assert float(loss.event_loss.price.value) < 0  # false positives have become dearer
    costs = [2 * torch.sigmoid(sign * loss.event_loss.price.value) for sign in (1, -1)]
    assert float(sum(costs)) == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("wish", "found"),
    [
        ({}, lambda point: point.ratio.value / 1.0),
        ({"ratio": 0.7}, lambda point: point.ratio.value / 0.7),
        ({"sensitivity": 0.9}, lambda point: point.sensitivity.value / 0.9),
        ({"specificity": 0.6}, lambda point: point.specificity.value / 0.6),
    ],
)
@pytest.mark.parametrize("output", [None, OutputRange("sigmoid", 0.3, 0.9)])
def test_settling_meets_the_operating_point_on_the_events_it_is_given(
    wish: dict[str, float], found: Any, output: OutputRange | None
) -> None:
    network, events = untrained(output), toy(3, n=4000)
    BalancedCrossEntropy(**wish).make_loss().settle(network, events, events.weight)
    point = operating_point(network_logits(network, events.features), events.label, events.weight, 0.0)
    # One event moves a rate by 1 / Σw of its label, about 1/1200; a ratio of rates near ½ by no more than four times
    # that.
    assert found(point) == pytest.approx(1.0, abs=4 / 1200)


def test_an_operating_point_outside_the_range_of_the_output_is_refused() -> None:
    network = {"hidden": [8], "output": {"low": 0.6, "high": 0.9}}
    with pytest.raises(TrainingError, match=r"operating point at response 0.5, which network.output \[0.6, 0.9\]"):
        train(toy(), "signed", **{**FAST, "network": network, "objective": "balanced_cross_entropy"})


def test_balanced_training_meets_the_ratio_on_fresh_events_where_plain_training_does_not() -> None:
    events, fresh = toy(1, n=12_000, width=0.5), toy(2, n=40_000, width=0.5)
    ratios = {}
    for objective in ("cross_entropy", "balanced_cross_entropy"):
        classifier = train(events, "signed", objective=objective, **{**FAST, "epochs": 12})
        ratios[objective] = operating_point(classifier.logit(fresh.features), fresh.label, fresh.weight, 0.0).ratio
    # The bias is set on 1200 events of each label and fold, Σw = 0.6·1200 = 720, each rate known to √(1200·0.16)/720.
    rate_error = math.sqrt(1200 * 0.16) / 720
    allowed = 3 * math.hypot(math.sqrt(2) * rate_error / 0.8, ratios["balanced_cross_entropy"].error)
    assert abs(ratios["balanced_cross_entropy"].value - 1) < allowed
    assert ratios["cross_entropy"].value - 1 > allowed


@pytest.mark.parametrize("scheme", ["absolute", "positive", "signed", "paired", "refined"])
@pytest.mark.parametrize("wish", WISHES)
def test_every_wish_goes_with_schemes_of_one_network(scheme: str, wish: dict[str, Any]) -> None:
    events = toy()
    chosen = {**FAST, "epochs": 2, **wish}
    classifier, again = (train(events, scheme, **chosen) for _ in range(2))
    assert np.array_equal(classifier.held_out_logit(events), again.held_out_logit(events))
    area = auc(classifier.held_out_logit(events), events.label, events.weight)
    assert area.value > 0.5 + 3 * area.error


@pytest.mark.parametrize("scheme", ASSEMBLED)
@pytest.mark.parametrize("wish", WISHES)
def test_schemes_without_a_network_for_the_response_refuse_wishes_for_it(scheme: str, wish: dict[str, Any]) -> None:
    with pytest.raises(TrainingError, match=f"shapes a network .* scheme '{scheme}' has none: take the scheme refined"):
        train(toy(), scheme, **{**FAST, **wish})


@pytest.mark.parametrize("wish", [{**WISHES[0], **WISHES[3]}, WISHES[1]])
def test_a_training_with_a_running_state_resumes_bit_for_bit(tmp_path: Path, wish: dict[str, Any]) -> None:
    events, chosen = toy(), {**FAST, "epochs": 12, "patience": 12, **wish}
    whole = train(events, "signed", **chosen)
    with pytest.raises(KeyboardInterrupt):  # after start-up, which takes 20 batches of 4 an epoch and fold
        train(events, "signed", progress=CtrlCAfter(15), checkpoint=tmp_path, **chosen)
    resumed = train(events, "signed", checkpoint=tmp_path, **chosen)
    assert [history.epochs for history in resumed.histories] == [history.epochs for history in whole.histories]
    np.testing.assert_array_equal(resumed.held_out_logit(events), whole.held_out_logit(events))


def test_a_preferred_share_is_met_where_plain_training_misses_it() -> None:
    events = toy(1, n=12_000)
    fresh = toy(2, n=20_000)
    shares = {}
    for name in ("cross_entropy", "response_preference"):
        wish = {"name": name, "share": 0.5, "low": 0.8} if name == "response_preference" else name
        chosen = {**FAST, "batch_size": 256, "epochs": 30, "objective": wish, "network": {"hidden": [16]}}
        logits = [network_logits(one, fresh.features) for one in train(events, "absolute", **chosen).networks]
        inside = [logit >= math.log(4) for logit in logits]
        shares[name] = [float(fresh.weight @ one / fresh.weight.sum()) for one in inside]
    # The epoch is chosen on 1200 events, Σw = 720 (√(1200·¼)/720 = 0.024), and the price follows the share of batches
    # of 256 over some 20 batches.
    for share in shares["response_preference"]:
        assert share == pytest.approx(0.5, abs=3 * 0.024)
    assert max(shares["cross_entropy"]) < 0.5 - 4 * 0.024


def test_a_preference_is_given_up_where_it_costs_more_than_its_price() -> None:
    events = toy(1, n=4000)
    wish = {"name": "response_preference", "share": 1.0, "low": 0.9, "price": 0.05}
    with pytest.warns(HepnegWarning, match="of the held-out events has a response"):
        classifier = train(events, "absolute", **{**FAST, "epochs": 10, "objective": wish})
    share = float((classifier.logit(events.features) > math.log(9)).mean())
    assert share < 0.5  # all events above 0.9 would cost over a nat


def test_the_validation_loss_of_a_preference_adds_the_price_of_the_missed_share() -> None:
    network, events = untrained(), toy()
    loss = ResponsePreference(share=0.9, price=3.0, filter_strength=0.5).make_loss()
    plain = LabelLoss().validation_loss(events, events.weight)(network).value
    priced = loss.validation_loss(events, events.weight)
    assert priced(network).value == pytest.approx(plain + 3.0)  # during start-up all of it counts as missed
    for _ in range(3):
        loss(network, rows_of(events))
    inside = network_logits(network, events.features) >= 0
    shares = [
        events.weight[(events.label == code) & inside].sum() / events.weight[events.label == code].sum()
        for code in (0, 1)
    ]
    assert priced(network).value == pytest.approx(plain + 3.0 * abs(0.9 - np.mean(shares)), rel=1e-6)


@settings(max_examples=50)
@given(
    value=st.floats(-1e6, 1e6, width=32),
    activation=st.sampled_from(["sigmoid", "tanh", "clipped"]),
    low=st.floats(0.01, 0.49),
    width=st.floats(0.01, 0.5),
)
def test_outputs_never_leave_their_range(value: float, activation: str, low: float, width: float) -> None:
    output = float(bounded(torch.tensor(value), OutputRange(activation, low, low + width)))
    assert low - 1e-6 <= output <= low + width + 1e-6


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "clipped"])
def test_a_bounded_response_survives_saving(tmp_path: Path, activation: str) -> None:
    events = toy()
    network = {"hidden": [8, 8], "activation": "clipped", "output": {"activation": activation, "low": 0.3, "high": 0.7}}
    classifier = train(events, "signed", **{**FAST, "epochs": 10, "learning_rate": 0.03, "network": network})
    response = classifier.response(100 * events.features)
    assert response.min() >= 0.3 - 1e-6
    assert response.max() <= 0.7 + 1e-6
    assert np.ptp(response) > 0.3
    loaded = Classifier.load(classifier.save(tmp_path / "model"))
    assert np.array_equal(loaded.logit(events.features), classifier.logit(events.features))


def test_a_bounded_response_reaches_onnx(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    from hepneg.models.onnx import mean_graph, onnx_output

    events = toy()
    network = {"hidden": [8], "output": {"activation": "clipped", "low": 0.3, "high": 0.7}}
    classifier = train(events, "signed", **{**FAST, "network": network})
    logit = onnx_output(mean_graph(classifier))(events.features)
    assert logit == pytest.approx(classifier.logit(events.features), abs=1e-5)


@pytest.mark.parametrize(("low", "high"), [(0.0, 0.9), (0.1, 1.0), (0.0, 1.0)])
def test_a_response_cannot_be_given_a_range_that_ends_at_zero_or_one(low: float, high: float) -> None:
    with pytest.raises(ConfigError, match=r"training.network.output: a response lies between 0 and 1"):
        response_range(Output(low=low, high=high))


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"network": {"output": {"low": 0.9, "high": 0.1}}}, "low must be below high, not 0.9 and 0.1"),
        ({"activity": {"strength": -0.1}}, "rewards activity without end under 'silu'; take a bounded"),
        ({"activity": {"strength": 0.1, "layers": [4]}}, "there is no hidden layer 4: the network has 3"),
        ({"activity": {"strength": 0.1, "units": [64]}}, "hidden layer 1 has no unit 64: it has 64"),
        ({"activity": {"strenght": 0.1}}, "unknown setting 'activity.strenght'; did you mean 'strength'"),
    ],
)
def test_wishes_that_cannot_be_are_refused(chosen: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Training.of(**chosen)


def test_activity_is_the_mean_of_the_chosen_units() -> None:
    network, rows = untrained(), rows_of(toy())
    activity = Activity(strength=0.3, power=2, layers=(1,), units=(0, 5))
    with torch.no_grad():
        active = torch.nn.Sequential(network.body.scaling, *list(network.body.layers)[:2])(rows[:, :2])[:, [0, 5]]
        expected = label_loss(network, rows) + 0.3 * (active**2).mean(dim=1).sum()
        found = ActivityLoss(LabelLoss(), activity)(network, rows)
    assert float(found) == pytest.approx(float(expected), rel=1e-6)


def test_a_price_calms_the_units_and_a_reward_stirs_them() -> None:
    events, mean = toy(n=3000), {}
    for strength in (-0.2, 0.2):
        network = {"hidden": [16], "activation": "tanh"}
        chosen = {**FAST, "epochs": 15, "network": network, "activity": {"strength": strength}, "calibration": "none"}
        trained = train(events, "absolute", **chosen).networks[0]
        first = torch.nn.Sequential(trained.body.scaling, *list(trained.body.layers)[:2])
        mean[strength] = float(np.abs(network_logits(first, events.features)).mean())
    assert mean[0.2] < mean[-0.2]

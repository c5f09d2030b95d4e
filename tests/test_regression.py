"""Regressions: what they learn where the truth is known, their bounds, their files, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ctrl_c import CtrlCAfter
from hypothesis import given, settings
from hypothesis import strategies as st

import hepneg
from hepneg import Classifier, EventTable, Regressor, load_model, train_regressor
from hepneg.errors import ConfigError, DataError, HepnegWarning, TrainingError
from hepneg.losses import HuberLoss, LogCoshLoss, QuantileLoss, ReciprocalLoss, SignedSquaredLoss, SquaredLoss
from hepneg.metrics import bias, paired_difference, squared_error_influence
from hepneg.networks.perceptron import Perceptron
from hepneg.networks.regression_network import (
    RegressionNetwork,
    TargetScaling,
    central_quantile,
)
from hepneg.objectives import make_objective, objective_names
from hepneg.schemes import scheme_names

FAST: dict[str, Any] = {"folds": 2, "epochs": 4, "batch_size": 64, "learning_rate": 0.01, "network": {"hidden": [8, 8]}}
OBJECTIVES = objective_names("regression")


def toy(n: int = 1200, seed: int = 0, *, signed: bool = True, shift: float = -1.0) -> EventTable:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2))
    target = 100 * (x[:, 0] + shift + 0.3 * rng.normal(size=n))
    weight = np.where(rng.random(n) < 0.2, -1.0, 1.0) if signed else np.ones(n)
    return EventTable.from_arrays(x, weight, target=target)


def with_grades(events: EventTable) -> EventTable:
    grade = np.where(np.arange(len(events)) % 5 == 0, -1.0, 1.0)
    return EventTable.from_arrays(events.features, events.weight, target=events.target, grade=grade)


@pytest.mark.parametrize(
    ("scheme", "objective"),
    [("refined", name) for name in OBJECTIVES] + [(name, "squared") for name in ("absolute", "positive", "signed")],
)
def test_each_objective_predicts_and_is_the_same_again_for_a_seed(scheme: str, objective: str) -> None:
    events = toy()
    first, again = (train_regressor(events, scheme, objective=objective, **FAST) for _ in range(2))
    prediction = first.held_out_prediction(events)
    assert np.array_equal(prediction, again.held_out_prediction(events))
    assert first.objective == objective
    target = events.required_target()
    constant = np.full(len(events), target.mean())
    gain = paired_difference(squared_error_influence, constant, prediction, target, events.weight)
    assert gain.value > 5 * gain.error
    assert prediction.min() < 0  # negative targets are as natural as positive ones


def test_the_unit_of_the_target_does_not_matter() -> None:
    events = toy()
    scaled = EventTable.from_arrays(events.features, events.weight, target=events.required_target() * 1024 + 2**20)
    plain, other = (train_regressor(table, "refined", **FAST) for table in (events, scaled))
    np.testing.assert_allclose(
        other.held_out_prediction(scaled), plain.held_out_prediction(events) * 1024 + 2**20, rtol=1e-3
    )


def test_refined_weights_see_the_target() -> None:
    """Half of the upper of two solutions cancels: under |w| the mean is biased, under refined weights it is not."""
    rng = np.random.default_rng(5)
    n = 6000
    upper = rng.random(n) < 0.5
    target = np.where(upper, 1.0, -1.0) + 0.2 * rng.normal(size=n)
    weight = np.where(upper & (rng.random(n) < 0.4), -1.0, 1.0)
    events = EventTable.from_arrays(rng.normal(size=(n, 1)), weight, target=target)
    exact = (0.5 * 0.2 - 0.5) / (0.5 * 0.2 + 0.5)
    settings = {**FAST, "epochs": 25}
    refined, absolute = (train_regressor(events, name, **settings) for name in ("refined", "absolute"))
    error = bias(np.full(n, exact), target, weight).error
    assert abs(refined.held_out_prediction(events).mean() - exact) < 4 * error
    assert absolute.held_out_prediction(events).mean() - exact > 10 * error


def test_counter_examples_take_back_the_mistakes_they_stand_for() -> None:
    rng = np.random.default_rng(6)
    n = 4000
    kind = rng.random(n)
    grade, wrong = np.where(kind < 0.2, -1.0, 1.0), kind < 0.4
    x = rng.normal(size=(n, 1))
    target = x[:, 0] + np.where(wrong, 2.0, 0.0) + 0.3 * rng.normal(size=n)
    events = EventTable.from_arrays(x, np.ones(n), target=target, grade=grade)
    kept = EventTable.from_arrays(x[grade > 0], np.ones((grade > 0).sum()), target=target[grade > 0])
    settings = {**FAST, "epochs": 15}
    dropped = np.mean(train_regressor(kept, "absolute", **settings).prediction(x) - x[:, 0])
    for objective in ("signed_squared", "reciprocal"):
        regressor = train_regressor(events, "absolute", objective=objective, **settings)
        assert abs(np.mean(regressor.prediction(x) - x[:, 0])) < 0.8 * abs(dropped)
        low, high = regressor.bounds or (np.nan, np.nan)
        far = regressor.prediction(100 * x)
        assert low <= far.min() < far.max() <= high
        right = target[grade > 0]
        assert low >= right.min() - 1.1 * right.std()
        assert high <= right.max() + 1.1 * right.std()


residuals = st.floats(-30, 30)


@given(residuals, st.floats(0.1, 5), st.floats(-1, -0.01))
@settings(deadline=None)
def test_the_pull_of_counter_examples_is_bounded_as_stated(r: float, scale: float, strength: float) -> None:
    for terms, bound in (
        (SignedSquaredLoss(scale).terms, 0.858 * scale),
        (ReciprocalLoss(scale).terms, 0.65 * scale**-1.5),
    ):
        p = torch.tensor([[r]], dtype=torch.float64, requires_grad=True)
        value = terms(p, torch.zeros(1, dtype=torch.float64), torch.tensor([strength], dtype=torch.float64))
        value.sum().backward()
        assert float(value.detach()) >= 0
        assert abs(float(p.grad)) <= bound * abs(strength) * (1 + 1e-9)
        assert float(p.grad) * r <= 0  # it repels


@given(residuals, st.floats(0.1, 5))
@settings(deadline=None)
def test_objectives_are_what_their_formulas_say(r: float, scale: float) -> None:
    p, t, v = torch.tensor([[0.0]], dtype=torch.float64), torch.tensor([r], dtype=torch.float64), torch.ones(1).double()
    assert float(SquaredLoss().terms(p, t, v)) == pytest.approx(r * r)
    expected = 0.5 * r * r if abs(r) <= scale else scale * (abs(r) - 0.5 * scale)
    assert float(HuberLoss(scale).terms(p, t, v)) == pytest.approx(expected)
    assert float(LogCoshLoss(scale).terms(p, t, v)) == pytest.approx(
        scale**2 * (np.logaddexp(r / scale, -r / scale) - np.log(2)), abs=1e-12
    )
    assert float(QuantileLoss((0.3,), ordered=True).terms(p[:, None], t, v)) == pytest.approx(max(0.3 * r, -0.7 * r))
    assert float(SignedSquaredLoss(scale).terms(p, t, v)) == pytest.approx(r * r)


@given(st.integers(0, 2**31), st.lists(st.floats(0.01, 0.99), min_size=1, max_size=6, unique=True).map(sorted))
@settings(deadline=None, max_examples=40)
def test_quantiles_never_cross(seed: int, probabilities: list[float]) -> None:
    network = RegressionNetwork(Perceptron((8,)), 3, tuple(probabilities))
    generator = torch.Generator().manual_seed(seed)
    for parameter in network.parameters():
        parameter.data.normal_(0.0, 3.0, generator=generator)
    outputs = network(torch.randn(50, 3, generator=generator))
    assert outputs.shape == (50, len(probabilities))
    assert bool((outputs.diff(dim=1) >= 0).all())


def test_quantiles_are_learnt_and_named() -> None:
    events = toy(3000)
    regressor = train_regressor(events, "refined", objective="quantile", **{**FAST, "epochs": 20})
    outputs, target, w = regressor.held_out_quantiles(events), events.required_target(), events.weight
    assert regressor.quantiles == (0.16, 0.5, 0.84)
    assert np.array_equal(outputs[:, 1], regressor.held_out_prediction(events))
    assert list(regressor.columns(outputs)) == ["hepneg_prediction", "hepneg_q0p16", "hepneg_q0p5", "hepneg_q0p84"]
    for q, column in zip(regressor.quantiles, outputs.T, strict=True):
        share = w[target < column].sum() / w.sum()
        assert abs(share - q) < 0.06
    assert central_quantile((0.05, 0.4, 0.9)) == 1


def test_a_model_comes_back_as_what_it_is(tmp_path: Path) -> None:
    events = toy()
    regressor = train_regressor(events, "signed", objective="huber", **FAST)
    back = load_model(regressor.save(tmp_path / "model"))
    assert isinstance(back, Regressor)
    assert np.array_equal(back.prediction(events.features), regressor.prediction(events.features))
    assert (back.objective, back.bounds) == (regressor.objective, regressor.bounds)
    assert "Regressor(scheme='signed'" in repr(back)
    with pytest.raises(DataError, match="is for regression: a classifier cannot be loaded"):
        Classifier.load(tmp_path / "model")
    with pytest.raises(ConfigError, match="was trained for huber, not for quantiles"):
        back.held_out_quantiles(events)
    with pytest.raises(DataError, match="the regressor takes"):
        back.prediction(np.zeros((1, 7)))
    labelled = EventTable.from_arrays(events.features, events.weight, np.arange(len(events)) % 2)
    classifier = hepneg.train(labelled, "absolute", **FAST)
    assert isinstance(load_model(classifier.save(tmp_path / "other")), Classifier)


def test_an_interrupted_regression_resumes_bit_for_bit(tmp_path: Path) -> None:
    events = toy()
    whole = train_regressor(events, "refined", **FAST)
    with pytest.raises(KeyboardInterrupt):
        train_regressor(events, "refined", checkpoint=tmp_path, progress=CtrlCAfter(3), **FAST)
    resumed = train_regressor(events, "refined", checkpoint=tmp_path, **FAST)
    assert np.array_equal(whole.held_out_prediction(events), resumed.held_out_prediction(events))


def test_outputs_keep_their_range() -> None:
    events = toy(shift=0.0)
    ranged = {**FAST, "network": {"hidden": [8], "output": {"activation": "clipped", "low": -50, "high": 80}}}
    prediction = train_regressor(events, "refined", **ranged).prediction(10 * events.features)
    assert prediction.min() >= -50.001
    assert prediction.max() <= 80.001
    positive = EventTable.from_arrays(events.features, events.weight, target=abs(events.required_target()))
    network = {"hidden": [8], "output": "relu"}
    assert train_regressor(positive, "refined", **{**FAST, "network": network}).prediction(events.features).min() >= 0
    with pytest.raises(TrainingError, match="relu, which gives nothing below 0, but the target goes down to -"):
        train_regressor(events, "refined", **{**FAST, "network": network})
    with pytest.raises(TrainingError, match="wants bounded predictions"):
        train_regressor(positive, "signed", **{**FAST, "network": network})


def test_activity_can_be_priced() -> None:
    events = toy()
    network = {"hidden": [8], "activation": "tanh"}
    plain, quiet = (
        train_regressor(events, "absolute", **{**FAST, "epochs": 12, "network": network}, activity=activity)
        for activity in (None, {"strength": 100.0})
    )
    assert quiet.held_out_prediction(events).std() < plain.held_out_prediction(events).std()


def test_scales_do_not_divide_by_zero() -> None:
    assert TargetScaling.of(np.full((3, 1), 7.0)) == TargetScaling((7.0,), (1.0,), (7.0,), (7.0,))
    constant = EventTable.from_arrays(np.zeros((200, 1)), np.ones(200), target=np.full(200, 7.0))
    assert train_regressor(constant, "absolute", **FAST).prediction([[0.0]]) == pytest.approx(7.0)


@pytest.mark.parametrize(
    ("events", "settings", "error", "message"),
    [
        (
            toy(40),
            {"scheme": "combined"},
            ConfigError,
            "scheme 'combined' is not for a regression; take one of absolute",
        ),
        (
            toy(40),
            {"objective": "cross_entropy"},
            ConfigError,
            "is for classification; for regression there are: squared",
        ),
        (with_grades(toy(40)), {"objective": "squared"}, ConfigError, "does not use `grade:`"),
        (toy(40), {"objective": {"name": "quantile", "quantiles": [0.5, 0.2]}}, ConfigError, "must increase"),
        (toy(40), {"objective": {"name": "huber", "delta": -1}}, ConfigError, "delta must be positive and finite"),
        (EventTable.from_arrays([[0.0]], [1.0], [1]), {}, DataError, "the events have no target"),
        (
            EventTable.from_arrays(np.zeros((40, 1)), np.tile([1.0, -1.0], 20), target=np.zeros(40)),
            {},
            TrainingError,
            "the weights of the events sum to 0",
        ),
    ],
)
def test_what_cannot_be_learnt_is_refused(
    events: EventTable, settings: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        train_regressor(events, **{**FAST, **settings})


def test_classifications_and_regressions_do_not_share_objectives() -> None:
    events = EventTable.from_arrays(np.zeros((40, 1)), np.ones(40), np.arange(40) % 2)
    with pytest.raises(ConfigError, match="'squared' is for regression"):
        hepneg.train(events, "absolute", objective="squared", **FAST)
    with pytest.raises(ConfigError, match="relu is for regressions"):
        hepneg.train(events, "absolute", **{**FAST, "network": {"hidden": [4], "output": "relu"}})
    assert {make_objective(name).task for name in OBJECTIVES} == {"regression"}
    assert "refined" in scheme_names()


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"target": [np.nan, 0.0]}, "1 NaN or infinite values in 'target', at entry 0"),
        ({"target": [0.0]}, r"target has shape \(1,\), but there are 2 events"),
        ({"target": [0.0, 1.0], "grade": [0.0, 1.5]}, r"1 grades lie outside \[-1, 1\], at entry 1"),
        ({"grade": [0.0, 1.0]}, "grades say how right targets are, but there is no target"),
        ({}, "give a label for each event, or, for a regression, a target"),
    ],
)
def test_unusable_targets_are_refused(columns: dict[str, list[float]], message: str) -> None:
    label = [0, 1] if "grade" in columns and "target" not in columns else None
    with pytest.raises(DataError, match=message):
        EventTable.from_arrays([[0.0], [1.0]], [1.0, 1.0], label, **columns)


def test_tables_carry_the_target_along() -> None:
    events = with_grades(toy(30))
    assert events.sample_names == ("events",)
    part = events.select(np.arange(30) < 10)
    joined = EventTable.concatenate([part, events.select(np.arange(30) >= 10)])
    assert np.array_equal(joined.required_target(), events.required_target())
    assert np.array_equal(joined.grade, events.grade)
    assert not joined.required_target().flags.writeable
    assert events.with_target_as_feature().feature_names == ("x0", "x1", "(target)", "(grade)")
    with pytest.raises(DataError, match="only some of the tables to join have target"):
        EventTable.concatenate([part, EventTable.from_arrays([[0.0, 0.0]], [1.0], [1])])


def test_a_signed_loss_that_runs_away_is_told() -> None:
    rng = np.random.default_rng(8)
    weight = np.where(rng.random(600) < 0.35, -1.0, 1.0)
    events = EventTable.from_arrays(rng.normal(size=(600, 6)), weight, target=rng.normal(size=600))
    settings = {**FAST, "epochs": 40, "patience": 40, "network": {"hidden": [64, 64]}}
    with pytest.warns(HepnegWarning, match="the signed loss ran away"):
        regressor = train_regressor(events, "signed", **settings)
    low, high = regressor.bounds or (np.nan, np.nan)
    assert low <= regressor.prediction(events.features).min() <= regressor.prediction(events.features).max() <= high

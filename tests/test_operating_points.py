"""Single neurons, outputs on other scales, thresholds, and what an objective followed and met."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import toy_columns

import hepneg
from hepneg import EventTable, evaluate, export_onnx, load_model, workflow
from hepneg.config import Config
from hepneg.errors import ConfigError, DataError, TrainingError
from hepneg.learning.history import EpochRecord, FoldHistory
from hepneg.metrics import operating_point
from hepneg.networks.calibrated_network import CalibratedNetwork
from hepneg.plots import plot_running_rates
from hepneg.report import build_page, load_results

FAST: dict[str, Any] = {"folds": 2, "epochs": 4, "batch_size": 128, "seed": 1}
SCHEMES = ("absolute", "positive", "signed", "paired", "refined", "factorised", "combined", "mixture", "signed_target")


def toy(n: int = 2000, seed: int = 0) -> EventTable:
    rng = np.random.default_rng(seed)
    label = np.arange(n) % 2
    x = rng.normal(size=(n, 3)) + label[:, None] * np.array([1.0, 0.0, -0.5])
    weight = np.where(rng.random(n) < 0.2, -1.0, 1.0)
    return EventTable.from_arrays(x, weight, label, event_id=np.arange(n))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_single_neuron_is_a_network_of_every_scheme(scheme: str, tmp_path: Path) -> None:
    events = toy()
    model = hepneg.train(events, scheme, network={"hidden": []}, **FAST)
    assert evaluate(model, events).auc.value > 0.7
    back = load_model(model.save(tmp_path / "model"))
    assert np.array_equal(back.output(events.features), model.output(events.features))


@pytest.mark.parametrize("network", [{"hidden": []}, {"name": "tabular", "hidden": [], "bins": 0}])
def test_a_single_neuron_is_linear_in_what_it_is_given(network: dict[str, Any], tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    events = toy()
    model = hepneg.train(events, "absolute", network=network, calibration="none", **FAST)
    path = export_onnx(model, tmp_path / "model.onnx")
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (logit,) = session.run(["logit"], {"features": events.features})
    np.testing.assert_allclose(logit, model.logit(events.features), rtol=1e-5, atol=1e-5)
    if "name" not in network:
        x = events.features[:50]
        middle = 0.5 * (model.logit(x) + model.logit(-x))
        np.testing.assert_allclose(middle, model.logit(np.zeros((1, 3)))[0], atol=1e-5)


def test_there_is_no_activity_without_hidden_units() -> None:
    with pytest.raises(ConfigError, match="network.hidden is empty"):
        hepneg.train(toy(100), "absolute", network={"hidden": []}, activity={"strength": 0.1}, **FAST)


def test_an_output_from_minus_one_to_one_is_the_response_stretched(tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    events = toy()
    scale = {"output": {"activation": "tanh", "low": -1.0, "high": 1.0}}
    plain, scaled = (
        hepneg.train(events, "combined", network={"hidden": [8], **output}, **FAST) for output in ({}, scale)
    )
    assert (plain.scale, scaled.scale) == (None, (-1.0, 1.0))
    response = plain.response(events.features)
    assert np.array_equal(response, scaled.response(events.features))  # calibrated too: it is a probability
    columns = scaled.columns(scaled.output(events.features))
    assert np.array_equal(columns["hepneg_output"], 2 * response - 1)
    assert list(plain.columns(plain.output(events.features))) == ["hepneg_response", "hepneg_logit"]
    session = runtime.InferenceSession(export_onnx(scaled, tmp_path / "model.onnx"), providers=["CPUExecutionProvider"])
    (output,) = session.run(["output"], {"features": events.features})
    np.testing.assert_allclose(output, 2 * response - 1, atol=1e-5)
    assert load_model(scaled.save(tmp_path / "model")).columns(np.zeros(1))["hepneg_output"].tolist() == [0.0]


def test_a_clipped_output_on_a_scale_reaches_its_ends() -> None:
    events = toy()
    network = {"hidden": [8], "output": {"activation": "clipped", "low": -1.0, "high": 1.0}}
    model = hepneg.train(events, "absolute", network=network, **{**FAST, "learning_rate": 0.02})
    output = model.scaled(model.held_out_response(events))
    assert output.min() == pytest.approx(-1.0, abs=1e-4)
    assert output.max() == pytest.approx(1.0, abs=1e-4)
    with pytest.raises(TrainingError, match=r"network.output shapes a network"):
        hepneg.train(events, "combined", network=network, **FAST)


def test_the_ends_of_the_response_are_still_refused() -> None:
    with pytest.raises(ConfigError, match="or reach beyond for another scale"):
        hepneg.train(toy(100), "absolute", network={"output": {"low": 0.0, "high": 0.9}}, **FAST)


def test_an_operating_point_is_met_at_any_threshold() -> None:
    """Output ½ on [−1, 1] is response 0.75: signal and background are as often right there, on held-out events."""
    events = toy(6000)
    objective = {"name": "balanced_cross_entropy", "ratio": 1.0, "threshold": 0.75}
    network = {"hidden": [8], "output": {"activation": "tanh", "low": -1.0, "high": 1.0}}
    model = hepneg.train(events, "absolute", objective=objective, network=network, **{**FAST, "epochs": 8})
    evaluation = evaluate(model, events)
    point = evaluation.operating_point
    assert point is not None
    assert point.threshold == 0.75
    assert abs(point.ratio.value - 1) < 4 * point.ratio.error
    by_output = operating_point(model.scaled(model.held_out_response(events)), events.label, events.weight, 0.5)
    assert by_output.sensitivity == point.sensitivity
    with pytest.raises(ConfigError, match="threshold must be between 0 and 1"):
        hepneg.train(events, "absolute", objective={**objective, "threshold": 1.0}, **FAST)
    with pytest.raises(TrainingError, match=r"operating point at response 0.75, which network.output \[0.1, 0.7\]"):
        hepneg.train(events, "absolute", objective=objective, network={"output": {"low": 0.1, "high": 0.7}}, **FAST)


def test_the_history_holds_what_the_objective_followed() -> None:
    events = toy()
    plain, balanced = (
        hepneg.train(events, "absolute", objective=name, network={"hidden": [8]}, **FAST)
        for name in ("cross_entropy", "balanced_cross_entropy")
    )
    assert "running" not in plain.histories[0].to_dict()["epochs"][0]
    record = balanced.histories[0].epochs[-1]
    assert set(record.running) == {"sensitivity", "specificity", "price"}
    assert FoldHistory.from_dict(balanced.histories[0].to_dict()).epochs == balanced.histories[0].epochs
    drawn = plot_running_rates(balanced.histories)
    assert len(drawn.artists["fold 0"]) == 5  # two rates, their best epochs, the price
    with pytest.raises(DataError, match="the histories hold no running rates"):
        plot_running_rates(plain.histories)
    assert EpochRecord(1, 0.5, 0.5, 0.0, 1e-3).running == {}


def configuration(**objective: Any) -> dict[str, Any]:
    return {
        "name": "shares",
        "weight": "genWeight",
        "event_id": "event",
        "samples": {
            "signal": {"label": "signal", "files": "signal.root"},
            "background": {"label": "background", "files": "background.root"},
        },
        "features": ["x0", "x1"],
        "training": {
            **FAST,
            "scheme": "absolute",
            "network": {"hidden": [8]},
            "objective": {"name": "response_preference", "share": 0.7, **objective},
        },
    }


@pytest.mark.filterwarnings("ignore:response_preference")  # so few events may miss it by more than 0.02
def test_shares_and_rates_are_in_the_results(tmp_path: Path, write_ntuple: Callable[..., Path]) -> None:
    for name, shift in (("signal", 1.0), ("background", 0.0)):
        table = toy_columns(1500, shift, 5 + int(shift))
        del table["jet_pt"]
        write_ntuple(tmp_path / f"{name}.root", table)
    config = Config.from_dict(configuration(space={"x0": [-1, 0, 1, 2], "x1": [-1, 0, 1]}), tmp_path)
    done = workflow.train(config)
    workflow.plot(config)
    metrics = json.loads((config.output / "metrics.json").read_text())
    events, combinations = metrics["shares"]
    assert abs(events["share"] - 0.7) < 4 * events["share_error"]
    assert (combinations["of"], combinations["share_error"]) == ("combinations", 0.0)
    model = done.result.model
    points = np.array([[a, b] for a in (-1, 0, 1, 2) for b in (-1, 0, 1)], float)
    assert combinations["share"] == np.mean(model.logit(points) >= 0)
    assert 0 < metrics["operating_point"]["sensitivity"] <= 1
    assert set(metrics["histories"][0]["epochs"][0]["running"]) == {"share", "price"}
    assert (config.output / "plots" / "running_rates.png").exists()
    page = build_page(load_results(config)).html
    assert "share of combinations with a response in [0.5, 1]" in page
    assert "What the objective followed" in page


def test_many_combinations_are_drawn_and_spaces_are_checked() -> None:
    rng = np.random.default_rng(1)
    x = rng.choice([-1.0, 0.0, 1.0], (1500, 12))
    label = (rng.random(1500) < 1 / (1 + np.exp(-x[:, 0] - x[:, 1]))).astype(int)
    events = EventTable.from_arrays(x, np.ones(1500), label, event_id=np.arange(1500))
    objective = {"name": "response_preference", "share": 0.6, "space": [-1, 0, 1]}
    model = hepneg.train(events, "absolute", objective=objective, network={"hidden": [8]}, **FAST)
    _, row = evaluate(model, events).shares
    assert 0 < row.share.error < 0.002
    assert abs(row.share.value - np.mean(model.logit(rng.choice([-1.0, 0.0, 1.0], (50_000, 12))) >= 0)) < 0.02
    for space, message in (({"x0": [1]}, "no values for the feature 'x1'"), ({"x00": [1]}, "no feature 'x00'")):
        other = hepneg.train(
            events, "absolute", objective={**objective, "space": space}, network={"hidden": [8]}, **FAST
        )
        with pytest.raises(DataError, match=message):
            evaluate(other, events)
    for space in ([], "all", {"x0": ["a"]}):
        with pytest.raises(ConfigError, match="space must be a list of numbers"):
            hepneg.train(events, "absolute", objective={**objective, "space": space}, **FAST)


def test_the_share_of_events_that_no_network_has_seen_is_met() -> None:
    """The mean of the networks: splines before it would leave events on both sides of the threshold."""
    rng = np.random.default_rng(3)
    label = np.arange(4000) % 2
    x = rng.normal(size=(4000, 4)) + 0.7 * label[:, None]
    events = EventTable.from_arrays(x, np.ones(4000), label, event_id=np.arange(4000))
    objective = {"name": "response_preference", "share": 0.8}
    model = hepneg.train(events, "absolute", objective=objective, network={"hidden": [32]}, **{**FAST, "folds": 4})
    label = np.arange(20_000) % 2
    there = rng.normal(size=(20_000, 4)) + 0.7 * label[:, None]
    assert abs(np.mean(model.response(there) > 0.5) - 0.8) < 0.02
    back = CalibratedNetwork.from_dict(model.networks[0].parameters_to_dict())
    assert back.common is not None

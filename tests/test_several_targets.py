"""Regressions of several targets, grades as distances, and small samples on which a straight line is right."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import uproot
from conftest import toy_columns

from hepneg import (
    EventTable,
    Regressor,
    SeveralTargets,
    evaluate,
    export_onnx,
    grade_of_distance,
    load_model,
    read,
    train_regressor,
    workflow,
)
from hepneg.cli.show import show_evaluation
from hepneg.config import Config
from hepneg.errors import ConfigError, DataError
from hepneg.friends import apply_model
from hepneg.losses import QuantileLoss, ReciprocalLoss, SignedSquaredLoss
from hepneg.metrics import residual_correlation
from hepneg.networks.linear_path import LinearPath

FAST: dict[str, Any] = {"folds": 2, "epochs": 6, "batch_size": 64, "network": {"hidden": [8]}}
RHO = 0.6


def toy(n: int = 1500, seed: int = 1) -> EventTable:
    """Two targets of very different units whose noises go together with the correlation RHO."""
    rng = np.random.default_rng(seed)
    x, noise = rng.normal(size=(n, 2)), rng.normal(size=(n, 2))
    noise[:, 1] = RHO * noise[:, 0] + np.sqrt(1 - RHO**2) * noise[:, 1]
    target = np.column_stack([x[:, 0] + noise[:, 0], 1000 * (x[:, 1] - x[:, 0] + 0.5 * noise[:, 1])])
    weight = np.where(rng.random(n) < 0.2, -1.0, 1.0)
    return EventTable.from_arrays(x, weight, target=target, target_names=["a", "b"], event_id=np.arange(n))


def test_each_target_is_predicted_and_their_residuals_correlate() -> None:
    events = toy()
    regressor = train_regressor(events, "refined", **FAST)
    assert regressor.target_names == ("a", "b")
    assert regressor.prediction(events.features).shape == (1500, 2)
    evaluation = evaluate(regressor, events)
    assert isinstance(evaluation, SeveralTargets)
    for part, width in zip(evaluation.targets.values(), (1.0, 500.0), strict=True):
        assert abs(part.resolution.value - width) < 4 * part.resolution.error + 0.05 * width
        assert abs(part.bias.value) < 4 * part.bias.error
    (pair,) = evaluation.correlations
    assert (pair.first, pair.second) == ("a", "b")
    assert abs(pair.correlation.value - RHO) < 4 * pair.correlation.error + 0.03
    assert evaluation.to_dict()["targets"]["b"]["bias"] == evaluation.targets["b"].bias.value
    assert "a with b" in evaluation._repr_html_()
    again = evaluate(events, prediction=regressor.held_out_prediction(events))
    assert again.to_dict()["targets"] == {
        name: {**part, "scheme": "external", "objective": "external"}
        for name, part in evaluation.to_dict()["targets"].items()
    }


def test_quantiles_of_several_targets_never_cross_and_come_back(tmp_path: Path) -> None:
    events = toy()
    regressor = train_regressor(events, "refined", objective="quantile", **FAST)
    quantiles = regressor.held_out_quantiles(events)
    assert quantiles.shape == (1500, 2, 3)
    assert (np.diff(quantiles, axis=2) >= 0).all()
    assert np.array_equal(quantiles[:, :, 1], regressor.held_out_prediction(events))
    columns = regressor.columns(regressor.output_of_fold(events))
    assert list(columns) == [
        f"hepneg_{kind}_{name}" for name in "ab" for kind in ("prediction", "q0p16", "q0p5", "q0p84")
    ]
    assert np.array_equal(columns["hepneg_q0p84_b"], quantiles[:, 1, 2])
    back = load_model(regressor.save(tmp_path / "model"))
    assert isinstance(back, Regressor)
    assert (back.target_names, back.inputs.targets) == (("a", "b"), {"a": "a", "b": "b"})
    assert np.array_equal(back.prediction(events.features), regressor.prediction(events.features))
    below = evaluate(regressor, events).to_dict()["targets"]["b"]["quantiles"]
    assert [row["probability"] for row in below] == [0.16, 0.5, 0.84]


def test_bounds_are_those_of_each_target() -> None:
    events = toy(400)
    low, high = train_regressor(events, "signed", **FAST).bounds or (np.nan, np.nan)
    spread = events.targets().std(axis=0)
    assert (low < events.targets().min(axis=0) - 0.8 * spread).all()
    assert (high < events.targets().max(axis=0) + 1.2 * spread).all()


def test_a_counter_example_is_wrong_as_a_whole() -> None:
    """Far away in one target it no longer pulls in the other; of two quantile losses the sum counts."""
    near, far = (torch.tensor([[0.1, shift]], requires_grad=True) for shift in (0.1, 30.0))
    for loss in (SignedSquaredLoss(1.0), ReciprocalLoss(0.3)):
        pulls = []
        for p in (near, far):
            (grad,) = torch.autograd.grad(loss(p, torch.zeros(1, 2), -torch.ones(1)), p)
            pulls.append(abs(float(grad[0, 0])))
        assert pulls[1] < 1e-3 * pulls[0]
    both = torch.randn(5, 2, 3, generator=torch.Generator().manual_seed(1))
    loss, t, w = QuantileLoss(), torch.zeros(5, 2), torch.ones(5)
    parts = sum(loss(both[:, number], t[:, number], w) for number in (0, 1))
    assert float(loss(both, t, w)) == pytest.approx(float(parts), rel=1e-6)


def test_errors_of_correlations_cover() -> None:
    rng, inside = np.random.default_rng(3), 0
    for _ in range(400):
        n = rng.poisson(600)
        z = rng.normal(size=(2, n))
        w = np.where(rng.random(n) < 0.2, -1.0, 1.0)
        found = residual_correlation(z[0], RHO * z[0] + np.sqrt(1 - RHO**2) * z[1], w)
        inside += abs(found.value - RHO) < found.error
    assert abs(inside / 400 - 0.683) < 4 * np.sqrt(0.683 * 0.317 / 400)


def test_a_correlation_without_a_positive_variance_is_undefined() -> None:
    r, w = np.array([0.0, 0.0, 5.0, -5.0]), np.array([3.0, 3.0, -1.0, -1.0])
    assert np.isnan(residual_correlation(r, r, w).value)
    with pytest.raises(DataError, match="there is no mean"):
        residual_correlation(r, r, -w)


def configuration(**changes: Any) -> dict[str, Any]:
    training = {"folds": 2, "epochs": 2, "network": {"hidden": [8]}, "batch_size": 128}
    data: dict[str, Any] = {
        "name": "momenta",
        "task": "regression",
        "target": [{"px": "truth"}, {"py": "2 * other"}],
        "weight": "genWeight",
        "event_id": "event",
        "samples": {"mc": {"files": "mc.root"}},
        "features": ["x0", "x1"],
        "training": training,
    }
    return data | changes


def columns() -> dict[str, Any]:
    table = toy_columns(900, 0.0, 7)
    del table["jet_pt"]
    rng = np.random.default_rng(7)
    table["truth"], table["other"] = (10 * (table[name] + 0.3 * rng.normal(size=900)) for name in ("x0", "x1"))
    table["missed_by"] = np.where(np.arange(900) % 5 == 0, 30.0, 0.0)
    return table


def test_the_main_job_with_several_targets(
    tmp_path: Path, write_ntuple: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    write_ntuple(tmp_path / "mc.root", columns())
    config = Config.from_dict(configuration(), tmp_path)
    assert Config.from_dict(config.to_dict()).target == config.target
    done = workflow.run(config)
    evaluation = done.result.trained.evaluation
    show_evaluation(evaluation)
    assert "bias of py" in " ".join(capsys.readouterr().out.split())
    metrics = json.loads((config.output / "metrics.json").read_text())
    assert list(metrics["targets"]) == ["px", "py"]
    assert metrics["correlations"][0]["correlation_error"] > 0
    figures = {path.stem for path in (config.output / "plots").glob("*.png")}
    assert {"residuals_px", "response_matrix_py", "residual_correlations", "learning_curves"} <= figures
    with uproot.open(config.output / "histograms.root") as file:
        assert {"residual_mc_px;1", "matrix_py;1"} <= set(file.keys())
    page = (config.output / "report.html").read_text()
    assert "Target px" in page
    assert "Correlation of the residuals" in page
    assert "resolution of py" in page
    apply_model(config.output / "model", [tmp_path / "mc.root"], tmp_path / "friends")
    with uproot.open(tmp_path / "friends" / "mc.hepneg.root") as file:
        written = file["hepneg"].arrays(library="np")
    model = done.result.trained.model
    assert isinstance(model, Regressor)
    predicted = model.held_out_prediction(read(config))
    for name, column in zip(("px", "py"), predicted.T, strict=True):
        np.testing.assert_allclose(written[f"hepneg_prediction_{name}"], column, rtol=1e-5, atol=1e-4)
    other = Config.from_dict(configuration(target=[{"px": "truth"}, {"py": "other"}]), tmp_path)
    with pytest.raises(DataError, match="the target was 'truth', '2 \\* other' in the training"):
        workflow.plot(other)


def test_onnx_gives_a_column_for_each_target(tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    events = toy(300)
    for objective in ("squared", "quantile"):
        regressor = train_regressor(events, "absolute", objective=objective, **FAST | {"epochs": 1})
        path = export_onnx(regressor, tmp_path / f"{objective}.onnx")
        session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
        prediction, outputs = session.run(["prediction", "outputs"], {"features": events.features})
        np.testing.assert_allclose(prediction, regressor.prediction(events.features), rtol=1e-5, atol=1e-3)
        np.testing.assert_allclose(outputs, regressor.output(events.features), rtol=1e-5, atol=1e-3)


def test_grades_follow_from_distances(tmp_path: Path, write_ntuple: Callable[..., Path]) -> None:
    assert grade_of_distance([0.0, 5.0, -5.0, 1e300], 5.0).tolist() == [1.0, 0.0, 0.0, -1.0]
    with pytest.raises(DataError, match="the reach of a grade must be positive"):
        grade_of_distance([1.0], 0.0)
    write_ntuple(tmp_path / "mc.root", columns())
    training = configuration()["training"] | {"objective": "signed_squared"}
    given = {"distance": "missed_by", "reach": 10.0}
    config = Config.from_dict(configuration(grade=given, training=training), tmp_path)
    assert Config.from_dict(config.to_dict(), tmp_path).grade == config.grade
    assert sorted(set(np.asarray(read(config).grade))) == pytest.approx([-0.8, 1.0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"target": ["truth", "truth"]}, "target 'truth' is listed twice"),
        ({"target": ["truth", "2 * other"]}, "target '2 \\* other' needs a name"),
        ({"target": {"px": "truth", "p.y": "other"}}, "target 'p.y' needs a name"),
        ({"target": [{"px": "truth +"}]}, "target.0.expression"),
        ({"target": []}, "'target' is missing"),
        ({"grade": {"distance": "missed_by"}, "training": {"objective": "reciprocal"}}, "`distance:` and `reach:`"),
        ({"grade": {"distance": "x", "reach": -1}, "training": {"objective": "reciprocal"}}, "grade.reach"),
        ({"grade": {"distanz": "x", "reach": 1}, "training": {"objective": "reciprocal"}}, "did you mean 'distance'"),
    ],
)
def test_unusable_targets_and_grades_are_one_clear_line(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as refused:
        Config.from_dict(configuration(**changes))
    assert "\n" not in str(refused.value)


def test_tables_of_several_targets_are_checked() -> None:
    events = toy(30)
    assert events.select(np.arange(30) < 3).targets().shape == (3, 2)
    assert EventTable.concatenate([events, events]).target_names == ("a", "b")
    assert events.with_target_as_feature().feature_names[-2:] == ("(a)", "(b)")
    assert np.array_equal(events.of_target(1).required_target(), events.targets()[:, 1])
    make = EventTable.from_arrays
    assert make([[0.0], [1.0]], [1, 1], target=[[1], [2]]).required_target().shape == (2,)
    with pytest.raises(DataError, match="there are 2 targets, but their names are: a, a"):
        make([[0.0]], [1], target=[[1, 2]], target_names=["a", "a"])
    with pytest.raises(DataError, match="1 NaN or infinite values in 'target target1'"):
        make([[0.0]], [1], target=[[1, np.inf]])
    with pytest.raises(DataError, match="have different targets"):
        EventTable.concatenate([events, make(events.features, events.weight, target=events.targets())])
    with pytest.raises(DataError, match=r"the predictions have shape \(30,\), but the events have 2 targets"):
        evaluate(events, prediction=np.zeros(30))
    with pytest.raises(DataError, match="the events have 1 targets, but the regressor predicts 2"):
        evaluate(train_regressor(toy(200), "absolute", **FAST), toy(200).of_target(0))


def test_a_thousand_events_on_a_line_are_fitted_as_least_squares_would() -> None:
    """Root mean square over eight toys; the spread of such a ratio over groups of eight is some 8 %."""
    errors = []
    for seed in range(8):
        rng = np.random.default_rng([9, seed])
        x, u = rng.normal(size=(1000, 5)), rng.normal(size=5)
        t, w = x @ u + rng.normal(size=1000), np.where(rng.random(1000) < 0.2, -1.0, 1.0)
        events = EventTable.from_arrays(x, w, target=t, event_id=np.arange(1000))
        design, there = np.column_stack([np.ones(1000), x]), rng.normal(size=(2000, 5))
        line = np.linalg.solve(design.T @ (w[:, None] * design), design.T @ (w * t))
        found = train_regressor(events, "refined", folds=2).prediction(there)
        errors.append([np.mean((found - there @ u) ** 2), np.mean((line[0] + there @ (line[1:] - u)) ** 2)])
    network, least_squares = np.sqrt(np.mean(errors, axis=0))
    assert network < 1.15 * least_squares


def test_the_line_leaves_out_what_signed_weights_do_not_determine() -> None:
    rng = np.random.default_rng(2)
    x, w = rng.normal(size=(400, 3)).astype(np.float32), np.ones(400)
    t = (x @ np.array([1.0, -2.0, 0.0]) + 3.0)[:, None]
    exact = LinearPath(3, 1)
    exact.fit(x, t, w)
    np.testing.assert_allclose(exact(torch.from_numpy(x)).numpy(), t, atol=1e-4)
    signed = LinearPath(3, 1)
    signed.fit(x, t, np.where((np.abs(x[:, 0]) > 1) & (rng.random(400) < 0.9), -1.0, 1.0))
    assert abs(float(signed.slope[0])) < 0.2  # Σw x₀² is about 0 there: any slope would do
    assert float(signed.slope[1]) == pytest.approx(-2.0, abs=0.4)

"""A regression from the configuration to files, figures and the report, and what is refused on the way."""

from __future__ import annotations

import json
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot
import yaml
from conftest import toy_columns

from hepneg import Regressor, export_onnx, load_config, load_model, read, train_regressor, workflow
from hepneg.cli.show import show_evaluation, show_health
from hepneg.config import Config
from hepneg.errors import ConfigError, DataError, HepnegWarning
from hepneg.events import EventTable
from hepneg.friends import apply_model, refine_files
from hepneg.report import build_page, load_results

EVENTS = 1200
ANALYSIS = Path(__file__).parent.parent / "analysis"


def columns(*, grade: bool = False) -> dict[str, Any]:
    table = toy_columns(EVENTS, 0.0, 7)
    del table["jet_pt"]
    rng = np.random.default_rng(7)
    table["truth"] = 10 * (table["x0"] - 1 + 0.3 * rng.normal(size=EVENTS))
    table["right"] = np.where(np.arange(EVENTS) % 5 == 0, -1.0, 1.0) if grade else np.ones(EVENTS)
    return table


def configuration(**changes: Any) -> dict[str, Any]:
    data: dict[str, Any] = {
        "name": "pz",
        "task": "regression",
        "target": "truth",
        "weight": "genWeight",
        "event_id": "event",
        "selection": "x1 > -1",
        "samples": {"mc": {"files": "mc.root"}},
        "features": ["x0", {"double": "2 * x1"}],
        "training": {"folds": 2, "epochs": 3, "network": {"hidden": [8]}, "batch_size": 128, "objective": "quantile"},
    }
    return data | changes


@pytest.fixture
def analysis(tmp_path: Path, write_ntuple: Callable[..., Path]) -> Path:
    write_ntuple(tmp_path / "mc.root", columns())
    path = tmp_path / "analysis.yaml"
    path.write_text(yaml.safe_dump(configuration(), sort_keys=False))
    return path


def test_the_main_job_leaves_everything(analysis: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = load_config(analysis)
    assert config.training.scheme.name == "refined"
    done = workflow.run(config)
    show_evaluation(done.result.trained.evaluation)
    show_health(done.result.trained.model.health)
    shown = capsys.readouterr().out
    assert "objective quantile" in shown
    assert "log-odds" not in shown
    metrics = json.loads((config.output / "metrics.json").read_text())
    assert (metrics["task"], metrics["objective"]) == ("regression", "quantile")
    keys = ("bias", "resolution", "mse", "mae", "variance", "pull_mean", "pull_width")
    assert all(metrics[f"{key}_error"] > 0 for key in keys)
    assert [row["probability"] for row in metrics["quantiles"]] == [0.16, 0.5, 0.84]
    with uproot.open(config.output / "histograms.root") as file:
        assert {"residual_mc;1", "pull_mc;1", "matrix;1"} <= set(file.keys())
    figures = {path.stem for path in (config.output / "plots").glob("*.png")}
    assert {"residuals", "pulls", "bias", "response_matrix", "learning_curves"} <= figures
    page = (config.output / "report.html").read_text()
    assert "Prediction" in page
    assert "Predicted quantiles" in page
    assert "hepneg compare" not in page
    labelled = config.model_copy(update={"task": "classification"})
    assert "are not of a classification: run it again" in build_page(load_results(labelled)).html
    again = workflow.plot(config).result.evaluation
    assert again.to_dict() == done.result.trained.evaluation.to_dict()


def test_friend_files_hold_the_held_out_predictions(analysis: Path, tmp_path: Path) -> None:
    config = load_config(analysis)
    regressor = workflow.train(config).result.model
    assert isinstance(regressor, Regressor)
    friends = apply_model(config.output / "model", [tmp_path / "mc.root"], tmp_path / "friends")
    assert (friends.entries, friends.files[0].held_out) == (EVENTS, True)
    with uproot.open(tmp_path / "friends" / "mc.hepneg.root") as file:
        written = file["hepneg"].arrays(library="np")
    kept = np.asarray(columns()["x1"]) > -1
    prediction = written["hepneg_prediction"]
    assert np.isnan(prediction[~kept]).all()
    np.testing.assert_allclose(prediction[kept], regressor.held_out_prediction(read(config)), rtol=1e-5, atol=1e-4)
    assert np.array_equal(written["hepneg_q0p5"][kept], prediction[kept])
    assert (written["hepneg_q0p16"][kept] < written["hepneg_q0p84"][kept]).all()


def test_onnx_gives_the_same_predictions(tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    rng = np.random.default_rng(1)
    x = rng.normal(size=(300, 2)).astype(np.float32)
    events = EventTable.from_arrays(x, np.ones(300), target=5 * x[:, 0])
    settings: dict[str, Any] = {"folds": 2, "epochs": 1, "network": {"hidden": [4]}}
    for objective in ("quantile", "signed_squared"):
        regressor = train_regressor(events, "absolute", objective=objective, **settings)
        path = export_onnx(regressor, tmp_path / f"{objective}.onnx")
        session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
        prediction, outputs = session.run(["prediction", "outputs"], {"features": x})
        np.testing.assert_allclose(prediction, regressor.prediction(x), rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(outputs, regressor.output(x), rtol=1e-5, atol=1e-5)


def test_grades_are_read_and_checked(tmp_path: Path, write_ntuple: Callable[..., Path]) -> None:
    write_ntuple(tmp_path / "mc.root", columns(grade=True))
    training = configuration()["training"] | {"objective": {"name": "reciprocal", "epsilon": 0.5}}
    config = Config.from_dict(configuration(grade="right", training=training), tmp_path)
    assert read(config).grade is not None
    evaluation = workflow.train(config).result.evaluation
    assert evaluation.to_dict()["counter_examples"] == int((np.asarray(read(config).grade) < 0).sum())
    with pytest.raises(DataError, match=r"mc.root: \d+ grades lie outside \[-1, 1\]"):
        read(Config.from_dict(configuration(grade="3 * right", training=training), tmp_path))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"target": None}, "'target' is missing: a regression needs the expression"),
        ({"task": "classification"}, "there is a 'target', but no `task: regression`"),
        ({"task": "classification", "target": None}, "'samples.mc.label' is missing: signal or background"),
        ({"grade": "right"}, "objective 'quantile' does not use `grade:`"),
        ({"training": {"scheme": "paired"}}, "scheme 'paired' is not for a regression; take one of absolute"),
        ({"training": {"objective": "cross_entropy"}}, "'cross_entropy' is for classification; for regression"),
        ({"training": {"network": {"output": {"activation": "relu", "low": 0, "high": 1}}}}, "relu has no high"),
        ({"task": "regresion"}, "task: Input should be 'classification' or 'regression'"),
    ],
)
def test_configurations_that_make_no_sense_are_one_clear_line(changes: dict[str, Any], message: str) -> None:
    data = {key: value for key, value in configuration(**changes).items() if value is not None}
    if changes.get("task") == "classification":
        data["training"] = {}
    with pytest.raises(ConfigError, match=message) as refused:
        Config.from_dict(data)
    assert "\n" not in str(refused.value)


def test_targets_that_are_not_finite_are_named(tmp_path: Path, write_ntuple: Callable[..., Path]) -> None:
    table = columns()
    table["truth"][[3, 5]] = np.nan
    write_ntuple(tmp_path / "mc.root", table)
    data = configuration()
    del data["selection"]
    with pytest.raises(DataError, match="mc.root: target is NaN or infinite in 2 selected events"):
        read(Config.from_dict(data, tmp_path))
    with pytest.warns(HepnegWarning, match="2 of 1200 selected events are left out"):
        kept = read(Config.from_dict(data | {"on_nan": "drop"}, tmp_path))
    assert len(kept) == EVENTS - 2
    with pytest.raises(DataError, match="no branch 'truht', which target needs; did you mean 'truth'"):
        read(Config.from_dict(data | {"target": "truht"}, tmp_path))


def test_what_is_for_classifications_says_so(analysis: Path, tmp_path: Path) -> None:
    config = load_config(analysis)
    for call in (lambda: workflow.compare(config, ["refined"]), lambda: workflow.closure(config)):
        with pytest.raises(ConfigError, match="is for a classification, but the configuration has `task: regression`"):
            call()
    with pytest.raises(ConfigError, match="`hepneg refine` is for a classification"):
        refine_files(config, tmp_path / "refined")
    workflow.train(config)
    data = configuration(task="classification", output=str(config.output))
    del data["target"], data["training"]
    data["samples"]["mc"]["label"] = "signal"
    with pytest.raises(DataError, match="is for regression, not classification: train it again"):
        workflow.plot(Config.from_dict(data, tmp_path))
    changed = json.loads((config.output / "model" / "model.json").read_text()) | {"task": "clustering"}
    (config.output / "model" / "model.json").write_text(json.dumps(changed))
    with pytest.raises(DataError, match="task: Input should be 'classification' or 'regression', not 'clustering'"):
        load_model(config.output / "model")


@pytest.mark.parametrize(
    ("script", "arguments"),
    [
        ("signed_weights.py", []),
        ("negative_targets.py", []),
        ("counter_examples.py", ["--figures", "FIGURES"]),
        ("small_samples.py", []),
    ],
)
def test_the_studies_run(
    script: str,
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = ANALYSIS / "regression"
    monkeypatch.syspath_prepend(str(folder))
    given = [str(tmp_path) if argument == "FIGURES" else argument for argument in arguments]
    monkeypatch.setattr(sys, "argv", [script, "--quick", *given])
    runpy.run_path(str(folder / script), run_name="__main__")
    assert "|---|" in capsys.readouterr().out


@pytest.mark.real
def test_the_neutrino_example_is_a_valid_regression() -> None:
    config = load_config(ANALYSIS / "neutrino_pz" / "analysis.yaml", ["selection=event % 50 == 0"])
    events = read(config)
    assert 0.3 < np.mean(events.required_target() < 0) < 0.7
    assert np.corrcoef(events.feature("pz_W"), events.required_target())[0, 1] > 0.3

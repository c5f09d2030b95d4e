"""Stacks of scores from elsewhere and of predictions, and systematics that are no weights in their band."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from conftest import _write_ntuple

from hepneg import workflow
from hepneg.config import Config, load_config
from hepneg.errors import ConfigError, DataError
from hepneg.evaluation.stack import Stack
from hepneg.evaluation.stack_pass import fill_stacks, needs_a_pass
from hepneg.models.loading import load_model
from hepneg.ntuples import read

EDGES = [0.0, 0.25, 0.5, 0.75, 1.0]
SAMPLES = {"sig": (1500, 1.0, 0), "bkg": (2000, 0.0, 10_000), "data": (400, 0.3, 50_000)}


def columns(name: str, *, shift: float = 0.0) -> dict[str, Any]:
    events, mean, first = SAMPLES[name]
    rng = np.random.default_rng(first)
    x = rng.normal(mean, 1.0, events)
    weight = np.where(rng.random(events) < 0.2, -1.0, 1.0)
    return {
        "event": np.arange(first, first + events, dtype=np.uint64),
        "genWeight": weight.astype(np.float32),
        "x": (x + shift).astype(np.float32),
        "logit": (1.5 * (x + shift) - 0.7).astype(np.float32),
        "truth": (10.0 * x + rng.normal(0, 2, events)).astype(np.float32),
    }


def settings(**changes: Any) -> dict[str, Any]:
    return {
        "name": "toy",
        "weight": "genWeight",
        "event_id": "event",
        "luminosity": 1.0,
        "samples": {
            "sig": {"label": "signal", "files": "sig.root", "cross_section": 0.1},
            "bkg": {"label": "background", "files": "bkg.root", "cross_section": 0.4},
            "data": {"label": "data", "files": "data.root"},
        },
        "features": ["x"],
        "regions": {"high": "x > 0.5"},
        "plots": {"bins": EDGES},
        **changes,
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("sources")
    for name in SAMPLES:
        _write_ntuple(place / f"{name}.root", columns(name))
    for side, shift in (("up", 0.2), ("down", -0.2)):
        for name in ("sig", "bkg"):
            _write_ntuple(place / f"{name}_{side}.root", columns(name, shift=shift))
    return place


def by_quantity(stacks: list[Stack]) -> dict[tuple[str, str], Stack]:
    return {(stack.quantity, stack.region): stack for stack in stacks}


def filled(folder: Path, **changes: Any) -> dict[tuple[str, str], Stack]:
    return by_quantity(fill_stacks(Config.from_dict(settings(**changes), folder)))


def test_a_score_from_elsewhere_is_drawn_in_regions_with_data(folder: Path) -> None:
    stacks = filled(folder, response={"logit": "logit"})
    assert list(stacks) == [("response", ""), ("response", "high"), ("x", "")]
    for name in ("sig", "bkg", "data"):
        own = columns(name)
        score = 1.0 / (1.0 + np.exp(-own["logit"].astype(float)))
        if name == "data":
            np.testing.assert_array_equal(stacks["response", ""].counts(), np.histogram(score, EDGES)[0])
            continue
        content = np.histogram(score, EDGES, weights=own["genWeight"])[0] / own["genWeight"].sum()
        scale = 1000.0 * {"sig": 0.1, "bkg": 0.4}[name]
        np.testing.assert_allclose(stacks["response", ""].samples[name].values(), scale * content, rtol=1e-6)


def test_other_files_and_normalisations_are_in_the_band(folder: Path) -> None:
    systematics: Mapping[str, Any] = {
        "jes": {"up": "{stem}_up.root", "down": "{stem}_down.root", "samples": "bkg"},
        "lumi": {"normalisation": 1.1},
        "rate": {"normalisation": 1.5, "samples": "sig"},
    }
    stack = filled(folder, response={"logit": "logit"}, systematics=systematics)["response", ""]
    assert stack.systematics == ("jes_up", "jes_down", "lumi", "rate")
    nominal = {name: part.values() for name, part in stack.samples.items()}
    own = columns("bkg", shift=0.2)
    score = 1.0 / (1.0 + np.exp(-own["logit"].astype(float)))
    up = 400.0 * np.histogram(score, EDGES, weights=own["genWeight"])[0] / own["genWeight"].sum()
    np.testing.assert_allclose(stack.varied["bkg"][0], up, rtol=1e-6)
    np.testing.assert_array_equal(stack.varied["sig"][:2], [nominal["sig"]] * 2)  # jes is of the background alone
    total, (low, high) = sum(nominal.values()), stack.band()
    own_shifts = stack.varied["bkg"][:2] - nominal["bkg"]
    expected = stack.total().variances() + (0.1 * total) ** 2 + (0.5 * nominal["sig"]) ** 2
    np.testing.assert_allclose(high**2, expected + np.maximum(own_shifts.max(axis=0), 0) ** 2)
    np.testing.assert_allclose(low**2, expected + np.minimum(own_shifts.min(axis=0), 0) ** 2)


def test_a_variation_names_itself_where_its_files_fail(folder: Path) -> None:
    missing = {"jes": {"up": "{stem}_none.root"}}
    with pytest.raises(DataError, match="'jes_up': sample 'sig': no file .*; check the files of the variation"):
        filled(folder, response={"logit": "logit"}, systematics=missing)


def test_a_response_out_of_range_names_its_sample(folder: Path) -> None:
    with pytest.raises(DataError, match="sample 'sig': the response 'logit' lies outside"):
        filled(folder, response="logit")


def test_without_a_model_or_a_response_there_is_nothing_to_draw(folder: Path) -> None:
    with pytest.raises(ConfigError, match="neither a model nor a `response:`"):
        filled(folder)


def test_evaluate_draws_the_stacks_of_a_score_from_elsewhere(folder: Path, tmp_path: Path) -> None:
    content = settings(response={"logit": "logit"}, output=str(tmp_path))
    outcome = workflow.evaluate(Config.from_dict(content, folder))
    names = {path.name for path in outcome.files}
    assert {"stacks.json", "stack_response.png", "stack_high_response.png", "stack_x.png"} <= names


def test_predictions_are_stacked_with_data_blinded_by_them(folder: Path, tmp_path: Path) -> None:
    content = settings(
        task="regression",
        target="truth",
        output=str(tmp_path),
        plots={"bins": [-20, 0, 10, 30], "blind": "prediction > 10"},
        training={"folds": 2, "epochs": 2, "scheme": "absolute", "network": {"hidden": [4]}},
    )
    path = folder / "regression.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    config = load_config(path)
    assert needs_a_pass(config)
    outcome = workflow.train(config)
    assert outcome.files
    model = load_model(tmp_path / "model")
    stacks = by_quantity(fill_stacks(config, model))
    assert list(stacks) == [("prediction", ""), ("prediction", "high"), ("x", "")]
    events, stack = read(config), stacks["prediction", ""]
    prediction = model.held_out_prediction(events)
    for code, name in enumerate(events.sample_names):
        own = events.sample == code
        content = np.histogram(prediction[own], [-20, 0, 10, 30], weights=events.weight[own])[0]
        np.testing.assert_allclose(stack.samples[name].values(), content)
    np.testing.assert_array_equal(stack.hidden, [False, False, True])
    assert np.isnan(stack.counts()[2])
    assert stacks["x", ""].left_out == "prediction > 10"
    assert config.main_title == "Prediction"


@pytest.mark.parametrize(
    "systematics",
    [
        {"scale_up": "genWeight", "scaleUp": "genWeight"},
        {"jes": {"up": "{stem}_up.root"}, "jes_up": "genWeight"},
        {"lumi": {"normalisation": 1.1}, "lumi_up": "genWeight", "lumi_down": "genWeight"},
    ],
)
def test_two_systematics_never_become_one(folder: Path, systematics: Mapping[str, Any]) -> None:
    with pytest.raises(ConfigError, match="would both be the systematic '(scale|jes|lumi)'; rename one of them"):
        Config.from_dict(settings(systematics=systematics), folder)

"""The calibration of a response: what it mends, what it leaves alone, and where it goes."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hepneg._core.linear_spline import IDENTITY, LinearSpline
from hepneg._core.log_odds import log_odds, sigmoid
from hepneg.config import Training
from hepneg.errors import ConfigError, HepnegWarning
from hepneg.evaluation.classification import Evaluation
from hepneg.events import EventTable
from hepneg.metrics import ScoredEvents, auc, calibration_curve, response_share
from hepneg.models.calibrate import calibration_spline
from hepneg.models.classifier import Classifier
from hepneg.models.training import train
from hepneg.networks.calibrated_network import CalibratedNetwork
from hepneg.networks.fold_network import FoldNetwork, rebuild
from hepneg.networks.inference import network_logits
from hepneg.objectives.share_spline import share_spline
from hepneg.studies.sign_split import sign_split_closure

FAST: dict[str, Any] = {"folds": 3, "epochs": 4, "batch_size": 128, "network": {"hidden": [8]}}
Columns = tuple[np.ndarray, np.ndarray, np.ndarray]


def spline_of(logit: np.ndarray, label: np.ndarray, weight: np.ndarray) -> LinearSpline:
    return calibration_spline(ScoredEvents(logit, label, weight))


def scored(rng: np.random.Generator, n: int, f: float, stretch: float = 1.0, shift: float = 0.0) -> Columns:
    """Log-odds that are exact up to a factor and a shift, labels, and signs that do not depend on them."""
    label = rng.integers(0, 2, n).astype(np.int8)
    exact = rng.normal(np.where(label == 1, 1.0, -1.0), np.sqrt(2))  # log-odds of themselves
    return stretch * exact + shift, label, np.where(rng.random(n) < f, -1.0, 1.0)


def test_an_overconfident_response_is_mended_on_other_events() -> None:
    rng = np.random.default_rng(1)
    spline = spline_of(*scored(rng, 40_000, 0.2, stretch=1.5, shift=0.3))
    logit, label, weight = scored(rng, 40_000, 0.2, stretch=1.5, shift=0.3)
    assert calibration_curve(sigmoid(logit), label, weight).p_value < 1e-6
    assert calibration_curve(sigmoid(spline(logit)), label, weight).p_value > 1e-3


def test_a_calibrated_response_is_left_alone() -> None:
    """The spline is shrunk to the identity in most samples, and moves none of the others by more than its noise."""
    rng = np.random.default_rng(2)
    changes = []
    for _ in range(40):
        logit, label, weight = scored(rng, 2000, 0.2)
        changes.append(np.abs(spline_of(logit, label, weight)(logit) - logit).mean())
    assert np.mean(np.array(changes) == 0) > 0.6
    assert max(changes) < 8 / np.sqrt(2000 * 0.6**2)  # eight parameters of one standard error each


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(2, 3000),
    f=st.floats(0, 0.5),
    spread=st.sampled_from([0.0, 1e-3, 1.0, 30.0]),
    levels=st.booleans(),
)
def test_splines_rise_and_are_finite_whatever_the_events(
    seed: int, n: int, f: float, spread: float, levels: bool
) -> None:
    rng = np.random.default_rng(seed)
    logit, label, weight = scored(rng, n, f, stretch=spread)
    logit = np.round(logit) if levels else logit
    spline = spline_of(logit, label, weight * rng.lognormal(0, 1, n))
    assert np.isfinite(spline.values).all()
    assert np.all(np.diff(spline.values) >= 0.09 * np.diff(spline.knots))
    assert np.allclose(spline.inverse(spline(logit)), logit, atol=1e-6 * (1 + np.abs(logit).max()))


@pytest.mark.parametrize(
    "change", [lambda label: 0 * label, lambda label: 1 + 0 * label], ids=["no signal", "no background"]
)
def test_without_both_labels_nothing_is_bent(change: Any) -> None:
    logit, label, weight = scored(np.random.default_rng(3), 500, 0.2)
    assert spline_of(logit, change(label), weight) is IDENTITY
    assert spline_of(logit, label, np.where(label == 1, -weight, weight)) is IDENTITY


def test_the_module_is_its_spline_on_both_sides_of_the_knots() -> None:
    class Identity(FoldNetwork):
        name = "identity"

        def forward(self, features: torch.Tensor) -> torch.Tensor:
            return features[:, 0]

    spline = LinearSpline((-2.0, -0.5, 1.0, 1.01, 3.0), (-1.0, -0.7, 1.5, 4.0, 5.0))
    network = CalibratedNetwork.of(Identity(), spline)
    z = np.linspace(-6, 6, 401)
    with torch.no_grad():
        found = network(torch.from_numpy(z[:, None].astype(np.float32)))
        posteriors = network.signed_posteriors(torch.from_numpy(z[:, None].astype(np.float32)))
    np.testing.assert_allclose(found, spline(z), atol=3e-4)  # a slope of 250, in single precision
    np.testing.assert_allclose(posteriors[:, 1], sigmoid(spline(z)), atol=1e-4)


def toy(n: int = 6000) -> EventTable:
    """Signs that depend on the features, so that training with |w| is off by a known amount."""
    rng = np.random.default_rng(4)
    label = np.arange(n) % 2
    x = rng.normal(size=(n, 2)) + label[:, None]
    negative = rng.random(n) < np.where((label == 0) & (x[:, 0] > 0.5), 0.45, 0.02)
    return EventTable.from_arrays(x, np.where(negative, -1.0, 1.0), label, event_id=np.arange(n))


@pytest.fixture(scope="module")
def events() -> EventTable:
    return toy()


@pytest.fixture(scope="module")
def classifier(events: EventTable) -> Classifier:
    return train(events, "absolute", **FAST)


def test_each_spline_is_fitted_to_the_events_of_the_other_folds(classifier: Classifier, events: EventTable) -> None:
    fold_of = events.folds(3, 1)
    raw = classifier.uncalibrated_logit(events, classifier.held_out_logit(events))
    assert raw is not None
    for fold, network in enumerate(classifier.networks):
        assert isinstance(network, CalibratedNetwork)
        inside = network_logits(network.network, events.features[fold_of == fold])
        np.testing.assert_allclose(raw[fold_of == fold], inside, atol=1e-5)
        other = fold_of != fold
        expected = spline_of(raw[other], events.label[other], events.weight[other])
        np.testing.assert_allclose(network.spline.values, expected.values, atol=1e-4)


def test_evaluations_say_what_it_did(classifier: Classifier, events: EventTable) -> None:
    evaluation = Evaluation.of_model(classifier, events)
    before = evaluation.before_calibration
    assert before is not None
    assert evaluation.calibration.chi2 < before.calibration.chi2
    assert before.loss_change.value < -3 * before.loss_change.error
    raw = classifier.uncalibrated_logit(events, classifier.held_out_logit(events))
    assert raw is not None
    for fold in range(3):  # the ranking by one network is the same; only folds mix anew
        own = events.folds(3, 1) == fold
        pair = [auc(z[own], events.label[own], events.weight[own]) for z in (raw, classifier.held_out_logit(events))]
        assert pair[0].value == pytest.approx(pair[1].value, abs=1e-5)
    assert abs(before.auc_change.value) < 0.5 * evaluation.auc.error
    assert before.loss.value + before.loss_change.value == pytest.approx(evaluation.loss.value, abs=1e-9)
    assert evaluation.to_dict()["before_calibration"]["calibration"]["degrees"] == before.calibration.degrees


def test_models_keep_their_splines(classifier: Classifier, events: EventTable, tmp_path: Path) -> None:
    again = Classifier.load(classifier.save(tmp_path / "model"))
    assert np.array_equal(again.held_out_logit(events), classifier.held_out_logit(events))
    assert again.training["calibration"] == {"name": "spline"}
    plain = rebuild({**classifier.networks[0].to_dict(), "knots": 3})
    assert isinstance(plain, CalibratedNetwork)
    with pytest.raises(ValueError, match="knots must be a whole number from 2 to 1000"):
        rebuild({**classifier.networks[0].to_dict(), "knots": 1})


def test_the_exported_graph_is_calibrated(classifier: Classifier, events: EventTable, tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    from hepneg.models.onnx import export_onnx

    session = onnxruntime.InferenceSession(export_onnx(classifier, tmp_path / "model.onnx"))
    response, _ = session.run(["response", "logit"], {"features": events.features})
    np.testing.assert_allclose(response, classifier.response(events.features), atol=1e-6)


@pytest.mark.parametrize(
    "wish",
    [
        {"calibration": "none"},
        {"objective": "balanced_cross_entropy"},
        {"network": {"hidden": [8], "output": {"low": 0.1, "high": 0.9}}},
    ],
    ids=["none", "balanced", "bounded"],
)
def test_responses_that_are_moved_on_purpose_are_left_alone(wish: dict[str, Any], events: EventTable) -> None:
    model = train(events.select(np.arange(len(events)) < 1200), "absolute", **{**FAST, "epochs": 1, **wish})
    assert not any(isinstance(network, CalibratedNetwork) for network in model.networks)


def test_densities_of_schemes_that_know_signs_keep_them(events: EventTable) -> None:
    settings_ = {**FAST, "epochs": 2}
    pair = [train(events, "mixture", calibration=name, **settings_) for name in ("spline", "none")]
    first, second = (model.density_ratio(events.features) for model in pair)
    assert np.array_equal(first, second)


def test_a_closure_that_is_blind_to_signs_stays_so(events: EventTable) -> None:
    """A spline on signed weights would tell its classifiers of the signs."""
    chosen = {**FAST, "epochs": 2}
    blind = train(events, "absolute", calibration="none", **chosen)
    expected = auc(blind.held_out_response(events), events.label, events.weight)
    assert sign_split_closure(events, **chosen).parts["combined"].auc == expected


def test_unknown_calibrations_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"calibration.*'spline' or 'none'"):
        Training.of(calibration="isotonic")


ranges = st.sampled_from([(0.5, 1.0), (0.0, 0.3), (0.2, 0.6), (0.45, 0.55), (0.8, 1.0)])


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), share=st.floats(0, 1), ends=ranges, f=st.floats(0, 0.3), levels=st.booleans())
def test_a_share_is_met_by_a_spline_that_rises(
    seed: int, share: float, ends: tuple[float, float], f: float, levels: bool
) -> None:
    logit, label, weight = scored(np.random.default_rng(seed), 1500, f)
    logit = np.round(4 * logit) / 4 if levels else logit
    low, high = log_odds(ends[0]), log_odds(ends[1])
    events = ScoredEvents(logit, label, weight)
    spline = share_spline(events, share, low, high, 20.0)
    assert np.all(np.diff(spline.knots) > 0)
    assert np.all(np.diff(spline.values) > 0)
    found = response_share(events.with_score(spline(logit)), low, high).value
    before = response_share(events, low, high).value
    assert abs(found - share) <= abs(before - share) + 1e-12
    if not levels and f == 0:
        assert abs(found - share) < 0.01  # Σw of a step is 1/1500


def test_the_cheapest_events_are_moved_and_no_others() -> None:
    logit, label, weight = scored(np.random.default_rng(5), 4000, 0.2)
    spline = share_spline(ScoredEvents(logit, label, weight), 0.75, 0.0, math.inf, 2.0)
    edge = logit[spline(logit) >= 0].min()
    assert edge < -0.1
    assert np.allclose(spline(logit)[logit < 1.1 * edge], logit[logit < 1.1 * edge])
    assert np.allclose(spline(logit)[logit > -0.3 * edge], logit[logit > -0.3 * edge])


@pytest.mark.parametrize("share", [0.75, 0.9, 0.2])
def test_a_share_is_met_on_held_out_events_after_few_steps(share: float) -> None:
    n = 2000
    rng = np.random.default_rng(6)
    label = np.arange(n) % 2
    x = rng.integers(-1, 2, (n, 25)) + (rng.random((n, 25)) < 0.15) * (2 * label[:, None] - 1)
    events = EventTable.from_arrays(np.clip(x, -1, 1), np.where(rng.random(n) < 0.2, -1.0, 1.0), label)
    wish = {"name": "response_preference", "share": share}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", HepnegWarning)
        model = train(events, "absolute", **{**FAST, "objective": wish})
    held_out = ScoredEvents.of_table(events, model.held_out_logit(events))
    found = response_share(held_out, 0.0, math.inf)
    assert found.value == pytest.approx(share, abs=3 * found.error)
    assert (abs(found.value - share) > 0.02) == any("held-out events" in str(one.message) for one in caught)


def test_a_share_that_the_inputs_cannot_give_is_warned_of(events: EventTable) -> None:
    flag = replace(events, features=(events.features[:, :1] > 0.5).astype(np.float32), feature_names=("flag",))
    wish = {"name": "response_preference", "share": 0.75}
    with pytest.warns(HepnegWarning, match=r"of the held-out events has a response in \[0\.5, 1\], not 0\.75"):
        train(flag, "absolute", **{**FAST, "epochs": 1, "objective": wish})

"""SignedClassifier: scikit-learn's contract, weights of either sign, pipelines and searches."""

from __future__ import annotations

import importlib
import inspect
import pickle
import sys
from typing import Any

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import hepneg
from hepneg.config import Training
from hepneg.errors import ConfigError, TrainingError
from hepneg.metrics.class_scores import ClassScores, class_log_loss_of
from hepneg.metrics.class_separation import mean_auc_of
from hepneg.models.training import train
from hepneg.networks.perceptron import Perceptron
from hepneg.schemes import make_scheme
from hepneg.sklearn import SignedClassifier, signed_auc, signed_log_loss

FAST = {"folds": 2, "epochs": 12, "hidden": (8,), "learning_rate": 0.02}


def signed_events(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    return rng.normal(size=(n, 2)) + y[:, None], y, np.where(rng.random(n) < 0.2, -1.5, 1.0)


@parametrize_with_checks([SignedClassifier(**FAST)])
def test_the_contract_of_scikit_learn(estimator: SignedClassifier, check: object) -> None:
    check(estimator)  # type: ignore[operator]


def test_every_setting_of_a_training_is_an_argument_with_the_same_default() -> None:
    given = {name: p.default for name, p in inspect.signature(SignedClassifier).parameters.items()}
    settings = Training().model_dump()
    network = settings.pop("network")
    assert network.pop("name") == "mlp"
    assert given.pop("random_state") == settings.pop("seed")
    for suggested in Perceptron.training:  # by the network, where nothing is given
        assert given.pop(suggested) is None
        del settings[suggested]
    for choice in ("scheme", "calibration"):
        assert given.pop(choice) == settings.pop(choice)["name"]
    assert given == settings | network | {"hidden": tuple(network["hidden"])}


def test_objectives_and_bounds_reach_the_training() -> None:
    X, y, weight = signed_events(1500, 1)
    options = {"objective": {"name": "balanced_cross_entropy", "sensitivity": 0.9}, "activity": {"strength": 0.01}}
    bounds = {"activation": "sigmoid", "low": 0.2, "high": 0.8}
    estimator = SignedClassifier("signed", **FAST, **options, output=bounds).fit(X, y, sample_weight=weight)
    response = estimator.predict_proba(X)[:, 1]
    assert 0.2 <= response.min() < response.max() <= 0.8
    assert estimator.classifier_.training["objective"]["name"] == "balanced_cross_entropy"
    assert estimator.classifier_.training["activity"]["strength"] == 0.01


def test_it_is_the_classifier_that_train_gives() -> None:
    X, y, weight = signed_events(1500, 1)
    estimator = SignedClassifier("signed", **FAST).fit(X, y, sample_weight=weight)
    events = hepneg.EventTable.from_arrays(X, weight, y)
    settings = {"folds": 2, "epochs": 12, "learning_rate": 0.02, "network": {"hidden": [8]}}
    own = train(events, "signed", **settings)
    assert np.array_equal(estimator.decision_function(X), own.logit(X))
    assert np.array_equal(estimator.predict_proba(X)[:, 1], own.response(X))
    assert isinstance(estimator.classifier_, hepneg.Classifier)


def test_signed_weights_matter_and_none_is_dropped_silently() -> None:
    X, y, weight = signed_events(1500, 2)
    signed = SignedClassifier(**FAST).fit(X, y, sample_weight=weight)
    unsigned = SignedClassifier(**FAST).fit(X, y)
    assert signed.classifier_.choice["sign_gain"]
    assert unsigned.classifier_.reason == "no event has a negative weight"
    assert not np.allclose(signed.decision_function(X), unsigned.decision_function(X))


@pytest.mark.parametrize("values", [["b", "s"], [False, True], [-1, 1], [3.0, 7.0]])
def test_targets_may_be_any_two_values(values: list[object]) -> None:
    X, y, weight = signed_events(600, 3)
    target = np.array(values)[y]
    estimator = SignedClassifier("absolute", **FAST).fit(X, target, sample_weight=weight)
    assert estimator.classes_.tolist() == values
    assert np.mean(estimator.predict(X) == target) > 0.6


def test_the_seed_and_nothing_else_decides() -> None:
    X, y, weight = signed_events(600, 4)

    def fit(state: object) -> np.ndarray:
        return SignedClassifier("absolute", random_state=state, **FAST).fit(X, y, weight).decision_function(X)

    assert np.array_equal(fit(3), fit(3))
    assert not np.array_equal(fit(3), fit(4))
    assert np.array_equal(fit(np.random.RandomState(5)), fit(np.random.RandomState(5)))


def test_a_pipeline_in_a_search_routes_signed_weights() -> None:
    X, y, weight = signed_events(1000, 5)
    with config_context(enable_metadata_routing=True):
        estimator = SignedClassifier("absolute", **FAST).set_fit_request(sample_weight=True)
        estimator.set_score_request(sample_weight=True)
        steps = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), estimator)
        grid = {"signedclassifier__hidden": [(4,), (8,)], "signedclassifier__scheme": ["absolute", {"name": "signed"}]}
        search = GridSearchCV(steps, grid, cv=2, error_score="raise").fit(X, y, sample_weight=weight)
    fitted = search.best_estimator_[-1].classifier_
    assert fitted.samples["signal"]["negative_fraction_counted"] > 0.1
    assert len(search.cv_results_["params"]) == 4
    assert np.isfinite(search.predict_proba(X)).all()


@pytest.mark.parametrize("name", ["signed_auc", "signed_log_loss"])
def test_signed_scorers_search_with_signed_weights(name: str) -> None:
    X, y, weight = signed_events(800, 7)
    halves = np.arange(800) < 400
    cv = [(np.flatnonzero(halves), np.flatnonzero(~halves))]
    scorer = getattr(hepneg.sklearn, name)
    with config_context(enable_metadata_routing=True):
        estimator = SignedClassifier("absolute", **FAST).set_fit_request(sample_weight=True)
        grid = {"signedclassifier__epochs": [1, 12]}
        steps = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), estimator)
        search = GridSearchCV(steps, grid, cv=cv, scoring=scorer, error_score="raise")
        search.fit(X, np.array(["a", "b"])[y], sample_weight=weight)
    scaled = StandardScaler().fit(X[halves]).transform(X)
    scores = {}
    for epochs, score in zip([1, 12], search.cv_results_["mean_test_score"], strict=True):
        alone = SignedClassifier("absolute", **{**FAST, "epochs": epochs}).fit(
            scaled[halves], y[halves], weight[halves]
        )
        logit = alone.decision_function(scaled[~halves])
        metric = hepneg.metrics.auc if name == "signed_auc" else hepneg.metrics.log_loss
        expected = metric(logit, y[~halves], weight[~halves]).value
        scores[epochs] = expected if name == "signed_auc" else -expected
        assert score == pytest.approx(scores[epochs], rel=1e-9)
    assert search.best_params_ == {"signedclassifier__epochs": max(scores, key=lambda epochs: scores[epochs])}


def test_signed_scorers_refuse_to_score_without_weights() -> None:
    X, y, weight = signed_events(400, 8)
    estimator = SignedClassifier("absolute", **FAST).fit(X, y, weight)
    assert hepneg.sklearn.signed_auc(estimator, X, y, sample_weight=weight) > 0.5
    with pytest.raises(ValueError, match="enable_metadata_routing=True"):
        hepneg.sklearn.signed_log_loss(estimator, X, y)
    with pytest.raises(ValueError, match="2 classes are scored, and there are 3 among the events"):
        hepneg.sklearn.signed_auc(estimator, X, np.arange(400) % 3, sample_weight=weight)


def test_it_is_cloned_and_stored() -> None:
    X, y, weight = signed_events(400, 6)
    estimator = SignedClassifier({"name": "paired", "flavour": "stratified"}, **FAST).fit(X, y, weight)
    again = pickle.loads(pickle.dumps(estimator))  # noqa: S301 - what joblib does with estimators
    assert np.array_equal(again.decision_function(X), estimator.decision_function(X))
    assert clone(estimator).get_params() == estimator.get_params()
    assert estimator.classifier_.scheme_parameters["flavour"] == "stratified"


@pytest.mark.parametrize(
    ("target", "weight", "error", "message"),
    [
        ([0, 1] * 6, [0.0] * 12, ValueError, "zero"),
        ([0, 1] * 6, [0.0, 1.0] * 6, ValueError, "only one class has events with a weight, 1"),
        ([0, 1, 2] * 4, [1.0, 1.0, 0.0] * 4, ValueError, "classes without events that have a weight: 2"),
        (np.linspace(0.1, 0.9, 12), [1.0] * 12, ValueError, "Unknown label type: continuous"),
        ([0, 1] * 6, [1.0] * 11 + [-4.5], TrainingError, "the signal weights sum to 0.5 .* compatible with 0"),
    ],
)
def test_what_cannot_be_trained_is_refused(
    target: list[int], weight: list[float], error: type[Exception], message: str
) -> None:
    X = np.random.default_rng(7).normal(size=(12, 2))
    with pytest.raises(error, match=message):
        SignedClassifier(**FAST).fit(X, target, sample_weight=weight)


def test_bad_settings_are_refused_when_it_is_fitted() -> None:
    X, y, _ = signed_events(300, 8)
    with pytest.raises(ConfigError, match="unknown scheme 'sined'; did you mean 'signed'"):
        SignedClassifier("sined").fit(X, y)
    with pytest.raises(ConfigError, match="folds"):
        SignedClassifier(folds=1).fit(X, y)
    for scheme in (5, {"members": 1}, type(make_scheme("signed"))):
        with pytest.raises(ConfigError, match="a scheme is a name, a mapping .*; known: absolute"):
            SignedClassifier(scheme).fit(X, y)


def test_a_scheme_has_its_parameters_in_a_mapping() -> None:
    X, y, weight = signed_events(1500, 1)
    mapping, made = (
        SignedClassifier(scheme, **FAST).fit(X, y, sample_weight=weight).decision_function(X)
        for scheme in ({"name": "signed", "logit_bound": 3.0}, make_scheme("signed", logit_bound=3.0))
    )
    assert np.array_equal(mapping, made)


def test_without_scikit_learn_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "hepneg.sklearn")
    monkeypatch.setitem(sys.modules, "sklearn.base", None)
    with pytest.raises(ImportError, match=r"^hepneg.SignedClassifier needs .*: pip install 'hepneg\[sklearn\]'$"):
        importlib.import_module("hepneg.sklearn")


# More than two classes


def three_classes(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 3
    return rng.normal(size=(n, 2)) + np.eye(3)[y][:, :2] * 2, y, np.where(rng.random(n) < 0.2, -1.5, 1.0)


@pytest.mark.parametrize("values", [["wjets", "single_top", "ttbar"], [7, -1, 3], ["a b", "c d", "e f"]])
def test_targets_may_be_any_three_values(values: list[object]) -> None:
    X, y, weight = three_classes(900, 3)
    target = np.array(values)[y]
    estimator = SignedClassifier("absolute", **FAST).fit(X, target, sample_weight=weight)
    assert estimator.classes_.tolist() == sorted(values)
    probability = estimator.predict_proba(X)
    np.testing.assert_allclose(probability.sum(axis=1), 1, rtol=1e-9)
    assert (estimator.predict(X) == estimator.classes_[probability.argmax(axis=1)]).all()
    assert np.mean(estimator.predict(X) == target) > 0.6
    own = estimator.classifier_.response(X)
    np.testing.assert_allclose(own, probability, rtol=1e-9)


def test_a_class_without_weight_is_named() -> None:
    X, y, weight = three_classes(90, 4)
    with pytest.raises(ValueError, match="classes without events that have a weight: 1; leave them out of y"):
        SignedClassifier(**FAST).fit(X, y, sample_weight=np.where(y == 1, 0.0, weight))


@pytest.mark.parametrize("scorer", [signed_auc, signed_log_loss])
def test_scorers_of_three_classes_are_the_signed_metrics(scorer: Any) -> None:
    X, y, weight = three_classes(900, 5)
    estimator = SignedClassifier("absolute", **FAST).fit(X, y)
    events = ClassScores(np.log(estimator.predict_proba(X)), y.astype(np.int8), weight, ("0", "1", "2"))
    expected = mean_auc_of(events).value if scorer is signed_auc else -class_log_loss_of(events).value
    assert scorer(estimator, X, y, sample_weight=weight) == pytest.approx(expected, rel=1e-9)
    with pytest.raises(ValueError, match="3 classes are scored, and there are 2 among the events"):
        scorer(estimator, X[y < 2], y[y < 2], sample_weight=weight[y < 2])

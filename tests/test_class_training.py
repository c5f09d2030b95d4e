"""Classifiers of more than two classes: trained, saved, applied and exported; two classes give the binary numbers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import torch
import uproot
from class_toys import NAMES, class_events, exact_log_probability
from conftest import toy_columns
from friend_models import FEATURES, SELECTION, feature_matrix
from jet_toys import NETWORKS, Sums
from torch import nn

import hepneg
from hepneg import columnar
from hepneg._core.log_odds import class_log_odds, log_probabilities, sigmoid
from hepneg.errors import DataError, HepnegError, TrainingError
from hepneg.events import EventTable
from hepneg.losses import CrossEntropyLoss, MixtureLoss
from hepneg.losses.cross_entropy_loss import class_cross_entropy_gradient
from hepneg.metrics import ScoredEvents, brier_of, log_loss_of
from hepneg.metrics.class_scores import ClassScores, class_brier_of, class_log_loss_of
from hepneg.models.calibrate import calibrated_classes
from hepneg.models.classifier import Classifier, ModelInputs
from hepneg.models.onnx import export_onnx, onnx_output
from hepneg.networks.fold_network import FoldNetwork, rebuild
from hepneg.ntuples.identity import identify_file
from hepneg.schemes.term_networks import _with_term
from hepneg.studies import sign_split_closure

SCHEMES = ("absolute", "positive", "signed", "paired", "refined", "factorised", "mixture", "combined", "auto")
THREE = NAMES[:3]
Write = Callable[..., Path]


@lru_cache
def trained(scheme: str, classes: int = 3) -> Classifier:
    return hepneg.train(
        class_events(classes), scheme, folds=2, epochs=6, network={"hidden": [16]}, learning_rate=0.02, batch_size=128
    )


def shared(two: EventTable, names: tuple[str, str] | None = None) -> EventTable:
    """Events of two classes under other names."""
    names = names or two.classes
    return EventTable.from_arrays(two.features, two.weight, np.array(names)[two.label], event_id=two.event_id)


# Two classes are the binary case


@pytest.mark.parametrize("scheme", ["signed", "mixture", "auto"])
def test_two_classes_by_other_names_give_the_binary_numbers_to_the_bit(scheme: str) -> None:
    two = class_events(2, 600)
    settings: dict[str, Any] = {"folds": 2, "epochs": 2, "network": {"hidden": [8]}}
    others = hepneg.train(two, scheme, **settings)
    binary = hepneg.train(shared(two, ("background", "signal")), scheme, **settings)
    assert others.classes == NAMES[:2]
    assert binary.classes == ("background", "signal")
    logit = binary.logit(two.features)
    np.testing.assert_allclose(others.log_ratios(two.features, NAMES[0])[:, 1], logit, rtol=1e-12, atol=1e-15)
    assert others.response(two.features).shape == (len(two), 2)
    np.testing.assert_allclose(others.response(two.features)[:, 1], binary.response(two.features), rtol=1e-12)
    np.testing.assert_allclose(others.logit(two.features), np.stack([-logit, logit], axis=1), rtol=1e-9, atol=1e-12)


def test_losses_of_two_classes_as_of_many_are_the_binary_ones_with_their_gradients() -> None:
    rng = np.random.default_rng(1)
    label, weight = (torch.tensor(rng.choice(v, 200), dtype=torch.float32) for v in ([0.0, 1.0], [-1.0, 1.0, 2.0]))
    found = []
    for many in (False, True):
        logit = torch.tensor(np.random.default_rng(2).normal(0, 3, (200, 1)), dtype=torch.float32, requires_grad=True)
        terms = CrossEntropyLoss(4.0).terms(logit if many else logit[:, 0], label, weight)
        terms.sum().backward()
        found.append((terms.detach().numpy(), logit.grad.numpy()))  # type: ignore[union-attr]
    for binary, general in zip(*found, strict=True):
        np.testing.assert_allclose(general, binary, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("others", [1, 2, 4])
def test_the_gradient_by_hand_is_that_of_the_tape(others: int) -> None:
    rng = np.random.default_rng(others)
    logit = torch.tensor(rng.normal(0, 3, (100, others)), requires_grad=True)
    label, weight = torch.tensor(rng.integers(0, others + 1, 100) * 1.0), torch.tensor(rng.choice([-1.0, 0.5], 100))
    expected = CrossEntropyLoss().terms(logit, label, weight).sum()
    expected.backward()
    value, gradient = class_cross_entropy_gradient(logit.detach(), label, weight)
    torch.testing.assert_close(value, expected.detach())
    torch.testing.assert_close(gradient, logit.grad)


def test_scores_of_two_classes_are_the_binary_ones() -> None:
    two = class_events(2, 400)
    logit = np.random.default_rng(3).normal(0, 2, len(two)) + two.label
    binary = ScoredEvents(logit, two.label, two.weight)
    general = ClassScores.of_table(two, logit)
    for one, other in (
        (log_loss_of(binary), class_log_loss_of(general)),
        (brier_of(binary.with_score(sigmoid(logit))), class_brier_of(general)),
    ):
        assert other.value == pytest.approx(one.value, rel=1e-12)
        np.testing.assert_allclose(other.contribution, one.contribution, atol=1e-15)


def test_terms_of_signs_go_to_their_own_class() -> None:
    logit, term = torch.zeros(4, 2), torch.arange(4.0)
    assert (_with_term(logit, term, 0) == -term[:, None]).all()
    assert (_with_term(logit, term, 2) == torch.stack([torch.zeros(4), term], dim=1)).all()
    assert (_with_term(logit[:, 0], term, 1) == term).all()


def test_the_mixture_of_three_labels_is_the_cross_entropy_of_six_classes() -> None:
    rng = np.random.default_rng(4)
    outputs = torch.tensor(rng.normal(size=(50, 5)))
    label, weight = torch.tensor(rng.integers(0, 3, 50)), torch.tensor(rng.choice([-1.0, 2.0], 50))
    positive = torch.sigmoid(outputs[:, 2:])
    labels = torch.softmax(nn.functional.pad(outputs[:, :2], (1, 0)), dim=1)
    joint = torch.cat([labels * positive, labels * (1 - positive)], dim=1)  # (label, +), (label, −)
    own = joint[torch.arange(50), label + 3 * (weight < 0)]
    expected = -weight.abs() * torch.log(own)
    torch.testing.assert_close(MixtureLoss().terms(outputs, label.double(), weight), expected)


# Three classes


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_scheme_learns_three_classes(scheme: str) -> None:
    events, classifier = class_events(), trained(scheme)
    response = classifier.held_out_response(events)
    assert classifier.classes == THREE
    assert response.shape == (len(events), 3)
    np.testing.assert_allclose(response.sum(axis=1), 1, rtol=1e-12)
    other = class_events(seed=2)
    exact = ClassScores(exact_log_probability(other.features, 3), other.label, other.weight, THREE)
    learnt = ClassScores(np.log(classifier.response(other)), other.label, other.weight, THREE)
    excess = (class_log_loss_of(learnt) - class_log_loss_of(exact)).estimate()
    # Two thirds of what the exact densities gain over a guess, log 3 − 0.87, at three standard deviations.
    assert excess.value - 3 * excess.error < (np.log(3) - class_log_loss_of(exact).value) / 3
    assert excess.value + 5 * excess.error > 0


def test_the_response_of_a_linear_network_is_the_exact_probability() -> None:
    events = class_events(3, 6000, signed=False)
    settings: dict[str, Any] = {"network": {"hidden": []}, "epochs": 60, "calibration": "none"}
    classifier = hepneg.train(events, "absolute", folds=2, **settings)
    other = class_events(3, 2000, 5, signed=False)
    off = np.exp(exact_log_probability(other.features, 3, signed=False)) - classifier.response(other)
    # Of the mean of two networks with 8 parameters, each fitted to 2/5 of 18 000 events: ⟨(Δp)²⟩ ≈ 8 p(1 − p)/n.
    assert np.sqrt(np.mean(off**2)) < 3 * np.sqrt(8 * 0.15 / 7200)


@pytest.mark.parametrize("network", [*NETWORKS, Sums(), "tabular"], ids=lambda one: getattr(one, "name", str(one)))
def test_any_network_takes_three_classes(network: Any) -> None:
    rng, plain = np.random.default_rng(1), class_events(3, 300)
    counts = rng.integers(0, 4, len(plain))
    lists = {
        name: ak.unflatten((rng.normal(size=counts.sum()) ** 2 + 1).astype(np.float32), counts)
        for name in ("pt", "eta", "phi")
    }
    jets = hepneg.Collection.from_lists(lists, most=3)
    events = plain if network == "tabular" else replace(plain, collections={"jets": jets})
    classifier = hepneg.train(events, "mixture", folds=2, epochs=2, network=network)
    assert np.allclose(classifier.response(events).sum(axis=1), 1)
    assert len(np.unique(classifier.response(events)[:, 0])) > 100


def test_log_ratios_priors_and_log_odds_belong_together() -> None:
    features, classifier = class_events().features[:50], trained("refined")
    response = classifier.response(features)
    for code, name in enumerate(THREE):
        ratios = classifier.log_ratios(features, name)
        np.testing.assert_allclose(ratios, np.log(response / response[:, [code]]), atol=1e-9)
    np.testing.assert_allclose(classifier.logit(features), np.log(response / (1 - response)), atol=1e-6)
    priors = {"single_top": 1.0, "ttbar": 8.0, "wjets": 3.0}
    weighted = response * [8, 3, 1]
    expected = weighted / weighted.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(classifier.response(features, priors=priors), expected, rtol=1e-9)
    ratio = classifier.density_ratio(features, "ttbar", "wjets")
    assert ratio.shape == (50,)


@pytest.mark.parametrize(
    ("priors", "expected"),
    [
        ({"ttbar": 1.0, "wjets": 1.0}, "the prior of single_top must be a positive number, not nan; give one for each"),
        ({"ttbar": 1.0, "wjets": 0.0, "single_top": 1.0}, "the prior of wjets must be a positive number, not 0.0"),
        ({"ttbar": 1.0, "wjet": 1.0}, "no class 'wjet'; did you mean 'wjets'"),
    ],
)
def test_priors_that_are_none(priors: dict[str, float], expected: str) -> None:
    with pytest.raises(DataError, match=expected):
        trained("refined").response(class_events().features, priors=priors)


def test_priors_of_a_binary_response() -> None:
    two = shared(class_events(2, 300), ("background", "signal"))
    classifier = hepneg.train(two, "absolute", folds=2, epochs=1, network={"hidden": [4]})
    odds = np.exp(classifier.logit(two.features)) / 9
    np.testing.assert_allclose(
        classifier.response(two.features, priors={"background": 9, "signal": 1}), odds / (1 + odds), rtol=1e-9
    )


@pytest.mark.parametrize("scheme", ["signed", "mixture", "combined"])
def test_a_saved_model_gives_the_same_numbers(scheme: str, tmp_path: Path) -> None:
    events, classifier = class_events(events=100), trained(scheme)
    loaded = hepneg.load_model(classifier.save(tmp_path / "model"))
    assert isinstance(loaded, Classifier)
    assert loaded.classes == THREE
    assert (loaded.response(events) == classifier.response(events)).all()
    assert (loaded.held_out_logit(events) == classifier.held_out_logit(events)).all()


@pytest.mark.parametrize("classes", [["ttbar", "wjets"], ["ttbar", "wjets", "wjets"], [*THREE, "diboson"], ["w jets"]])
def test_a_model_with_other_classes_than_its_networks_is_refused(classes: list[str], tmp_path: Path) -> None:
    folder = replace(trained("absolute"), classes=tuple(classes)).save(tmp_path / "model")
    with pytest.raises(DataError, match="other classes than the model|is not a hepneg model"):
        hepneg.load_model(folder)


def test_training_goes_on_from_a_checkpoint_with_the_same_networks(tmp_path: Path) -> None:
    events = class_events(3, 300)
    settings: dict[str, Any] = {"folds": 2, "epochs": 3, "network": {"hidden": [8]}, "calibration": "none"}
    whole = hepneg.train(events, "refined", **settings)

    def stop(fold: int, network: str, record: Any) -> None:
        if (fold, network, record.epoch) == (1, "refined", 2):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hepneg.train(events, "refined", checkpoint=tmp_path, callbacks=[stop], **settings)
    resumed = hepneg.train(events, "refined", checkpoint=tmp_path, **settings)
    assert (resumed.response(events) == whole.response(events)).all()


# What is refused


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"scheme": "signed_target"}, "scheme 'signed_target'"),
        ({"objective": "balanced_cross_entropy"}, "objective 'balanced_cross_entropy'"),
        ({"network": {"output": {"low": 0.1, "high": 0.9}}}, "`network.output`"),
        ({"activity": {"strength": 0.1}}, "`activity`"),
    ],
)
def test_what_is_made_for_two_classes_says_so(settings: dict[str, Any], what: str) -> None:
    with pytest.raises(DataError, match=f"{what} knows the classes signal and background alone, and the labels are"):
        hepneg.train(class_events(), **{"scheme": "absolute", **settings})


def test_a_class_without_events_or_without_a_positive_sum() -> None:
    events = class_events(3, 200)
    with pytest.raises(TrainingError, match="no wjets events: a classifier needs all 3 labels"):
        hepneg.train(events.select(events.label != 1), folds=2)
    turned = np.where(events.label == 2, -np.abs(events.weight), events.weight)
    with pytest.raises(TrainingError, match="the single_top weights sum to -200 ± 14, which is not positive"):
        hepneg.train(replace(events, weight=turned), folds=2)
    with pytest.raises(TrainingError, match="all events have the label ttbar: a classifier needs two labels or more"):
        hepneg.train(class_events(1, 200), folds=2)


def test_studies_and_histograms_of_two_classes_say_so() -> None:
    events = class_events(3, 200)
    with pytest.raises(HepnegError, match="knows the classes signal and background alone"):
        sign_split_closure(events, folds=2)
    with pytest.raises(HepnegError, match="scheme 'signed_target' knows the classes"):
        hepneg.compare(events, ["absolute", "signed_target"], folds=2)
    with pytest.raises(HepnegError, match="a histogram of the response knows the classes"):
        hepneg.response_histogram(trained("absolute"), class_events())


# Calibration


class _Given(FoldNetwork):
    """Gives its inputs as log-ratios, stretched."""

    name = "given"

    def __init__(self, stretch: float) -> None:
        super().__init__()
        self.stretch = nn.Parameter(torch.tensor(stretch), requires_grad=False)

    def parameters_to_dict(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_dict(cls, data: Any) -> _Given:
        return cls(1.0)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return self.stretch * features


@pytest.mark.parametrize("stretch", [1.0, 2.0])
def test_calibration_mends_probabilities_and_leaves_right_ones(stretch: float) -> None:
    events = class_events(3, 20_000)
    exact = exact_log_probability(events.features, 3)
    ratios = (exact[:, 1:] - exact[:, :1]).astype(np.float32)
    networks = [_Given(stretch), _Given(stretch)]
    fold_of = events.folds(2, 1)
    calibrated = calibrated_classes(networks, ClassScores.of_table(events, stretch * ratios.astype(float)), fold_of)
    other = class_events(3, 20_000, 2)
    exact = exact_log_probability(other.features, 3)
    rows = torch.from_numpy((exact[:, 1:] - exact[:, :1]).astype(np.float32))
    given = [
        ClassScores(log_probabilities(network(rows).double().numpy()), other.label, other.weight, THREE)
        for network in (networks[0], calibrated[0])
    ]
    right = class_log_loss_of(ClassScores(exact, other.label, other.weight, THREE))
    before, after = ((class_log_loss_of(one) - right).estimate() for one in given)
    if stretch == 1:
        # Eight parameters a class, on half of 60 000 events of dilution 0.3: (24/2)/(30 000·0.3) nats of noise at most.
        assert abs(after.value) < 12 / 9000 + 3 * after.error
    else:
        assert before.value > 0.05
        assert after.value < 0.1 * before.value


def test_a_calibration_that_changes_nothing_is_the_identity() -> None:
    events = class_events(3, 50)  # fewer than 50 effective events of a class in a fold's part
    ratios = np.random.default_rng(1).normal(0, 3, (len(events), 2)).astype(np.float32)
    scores = ClassScores.of_table(events, ratios.astype(float))
    network = calibrated_classes([_Given(1.0), _Given(1.0)], scores, events.folds(2, 1))[0]
    with torch.no_grad():
        np.testing.assert_allclose(network(torch.from_numpy(ratios)).numpy(), ratios, atol=2e-5)


def test_the_description_of_a_calibrated_network_rebuilds_it() -> None:
    network = trained("absolute").networks[0]
    again = rebuild(network.to_dict())
    again.load_state_dict(network.state_dict())
    rows = torch.from_numpy(np.ascontiguousarray(class_events().features[:64]))
    with torch.no_grad():
        assert (again(rows) == network(rows)).all()


# Friend files and ONNX


def test_onnx_gives_the_numbers_of_torch(tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    runtime = pytest.importorskip("onnxruntime")
    classifier, features = trained("combined"), np.ascontiguousarray(class_events(seed=3).features)
    path = export_onnx(classifier, tmp_path / "three.onnx")
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    response, logit, ratios = session.run(["response", "logit", "log_ratios"], {"features": features})
    np.testing.assert_allclose(response, classifier.response(features), atol=2e-6)
    np.testing.assert_allclose(logit, classifier.logit(features), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(ratios, classifier.output(features), rtol=1e-5, atol=1e-5)
    metadata = session.get_modelmeta().custom_metadata_map
    assert json.loads(metadata["hepneg.classes"]) == list(THREE)
    assert list(json.loads(metadata["hepneg.outputs"])) == ["response", "logit", "log_ratios"]
    assert (onnx_output(path.read_bytes())(features) == ratios).all()


def test_friend_files_have_branches_for_each_class(tmp_path: Path, write_ntuple: Write) -> None:
    parts = [toy_columns(200, float(number), number, first_id=1000 * number) for number in range(3)]
    features = np.concatenate([feature_matrix(part) for part in parts])
    weight = np.concatenate([part["genWeight"] for part in parts])
    events = EventTable.from_arrays(
        features, weight, np.repeat(THREE, 200), feature_names=list(FEATURES), event_id=np.arange(600)
    )
    classifier = hepneg.train(events, "absolute", folds=2, epochs=1, network={"hidden": [8]})
    path = write_ntuple(tmp_path / "events.root", parts[0])
    known = (identify_file(str(path)),)
    inputs = ModelInputs(FEATURES, SELECTION, ("event",), "Events", "genWeight", known)
    model = replace(classifier, inputs=inputs).save(tmp_path / "model")
    hepneg.apply_model(model, [path], tmp_path / "friends", held_out="always")
    table = EventTable.from_arrays(
        feature_matrix(parts[0]),
        parts[0]["genWeight"],
        np.repeat(THREE[0], 200),
        feature_names=list(FEATURES),
        event_id=parts[0]["event"],
    )
    response, logit = classifier.held_out_response(table), classifier.held_out_logit(table)
    with uproot.open(tmp_path / "friends" / "events.hepneg.root") as file:
        found = file["hepneg"].arrays(library="np")
    selected = np.array([len(jets) >= 1 for jets in parts[0]["jet_pt"]])
    assert list(found) == ["event", *(f"hepneg_{k}_{name}" for k in ("response", "logit") for name in THREE)]
    for code, name in enumerate(THREE):
        for kind, values in (("response", response), ("logit", logit)):
            column = found[f"hepneg_{kind}_{name}"]
            assert np.isnan(column[~selected]).all()
            np.testing.assert_allclose(column[selected], values[selected, code], rtol=1e-5, atol=2e-6)
    records = ak.zip(dict(parts[0]), depth_limit=1)
    for function, values in ((columnar.response, response), (columnar.logit, logit)):
        column = function(model, records, held_out="always")
        assert column.shape == (200, 3)
        assert np.isnan(column[~selected]).all()
        np.testing.assert_allclose(column[selected], values[selected], rtol=1e-5, atol=2e-6)


def test_log_odds_against_all_others_are_those_of_the_probabilities() -> None:
    logarithms = log_probabilities(np.random.default_rng(1).normal(0, 2, (100, 4)))
    probability = np.exp(logarithms)
    np.testing.assert_allclose(class_log_odds(logarithms), np.log(probability / (1 - probability)), rtol=1e-9)
    far = log_probabilities(np.array([[800.0, 0.0]]))
    np.testing.assert_allclose(class_log_odds(far), [[-800, 800 - np.log(2), -800]])

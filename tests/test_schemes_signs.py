"""Schemes that learn the sign apart: calibration, health, several samples, bounded losses, consistency."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from scipy.stats import chi2

from hepneg.errors import ConfigError, HepnegWarning
from hepneg.events import EventTable
from hepneg.learning.batches import ShuffledBatches
from hepneg.models.classifier import Classifier
from hepneg.models.training import train
from hepneg.networks import as_network
from hepneg.networks.fold_network import rebuild
from hepneg.schemes import make_scheme
from hepneg.schemes.context import FoldContext
from hepneg.schemes.fold_fit import FoldFit
from hepneg.signs.refined_weight import refined_weight
from hepneg.signs.sign_closure import sign_closure
from hepneg.signs.sign_ensemble import SignEnsemble
from hepneg.signs.sign_health import scheme_health
from hepneg.signs.slope_floor import best_floor, best_slope

FAST = {"folds": 2, "epochs": 3, "batch_size": 128, "network": {"hidden": [8, 8]}}
SIGN_SCHEMES = ("refined", "factorised", "combined", "mixture", "signed_target")


def linear_signs(n: int, seed: int) -> tuple[EventTable, np.ndarray]:
    """x uniform in [0, 1]; the mean sign is 0.2 + 0.6x for signal and 0.8 − 0.6x for background."""
    rng = np.random.default_rng(seed)
    x, label = rng.random(n), np.arange(n) % 2
    sign = np.where(label == 1, 0.2 + 0.6 * x, 0.8 - 0.6 * x)
    weight = np.where(rng.random(n) < 0.5 + 0.5 * sign, 1.0, -1.0)
    return EventTable.from_arrays(x[:, None], weight, label, feature_names=["x"], event_id=np.arange(n)), sign


@pytest.mark.parametrize("factor", [0.5, 1.0, 4.0])
def test_the_slope_undoes_an_exaggeration(factor: float) -> None:
    rng = np.random.default_rng(1)
    true = rng.uniform(-0.2, 0.2, 100_000)
    sign = np.where(rng.random(100_000) < 0.5 + 0.5 * (0.4 + true), 1.0, -1.0)[:, None]
    slope = best_slope(factor * true[:, None], 0.4, sign, np.ones_like(sign))
    # The slope's error is 1/√(n Var(true)/(1 − s²)) = 0.025 in units of 1/factor; it is cut at 1.2.
    assert slope == pytest.approx(min(1 / factor, 1.2), abs=4.5 * 0.025 / factor)


def test_the_floor_is_the_mean_sign_of_what_lies_below() -> None:
    rng = np.random.default_rng(2)
    learnt = np.concatenate([rng.normal(0.0, 0.1, 40_000), np.full(20_000, 0.6)])
    true = np.concatenate([np.full(40_000, 0.15), np.full(20_000, 0.6)])
    sign = np.where(rng.random(60_000) < 0.5 + 0.5 * true, 1.0, -1.0)
    floor = best_floor(learnt, sign, np.ones(60_000), 0.02, 0.3)
    # Error of the mean sign 1/√40000 = 0.005; the floors tried lie 10 % apart.
    assert floor == pytest.approx(0.15, abs=0.015 + 4 * 0.005)
    assert best_floor(np.full(100, 0.5), np.ones(100), np.ones(100), 0.02, 0.3) == pytest.approx(0.02)


def test_closure_is_good_for_the_exact_sign_and_bad_for_another() -> None:
    events, sign = linear_signs(20_000, 3)
    right = sign_closure(events, sign, sign)
    wrong = sign_closure(events, np.full(len(events), 0.5), np.full(len(events), 0.5))
    for name in ("signal", "background"):
        agreement = right[name].features["x"]
        assert agreement.ndf == 9
        assert agreement.chi2 < chi2.ppf(1 - 1e-5, 9)
        assert wrong[name].features["x"].chi2 > chi2.ppf(1 - 1e-5, 9)
        assert len(agreement.closure) == len(agreement.edges) + 1 == 10
        assert all(abs(ratio.value - 1) < 4.5 * ratio.error for ratio in agreement.closure)
        off = [ratio for ratio in wrong[name].features["x"].closure if abs(ratio.value - 1) > 4.5 * ratio.error]
        assert len(off) >= 5  # ĝ = ½ in the place of 0.2 to 0.8
        assert abs(right[name].inclusive.value - 1) < 4.5 * right[name].inclusive.error


def test_clipped_and_floored_shares_are_counted_by_weight() -> None:
    events = EventTable.from_arrays(np.arange(8.0)[:, None], [3.0, 1, 1, 1, 1, 1, 1, -1], np.ones(8))
    raw = np.array([-0.5, 0.01, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5])
    (closure,) = sign_closure(events, np.maximum(raw, 0.1), raw).values()
    assert closure.clipped_share == pytest.approx(0.3)
    assert closure.floored_share == pytest.approx(0.4)


def test_refined_weights_keep_the_sum_of_each_sample() -> None:
    rng = np.random.default_rng(4)
    n = 600
    sample = np.array(["a", "b", "c"])[np.arange(n) % 3]
    weight = np.where(rng.random(n) < 0.3, -1.0, 1.0) * rng.lognormal(size=n)
    weight[sample == "c"] = -np.abs(weight[sample == "c"])
    events = EventTable.from_arrays(rng.normal(size=(n, 2)), weight, np.where(sample == "a", 1, 0), sample=sample)
    refined = refined_weight(events, rng.uniform(-0.2, 1, n))
    assert (refined >= 0).all()
    for name in "ab":
        assert refined[sample == name].sum() == pytest.approx(weight[sample == name].sum())
    assert (refined[sample == "c"] == 0).all()


@pytest.mark.parametrize("scheme", ["refined", "combined"])
def test_samples_of_one_label_have_signs_of_their_own(scheme: str) -> None:
    rng = np.random.default_rng(5)
    n = 1500
    sample = np.array(["ttbar", "wjets", "zjets"])[np.arange(n) % 3]
    weight = np.where((sample == "wjets") & (rng.random(n) < 0.3), -1.0, 1.0)
    label = np.where(sample == "ttbar", 1, 0)
    events = EventTable.from_arrays(rng.normal(size=(n, 2)) + label[:, None], weight, label, sample=sample)
    classifier = train(events, scheme, **FAST)
    samples = classifier.health["samples"]
    # `combined` learns one mean sign for each label, which is judged as such; `refined` one for each sample.
    assert set(samples) == ({"ttbar", "wjets", "zjets"} if scheme == "refined" else {"ttbar", "all background"})
    assert samples["ttbar"]["inclusive"] == pytest.approx(1)
    if scheme == "refined":
        assert samples["zjets"]["inclusive"] == pytest.approx(1)  # no negative weights: its sign is 1


@pytest.mark.parametrize("scheme", SIGN_SCHEMES)
def test_a_saved_model_is_the_same_model_with_its_health(scheme: str, tmp_path: Path) -> None:
    events, _ = linear_signs(600, 6)
    classifier = train(events, scheme, **FAST)
    loaded = Classifier.load(classifier.save(tmp_path))
    assert np.array_equal(loaded.held_out_logit(events), classifier.held_out_logit(events))
    assert np.array_equal(loaded.logit(events.features), classifier.logit(events.features))
    assert loaded.to_dict() == classifier.to_dict()
    for network in classifier.networks:
        assert rebuild(network.to_dict()).to_dict() == network.to_dict()
    assert classifier.health["negative_batches"] == 0
    assert set(classifier.health["samples"]) == {"signal", "background"}
    assert classifier.health["largest_logit"] == pytest.approx(np.abs(classifier.held_out_logit(events)).max())


@pytest.mark.parametrize("scheme", SIGN_SCHEMES)
def test_no_run_diverges_where_the_signed_loss_does(scheme: str) -> None:
    """Few events, many features, no early stopping, a steep start: the signed loss runs away here."""
    rng = np.random.default_rng(1)
    n = 160
    weight = np.where(rng.random(n) < 0.3, -1.0, 1.0)
    events = EventTable.from_arrays(rng.normal(size=(n, 8)), weight, np.arange(n) % 2, event_id=np.arange(n))
    settings = {"folds": 2, "epochs": 60, "patience": 60, "batch_size": 64, "learning_rate": 0.03}
    classifier = train(events, scheme, **settings)  # a warning of a runaway loss would be an error
    assert {history.stopped for history in classifier.histories} == {"epochs"}
    assert all(record.train_loss > 0 for history in classifier.histories for record in history.epochs)


def test_events_without_negative_weights_train_as_absolute_does() -> None:
    rng = np.random.default_rng(7)
    label = np.arange(900) % 2
    events = EventTable.from_arrays(rng.normal(size=(900, 2)) + label[:, None], rng.lognormal(size=900), label)
    absolute, factorised = (train(events, scheme, **FAST) for scheme in ("absolute", "factorised"))
    assert np.allclose(absolute.logit(events.features), factorised.logit(events.features), atol=1e-6)


def test_signs_that_depend_on_nothing_stay_constant() -> None:
    """Early stopping may keep the untrained network: the constant mean sign."""
    rng = np.random.default_rng(8)
    n = 2000
    weight = np.where(rng.random(n) < 0.25, -1.0, 1.0)
    events = EventTable.from_arrays(rng.normal(size=(n, 4)), weight, np.arange(n) % 2, event_id=np.arange(n))
    classifier = train(events, "factorised", **{**FAST, "epochs": 20})
    features = torch.from_numpy(events.features.copy())
    spreads = [
        float(sign.mean_sign(features).detach().std())
        for network in classifier.networks
        for sign in network.network.signs.values()
    ]
    # Each member sees 375 events: a straight line in 4 features fitted to them would have a spread of
    # √(4·(1 − 0.5²)/375) = 0.09, a network that follows their noise several times that.
    assert np.mean(spreads) < 0.09


def test_the_ensemble_is_its_members_side_by_side() -> None:
    network = SignEnsemble(as_network({"hidden": (5, 4), "activation": "tanh"}), 3, 2)
    standard = np.array([[1.0] * 3, [-1.0] * 3], dtype=np.float32)  # mean 0 and standard deviation 1
    network.initialise(torch.Generator().manual_seed(0), standard, 0.4)
    x = torch.randn(7, 3, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(network.mean_sign(x), torch.full((7,), 0.4))
    with torch.no_grad():
        network.body.weights[-1].normal_(generator=torch.Generator().manual_seed(2))
    for member in range(2):
        values = x
        for number, (weight, bias) in enumerate(zip(network.body.weights, network.body.biases, strict=True)):
            values = values @ weight[member] + bias[member]
            values = torch.tanh(values) if number < 2 else values
        assert torch.allclose(network(x)[:, member], values.squeeze(-1), atol=1e-6)


def test_batches_that_sum_to_less_than_zero_are_counted() -> None:
    @dataclass(frozen=True)
    class Careless:
        """Train on w in batches of two."""

        name: ClassVar[str] = "careless"

        def fit(self, context: FoldContext) -> FoldFit:
            weight = context.events.weight
            return context.train(weight, batches=ShuffledBatches(weight, 2), logit_bound=3.0)

    events, _ = linear_signs(400, 9)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HepnegWarning)
        classifier = train(events, Careless(), **FAST)
    # A pair holds both labels, each positive, with chance ½·0.75² ≈ 0.28; everything else counts.
    assert 0.5 < classifier.health["negative_batches"] < 0.9
    assert scheme_health(events, np.zeros(400)).to_dict() == {
        "largest_logit": 0.0,
        "negative_batches": 0.0,
        "samples": {},
    }


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("refined", {"members": 0}, "members must be a whole number of at least 1, not 0"),
        ("factorised", {"floor": 0.0}, "floor must be between 0 and 1, not 0.0"),
        ("combined", {"patience": 0}, "patience must be a whole number of at least 1, not 0"),
        ("mixture", {"floors": 0.1}, "no parameter 'floors'; did you mean 'floor'"),
    ],
)
def test_bad_parameters_are_refused(name: str, parameters: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_scheme(name, **parameters)

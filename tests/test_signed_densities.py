"""Densities that may be negative: the scheme that learns them, and the ratio with its sign."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hepneg.errors import DataError
from hepneg.events import EventTable
from hepneg.models.classifier import Classifier
from hepneg.models.training import train
from hepneg.signs.refinement import refine
from hepneg.signs.sign_closure import sign_closure

SETTINGS = {"folds": 2, "epochs": 12, "batch_size": 256, "network": {"hidden": [24, 24]}}
SIGNED = ("signed_target", "mixture", "factorised")


def crossing(n: int, seed: int) -> EventTable:
    """x uniform in [−1, 1] for either label; the mean sign of signal is 0.3 + 0.6x, that of background 0.6."""
    rng = np.random.default_rng(seed)
    x, label = rng.uniform(-1, 1, n), np.arange(n) % 2
    sign = np.where(label == 1, 0.3 + 0.6 * x, 0.6)
    weight = np.where(rng.random(n) < 0.5 + 0.5 * sign, 1.0, -1.0)
    return EventTable.from_arrays(x[:, None], weight, label, feature_names=["x"], event_id=np.arange(len(x)))


def exact(x: np.ndarray) -> np.ndarray:
    """p₁/p₀ = (0.3 + 0.6x) / 0.6 · 0.6/0.3: negative below −½."""
    return 1 + 2 * x


@pytest.fixture(scope="module")
def events() -> EventTable:
    return crossing(20_000, 1)


@pytest.mark.parametrize("scheme", SIGNED)
def test_the_ratio_follows_the_density_through_zero(events: EventTable, scheme: str) -> None:
    classifier = train(events, scheme, **SETTINGS)
    x = np.linspace(-1, 1, 201)
    ratio = classifier.density_ratio(x[:, None])
    # A quarter of either label's 10 000 events tells each mean sign to 1/√2500 = 0.02, in units of 0.3 for signal:
    # 0.067, and 0.033 for background. 4.5 of both, and the smoothing of a straight line by a network.
    error = 4.5 * np.hypot(0.067, 0.033 * np.abs(exact(x))) + 0.05
    for part in np.array_split(np.arange(201), 4):
        assert ratio[part].mean() == pytest.approx(exact(x[part]).mean(), abs=error[part].mean())
    assert ratio[:20].mean() < 0
    response = classifier.response(x[:, None])
    assert ((response > 0) & (response < 1)).all()
    assert response[:20].max() < 0.2
    held_out = classifier.held_out_density_ratio(events)
    assert held_out.shape == (len(events),)
    assert np.corrcoef(held_out, exact(events.features[:, 0]))[0, 1] > 0.9
    # A quarter of the signal lies where its density is negative.
    assert classifier.health["samples"]["signal"]["clipped_share"] == pytest.approx(0.25, abs=0.12)
    assert classifier.health["samples"]["background"]["clipped_share"] == 0


@pytest.mark.parametrize("scheme", ["absolute", "combined"])
def test_other_schemes_give_a_positive_ratio(events: EventTable, scheme: str) -> None:
    few = events.select(np.arange(600))
    classifier = train(few, scheme, folds=2, epochs=2, network={"hidden": [8]})
    (one, other) = (np.exp(classifier.held_out_logit(few)), classifier.held_out_density_ratio(few))
    assert one == pytest.approx(other, rel=1e-5)
    assert (classifier.density_ratio(few.features) > 0).all()
    with pytest.raises(DataError, match=r"features have shape \(3,\)"):
        classifier.density_ratio(np.zeros(3))


def test_the_signed_target_stays_finite_where_there_is_next_to_nothing_to_learn(tmp_path: Path) -> None:
    """Steep start, few events, labels apart by ten widths: linear outputs leave [0, 1] and nothing may break."""
    rng = np.random.default_rng(2)
    label = np.arange(200) % 2
    weight = np.where(rng.random(200) < 0.2, -1.0, 1.0) * rng.lognormal(0, 0.5, 200)
    events = EventTable.from_arrays(
        rng.normal(size=(200, 3)) + 10 * label[:, None], weight, label, event_id=np.arange(200)
    )
    classifier = train(events, "signed_target", folds=2, epochs=40, patience=40, batch_size=16, learning_rate=0.03)
    far = rng.normal(scale=1e4, size=(500, 3))
    for values in (classifier.logit(far), classifier.density_ratio(far), classifier.held_out_logit(events)):
        assert np.isfinite(values).all()
    loaded = Classifier.load(classifier.save(tmp_path))
    assert np.array_equal(loaded.density_ratio(far), classifier.density_ratio(far))


def test_the_spread_of_ensembles_widens_the_errors_of_the_closure() -> None:
    rng = np.random.default_rng(3)
    n = 20_000
    x = rng.random(n)
    weight = np.where(rng.random(n) < 0.5 + 0.5 * 0.5, 1.0, -1.0)
    events = EventTable.from_arrays(x[:, None], weight, np.ones(n), feature_names=["x"])
    slope = 0.1 * (x - 0.5)
    learnt = 0.5 + slope  # wrong by as much as its ensembles differ by
    ensembles = np.stack([0.5 + factor * slope for factor in (-1, 0, 1)], axis=1)
    (alone,) = sign_closure(events, learnt, learnt).values()
    (together,) = sign_closure(events, learnt, learnt, ensembles).values()
    (same,) = sign_closure(events, learnt, learnt, np.stack([learnt, learnt], axis=1)).values()
    # In the outer tenths ĝ is off by 0.045, and the signs alone leave 2000 events √(0.75/2000) = 0.019.
    assert together.features["x"].chi2 < 0.7 * alone.features["x"].chi2
    assert same.features["x"].chi2 == pytest.approx(alone.features["x"].chi2)
    assert together.features["x"].ndf == 9


def test_refine_reports_the_share_whose_density_is_negative(events: EventTable) -> None:
    refinement = refine(events, folds=2, epochs=12, batch_size=512, network={"hidden": [24, 24]})
    report = refinement.to_dict()["samples"]
    # A quarter of the signal; where ĝ passes through zero its error of some 0.02 moves the edge by 0.03, or 0.016 of
    # it.
    assert report["signal"]["clipped_share"] == pytest.approx(0.25, abs=4.5 * 0.016)
    assert report["background"]["clipped_share"] == 0
    core = (events.label == 1) & (events.features[:, 0] < -0.7)
    weight = refinement.held_out_weight(events)
    assert (weight >= 0).all()
    assert weight[core].sum() < 0.01 * np.abs(events.weight[core]).sum()

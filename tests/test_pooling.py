"""Samples without a density of their own, such as interference terms, in training and in refinement."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import hepneg
from hepneg.errors import HepnegWarning, TrainingError
from hepneg.events import EventTable
from hepneg.signs.pooling import pools, regrouped

FAST = {"folds": 2, "network": {"hidden": [16, 16]}, "batch_size": 512}
N = 6000


def interference(seed: int) -> EventTable:
    """Signal N(1, 1); the background's density is 1.0·N(−0.5, 1.5) − 0.4·N(−0.5, 0.9), as a sum of two samples."""
    rng = np.random.default_rng(seed)
    x = np.concatenate([rng.normal(1, 1, N), rng.normal(-0.5, 1.5, N), rng.normal(-0.5, 0.9, N)])
    weight = np.repeat([1.0, 1.0, -0.4], N)
    return EventTable.from_arrays(
        x[:, None], weight, np.repeat([1, 0, 0], N), sample=np.repeat(["sig", "direct", "interference"], N)
    )


def normal(x: np.ndarray, mean: float, width: float) -> np.ndarray:
    return np.exp(-0.5 * ((x - mean) / width) ** 2) / (width * np.sqrt(2 * np.pi))


def test_only_the_label_with_such_a_sample_is_pooled() -> None:
    events = interference(0)
    with pytest.warns(HepnegWarning, match="Σw of interference is not significantly positive"):
        found = pools(events)
    assert found == {"direct": "direct + interference", "interference": "direct + interference"}
    grouped = regrouped(events, found)
    assert set(grouped.sample_names) == {"sig", "direct + interference"}
    for name, total in (("sig", N), ("direct + interference", 0.6 * N)):
        assert grouped.of_sample(name).weight.sum() == pytest.approx(total)


def test_ordinary_and_negligible_samples_stay_by_themselves() -> None:
    rng = np.random.default_rng(1)
    weight = np.where(rng.random(4000) < 0.3, -1.0, 1.0)
    weight[:10] = -1.0
    sample = np.repeat(["rare", "many"], [10, 3990])  # 10 of 4000 events: a quarter of a per cent
    events = EventTable.from_arrays(rng.normal(size=(4000, 1)), weight, np.zeros(4000, int), sample=sample)
    assert pools(events) == {}
    assert regrouped(events, {}) is events


def test_refined_weights_keep_the_density_of_the_label() -> None:
    events = interference(2)
    with pytest.warns(HepnegWarning, match="share one local mean sign"):
        refinement = hepneg.refine(events, **FAST)
    weight, background = refinement.held_out_weight(events), events.label == 0
    assert (weight >= 0).all()
    assert weight[background].sum() == pytest.approx(0.6 * N)
    assert refinement.closure["direct + interference"].inclusive.value == pytest.approx(1, abs=0.1)
    # Any sample of the pool is known by its own name too.
    again = refinement.weight(
        events.features, events.weight, events.label, np.array(events.sample_names)[events.sample]
    )
    np.testing.assert_allclose(again[background].sum(), 0.6 * N, rtol=0.05)
    resampled = refinement.resampled_samples(events)["direct + interference"]
    # Kept at random with ĝ²: the relative error of Σw is √(Σw²)/Σw = √(1.16 N)/(0.6 N).
    assert resampled.sum_ratio == pytest.approx(1, abs=5 * np.sqrt(1.16 / N) / 0.6)


def test_networks_learn_the_density_of_the_label() -> None:
    events, x = interference(3), np.linspace(-3, 3, 25)
    density = normal(x, -0.5, 1.5) / 0.6 - 0.4 * normal(x, -0.5, 0.9) / 0.6
    exact = np.log(normal(x, 1, 1) / density)
    share = (normal(x, 1, 1) + density) / np.sum(normal(x, 1, 1) + density)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HepnegWarning)
        # Calibration, which goes by signed weights, would take away a part of what |w| does wrong.
        refined = hepneg.train(events, "refined", epochs=20, calibration="none", **FAST)
        absolute = hepneg.train(events, "absolute", epochs=20, calibration="none", **FAST)
    # Pooled, refined weights have the density of the label; each sample with a ĝ of its own, the interference was lost,
    # and with it a log-odds of up to 0.6 at its peak, as under |w|.
    error, biased = (np.sqrt(share @ (model.logit(x[:, None]) - exact) ** 2) for model in (refined, absolute))
    assert error < 0.5 * biased
    assert "direct + interference" in refined.health["samples"]


def test_a_label_without_a_positive_sum_cannot_be_refined() -> None:
    rng = np.random.default_rng(4)
    weight = np.where(np.arange(2000) < 1000, 1.0, -1.0)
    with pytest.raises(TrainingError, match="the weights of the signal sum to 0 ± 45, which is not positive"):
        hepneg.refine(EventTable.from_arrays(rng.normal(size=(2000, 1)), weight, np.ones(2000, int)), **FAST)

"""What a comparison recommends: by the loss, or the Brier score where a density is negative; the noise of training."""

from __future__ import annotations

import numpy as np
import pytest

from hepneg.metrics import Influence, log_loss_of, scored_events
from hepneg.studies.recommendation import doubt_of, recommended, standings, training_noise


def negative_signal(n=8000, seed=1):
    """x is uniform; the signal's density is negative for x < 0.15."""
    rng = np.random.default_rng(seed)
    x, label = rng.random(n), np.arange(n) % 2
    sign = np.where((label == 1) & (x < 0.15), -0.5, 0.8)
    return x, label, np.where(rng.random(n) < 0.5 + 0.5 * sign, 1.0, -1.0)


def held_out(x, label, weight, **logits):
    return {name: scored_events(logit, label, weight) for name, logit in logits.items()}


def test_a_run_to_the_bound_is_not_recommended():
    x, label, weight = negative_signal()
    rng = np.random.default_rng(2)
    smooth = np.where(x < 0.15, -4.0 + 2 * x, 0.2) + 0.5 * rng.normal(size=len(x)) * (x < 0.15)
    scored = held_out(x, label, weight, run=np.where(x < 0.15, -10.0, 0.2), smooth=smooth, none=np.zeros(len(x)))
    doubt = doubt_of(scored)
    assert doubt is not None
    assert doubt.found.significance < -3
    assert doubt.where.startswith("the signal, where")
    standing = standings(scored)
    assert recommended(standing, bounded=False) == "run"
    assert standing["run"].at_bound == pytest.approx(0.15, abs=0.01)
    assert recommended(standing, bounded=True) == "smooth"


def test_positive_densities_raise_no_doubt():
    rng = np.random.default_rng(3)
    x, label = rng.random(8000), np.arange(8000) % 2
    weight = np.where(rng.random(8000) < 0.8, 1.0, -1.0)
    scored = held_out(x, label, weight, one=4 * x - 2, other=x - 0.5)
    assert doubt_of(scored) is None
    assert recommended(standings(scored), bounded=False) == min(
        scored, key=lambda name: log_loss_of(scored[name]).value
    )


def test_the_noise_of_training_is_the_spread_of_the_folds_beyond_that_of_the_events():
    """Five folds, each with a shift of its own; without shifts nothing is left but for chance."""
    rng, n, shift = np.random.default_rng(4), 10_000, 0.02
    fold, share, found = np.arange(n) % 5, np.full(n, 2.0 / n), []
    for noise in (0.0, shift):
        spread = []
        for _ in range(200):
            values = rng.normal(0.0, 0.1, n) + (noise * rng.normal(size=5))[fold]
            difference = Influence(float(values.mean()), (values - values.mean()) / n)
            spread.append(training_noise(difference, share, fold))
        found.append(np.sqrt(np.mean(np.square(spread))))
    assert found[1] == pytest.approx(shift / np.sqrt(5), rel=0.15)
    assert found[0] < 0.1 * found[1]

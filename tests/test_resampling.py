"""Resampling: fewer events of one sign, the same sums and the same squared sums, everywhere."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import uproot
from hypothesis import given, settings
from hypothesis import strategies as st

from hepneg._core.hashing import uniform_events
from hepneg.config import load_config
from hepneg.errors import DataError
from hepneg.events import EventTable
from hepneg.friends import refine_files
from hepneg.signs.refinement import Refinement, refine
from hepneg.signs.resampling import resampled_weight

FAST = {"folds": 2, "network": {"hidden": [16, 16]}, "batch_size": 512, "epochs": 10}


def signed_line(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x in [0, 1], weights of random size, the mean sign 0.1 + 0.8x: positions, weights, exact signs."""
    rng = np.random.default_rng(seed)
    x = rng.random(n)
    sign = 0.1 + 0.8 * x
    return x, rng.lognormal(0.0, 0.5, n) * np.where(rng.random(n) < 0.5 + 0.5 * sign, 1, -1), sign


@settings(max_examples=100, deadline=None)
@given(
    sign=st.floats(-0.5, 1.3),
    magnitude=st.floats(1e-3, 1e3),
    largest=st.floats(1.0, 1e3),
)
def test_the_mean_over_the_draws_is_the_refined_weight(sign: float, magnitude: float, largest: float) -> None:
    """One event, the draw scanned over [0, 1): the mean is |w|max(ĝ, 0), that of squares w² where ĝ allows it."""
    uniform = (np.arange(20_000) + 0.5) / 20_000
    weight = resampled_weight(np.full(20_000, magnitude), np.full(20_000, sign), uniform, largest)
    assert (weight >= 0).all()
    assert np.unique(weight[weight > 0]).size <= 1
    assert weight.max() <= max(largest, sign) * magnitude * (1 + 1e-12)
    # The scan is off by one draw of 20 000 at most.
    assert weight.mean() == pytest.approx(magnitude * max(sign, 0.0), abs=max(largest, sign) * magnitude / 10_000)
    if 1 / largest <= sign <= 1:
        assert (weight**2).mean() == pytest.approx(magnitude**2, abs=(largest * magnitude) ** 2 / 10_000)


def test_sums_and_squared_sums_hold_in_every_bin() -> None:
    n = 200_000
    x, weight, sign = signed_line(n, 1)
    after = resampled_weight(np.abs(weight), sign, uniform_events(np.arange(n), 1, "resample"))
    place = (10 * x).astype(int)
    for power in (1, 2):
        refined = np.abs(weight) * sign if power == 1 else weight**2
        difference = np.bincount(place, after**power - refined)
        # The choice of the events has the variance E[ŵ^2k] − refined² of a Bernoulli draw with chance ĝ².
        variance = np.bincount(place, (np.abs(weight) / sign) ** (2 * power) * sign**2 - refined**2)
        assert (np.abs(difference) < 4.9 * np.sqrt(variance)).all()  # twenty tests: chance 2e-5
        # and the signed sums agree too: they fluctuate with the signs beside.
        if power == 1:
            signs = np.bincount(place, weight**2 * (1 - sign**2))
            total = np.bincount(place, after - weight)
            assert (np.abs(total) < 4.9 * np.sqrt(variance + signs)).all()


def test_where_the_sign_nearly_cancels_the_factor_is_bounded() -> None:
    uniform = uniform_events(np.arange(100_000), 3, "resample")
    weight = resampled_weight(np.ones(100_000), np.full(100_000, 0.01), uniform, largest=20.0)
    assert set(np.unique(weight)) == {0.0, 20.0}
    # 100 000 draws of chance 0.01/20 and weight 20: 1000 ± 20√50.
    assert weight.sum() == pytest.approx(1000, abs=4.5 * 20 * np.sqrt(50))


@pytest.fixture(scope="module")
def events() -> EventTable:
    x, weight, _ = signed_line(8000, 5)
    return EventTable.from_arrays(x[:, None], weight, np.ones(8000), feature_names=["x"])


@pytest.fixture(scope="module")
def refinement(events: EventTable) -> Refinement:
    return refine(events, **FAST)


def test_a_refinement_resamples_its_own_events(events: EventTable, refinement: Refinement) -> None:
    weight = refinement.resample(events, seed=4)
    assert (weight >= 0).all()
    assert np.array_equal(weight, refinement.resample(events, seed=4))
    assert not np.array_equal(weight > 0, refinement.resample(events, seed=5) > 0)
    part = np.arange(100, 900)
    assert np.array_equal(refinement.resample(events.select(part), seed=4), weight[part])  # chunks do not matter
    refined = refinement.held_out_weight(events)
    sign = refined / refinement.factors[0] / np.abs(events.weight)
    noise = np.sqrt((events.weight**2 * np.maximum(1 - sign**2, 0)).sum()) * refinement.factors[0]
    assert abs(weight.sum() - refined.sum()) < 4.5 * noise
    (report,) = refinement.resampled_samples(events, seed=4).values()
    assert report.kept_share == np.mean(weight > 0)
    assert abs(report.kept_share - np.mean(sign**2)) < 4.5 * 0.5 / np.sqrt(len(events))
    assert report.sum_ratio == pytest.approx(weight.sum() / events.weight.sum())
    assert report.square_ratio == pytest.approx((weight**2).sum() / (events.weight**2).sum())
    with pytest.raises(DataError, match=r"largest factor on \|w\| must be at least 1, not 0.5"):
        refinement.resample(events, largest=0.5)


def test_friend_files_hold_resampled_weights_where_asked(toy_analysis: Path, tmp_path: Path) -> None:
    config = load_config(toy_analysis)
    outcome = refine_files(config, tmp_path / "refined", resample=True)
    report = json.loads((tmp_path / "refined" / "refine.json").read_text())["resampled"]
    assert set(report) == set(outcome.resampled) == {"sig", "bkg"}
    for name, one in outcome.resampled.items():
        with uproot.open(tmp_path / "refined" / f"{name}.hepneg.root") as file:
            weight = file["hepneg"]["hepneg_resampled"].array(library="np")
        assert (weight >= 0).all()
        assert np.mean(weight > 0) == pytest.approx(one.kept_share)
        assert 0 < one.kept_share < 1
        assert report[name]["kept_share"] == pytest.approx(one.kept_share)

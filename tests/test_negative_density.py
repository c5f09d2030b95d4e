"""Where the density of a sample is negative, found at once in intervals and boxes, and told by `refine`."""

from __future__ import annotations

import json

import numpy as np
import pytest

from hepneg.cli.show import show_refinement
from hepneg.events import EventTable
from hepneg.shapes import negative_density
from hepneg.signs.refinement import Refinement, refine


def of(features: np.ndarray, weight: np.ndarray, label: int = 0) -> EventTable:
    names = [f"x{i}" for i in range(features.shape[1])]
    return EventTable.from_arrays(features, weight, np.full(len(weight), label), feature_names=names)


def with_a_negative_disc(n: int, seed: int) -> EventTable:
    """Two features, uniform in a square of side 4; within a radius of 0.8 the mean sign is −0.6, elsewhere 0.8."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2, 2, (n, 2))
    sign = np.where((x**2).sum(axis=1) < 0.64, -0.6, 0.8)
    return of(x, np.where(rng.random(n) < 0.5 + 0.5 * sign, 1.0, -1.0))


def with_a_negative_tail(n: int, seed: int) -> EventTable:
    """Two features, of which the first alone tells the sign: −0.5 above 0.9, 0.7 below."""
    rng = np.random.default_rng(seed)
    x = rng.random((n, 2))
    sign = np.where(x[:, 0] > 0.9, -0.5, 0.7)
    return of(x, np.where(rng.random(n) < 0.5 + 0.5 * sign, 1.0, -1.0))


def test_a_tail_of_one_feature_is_an_interval_and_not_a_box_as_well() -> None:
    found = negative_density(with_a_negative_tail(20_000, 1))
    (interval,) = found
    assert found.intervals == (interval,)
    assert interval.feature == "x0"
    assert interval.low == pytest.approx(0.9, abs=0.01)
    assert found.share == pytest.approx(0.1, abs=0.01)


def test_a_disc_is_a_box_of_both_features() -> None:
    # No feature alone shows it: a strip through its middle has the mean sign 0.8 − 1.4 · 0.4 > 0.
    events = with_a_negative_disc(40_000, 2)
    found = negative_density(events)
    assert not found.intervals
    assert found.boxes
    assert {cut.feature for cut in found.boxes[0].cuts} == {"x0", "x1"}
    # The disc is an eighth of the square; boxes hold most of it and little else.
    assert 0.6 * 0.126 < found.share < 1.4 * 0.126


def test_positive_densities_are_nowhere_negative() -> None:
    rng = np.random.default_rng(3)
    found = negative_density(of(rng.random((20_000, 3)), np.where(rng.random(20_000) < 0.7, 1.0, -1.0)))
    assert len(found) == 0
    assert found.share == 0.0


def test_one_feature_and_no_events() -> None:
    one = with_a_negative_tail(20_000, 4)
    assert len(negative_density(of(one.features[:, :1], one.weight))) == 1
    assert len(negative_density(one.select(np.zeros(len(one), bool)))) == 0


@pytest.fixture(scope="module")
def refinement() -> Refinement:
    return refine(with_a_negative_disc(40_000, 5), folds=2, epochs=8, network={"hidden": [16]})


def test_refine_reports_where_weights_cannot_close(
    refinement: Refinement, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    report = json.loads(json.dumps(refinement.to_dict()))["samples"]["background"]["negative_density"]
    assert report["intervals"] == []
    assert report["boxes"][0]["significance"] < -3
    assert report["share"] == pytest.approx(refinement.negative["background"].share)
    show_refinement(refinement)
    where = refinement.negative["background"].boxes[0].where
    assert (
        f"background: the density is negative, and lost to non-negative weights, in {where}" in capsys.readouterr().out
    )
    assert where.replace("<", "&lt;") in refinement._repr_html_()

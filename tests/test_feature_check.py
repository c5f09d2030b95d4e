"""Features that are finite, and yet nothing for a network: far values, sentinels, variations lost in float32."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import hepneg
from hepneg.errors import DataError, HepnegWarning
from hepneg.events import EventTable
from hepneg.learning.feature_range import check_features

FAST = {"folds": 2, "epochs": 2, "network": {"hidden": [4]}, "batch_size": 256}


def events_with(column: np.ndarray) -> EventTable:
    n = len(column)
    rng = np.random.default_rng(0)
    weight = np.where(rng.random(n) < 0.2, -1.0, 1.0)
    matrix = np.stack([rng.normal(size=n), column], axis=1)
    return EventTable.from_arrays(matrix, weight, np.arange(n) % 2, feature_names=["x", "odd"])


@pytest.mark.parametrize("task", [hepneg.train, hepneg.refine])
@pytest.mark.parametrize("value", [np.finfo("f4").max, np.finfo("f4").min, 1e16])
def test_a_sentinel_is_refused_with_its_name_and_place(task, value: float) -> None:
    column = np.random.default_rng(1).normal(size=2000)
    column[7] = value
    with pytest.raises(DataError, match="feature 'odd' is .* in selected event 7, out of a network's range"):
        task(events_with(column), **FAST)


def test_one_far_value_is_reported_with_a_remedy() -> None:
    column = np.random.default_rng(2).normal(size=20_000)
    column[5] = 1e6
    with pytest.warns(HepnegWarning, match=r"'odd': a few values as far as 1e\+06 .* clip\(odd, -3\.\d+, 3\.\d+\)"):
        check_features(events_with(column))


def test_a_variation_below_the_resolution_is_reported() -> None:
    with pytest.warns(HepnegWarning, match="'odd' varies by .* below the resolution of float32: subtract 1e"):
        check_features(events_with(1e8 + 10 * np.random.default_rng(3).normal(size=2000)))


@pytest.mark.parametrize("kind", ["normal", "exponential", "pareto", "padded", "constant", "flag", "rare flag", "run"])
def test_ordinary_features_pass_in_silence(kind: str) -> None:
    rng, n = np.random.default_rng(4), 20_000
    column = {
        "normal": rng.normal(size=n),
        "exponential": rng.exponential(50, n),
        "pareto": 30 * (1 + rng.pareto(4, n)),  # as a transverse momentum falls
        "padded": np.where(rng.random(n) < 0.05, -999.0, rng.normal(size=n)),
        "constant": np.full(n, 3.0),
        "flag": rng.random(n) < 0.3,
        "rare flag": rng.random(n) < 1e-4,
        "run": 350_000.0 + rng.integers(0, 1000, n),
    }[kind]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_features(events_with(column.astype(np.float64)))

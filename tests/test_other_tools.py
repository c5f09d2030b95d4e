"""The comparison of other tools on the real events: nobody judges what it has seen."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from hepneg._core.hashing import assign_folds
from hepneg.events import EventTable

FOLDER = Path(__file__).parents[1] / "analysis" / "ttbar_wjets"


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module("other_tools")


@pytest.fixture
def events() -> EventTable:
    rng = np.random.default_rng(1)
    label = np.arange(900) % 2
    weight = np.where(rng.random(900) < 0.25, -1.0, 1.0)
    return EventTable.from_arrays(rng.normal(size=(900, 2)) + label[:, None], weight, label)


class Memory:
    """A model that says of every event whether it was trained on it."""

    def fit(self, features: np.ndarray, label: np.ndarray, sample_weight: np.ndarray) -> Memory:
        self.seen = {row.tobytes() for row in features}
        sums = np.bincount(label, weights=sample_weight)
        assert sums[0] == pytest.approx(sums[1])
        return self

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        known = np.array([row.tobytes() in self.seen for row in features], dtype=np.float64)
        return np.stack([1 - known, known], axis=1)


def test_no_event_judges_a_model_that_saw_it(tools: ModuleType, events: EventTable) -> None:
    weight = np.tile(np.abs(events.weight)[:, None], tools.FOLDS)
    logit = tools.held_out_logit(Memory, events, weight)
    assert (logit < -10).all()


def test_every_fold_has_weights_of_networks_that_have_not_seen_it(tools: ModuleType, events: EventTable) -> None:
    weights = tools.train_weights(events, tools.QUICK)
    assert set(weights) == {"refined", "|w|", "w > 0 alone", "w"}
    refined = weights["refined"]
    assert refined.shape == (900, tools.FOLDS)
    assert (refined >= 0).all()
    # The signs of one fold are flipped: its own column may not change, as no network behind it has seen them.
    fold_of = assign_folds(events.event_id, tools.FOLDS, tools.SEED)
    flipped = np.where(fold_of == 2, np.abs(events.weight), events.weight)
    other = EventTable.from_arrays(events.features, flipped, events.label)
    again = tools.train_weights(other, tools.QUICK)["refined"]
    rest = fold_of != 2
    ratio = again[rest, 2] / refined[rest, 2]
    for label in (0, 1):  # but for the factor that keeps each sample's Σw
        chosen = events.label[rest] == label
        assert np.allclose(ratio[chosen], ratio[chosen][0], rtol=1e-5)
    assert not np.allclose(again[rest, 0] / refined[rest, 0], again[rest, 0][0] / refined[rest, 0][0], rtol=1e-3)


def test_the_table_pairs_every_row_with_the_first(tools: ModuleType, events: EventTable) -> None:
    logit = np.where(events.label == 1, 1.0, -1.0)
    text = tools.table(events, {"a": logit, "b": 0.5 * logit})
    first, second = text.splitlines()[2:]
    assert first.endswith("|  |  |")
    assert second.startswith("| b |")
    assert second.count("±") == 4

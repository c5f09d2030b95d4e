"""Schemes side by side: paired differences, failures as rows, a recommendation with its reason."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from hepneg.errors import ConfigError, TrainingError
from hepneg.events import EventTable
from hepneg.metrics import log_loss
from hepneg.models.training import train
from hepneg.schemes import make_scheme
from hepneg.schemes.context import FoldContext
from hepneg.schemes.fold_fit import FoldFit
from hepneg.studies.scheme_comparison import compare

FAST = {"folds": 2, "epochs": 3, "batch_size": 128, "network": {"hidden": [8]}}


@pytest.fixture(scope="module")
def events() -> EventTable:
    rng = np.random.default_rng(0)
    label = np.arange(1600) % 2
    weight = np.where(rng.random(1600) < 0.2, -1.0, 1.0)
    return EventTable.from_arrays(rng.normal(size=(1600, 2)) + label[:, None], weight, label)


def test_schemes_are_compared_on_the_same_events(events: EventTable) -> None:
    comparison = compare(events, ["absolute", "signed"], **FAST)
    best = comparison.recommended
    assert list(comparison.schemes) == ["absolute", "signed"]
    losses = {name: result.evaluation.loss.value for name, result in comparison.schemes.items()}
    assert best == min(losses, key=lambda name: losses[name])
    for name, result in comparison.schemes.items():
        assert result.loss_difference.value == pytest.approx(losses[name] - losses[best], abs=1e-12)
        own = train(events, name, **FAST).held_out_logit(events)  # the same folds and seed as a training alone
        assert result.evaluation.loss == log_loss(own, events.label, events.weight)
    other = next(name for name in losses if name != best)
    gap = comparison.schemes[other].loss_difference
    assert 0 < gap.error < comparison.schemes[other].evaluation.loss.error  # paired: known better than either
    assert best in comparison.reason


def test_the_dictionary_is_the_contract(events: EventTable) -> None:
    data = compare(events, ["absolute", "positive"], **FAST).to_dict()
    json.dumps(data, allow_nan=False)
    assert data["schema_version"] == 1
    assert data["recommended"] in data["schemes"]
    for figures in data["schemes"].values():
        assert {"auc", "auc_error", "loss", "loss_error", "loss_difference", "seconds"} <= set(figures)


@dataclass(frozen=True)
class Failing:
    """Train on nothing."""

    name: ClassVar[str] = "failing"

    def fit(self, context: FoldContext) -> FoldFit:
        raise TrainingError("it cannot be done")


def test_a_scheme_that_fails_is_a_row_and_not_a_crash(events: EventTable) -> None:
    comparison = compare(events, [Failing(), "absolute"], **FAST)
    assert comparison.failures == {"failing": "it cannot be done"}
    assert comparison.recommended == "absolute"
    assert comparison.reason == "absolute is the only scheme that was trained"
    with pytest.raises(TrainingError, match="no scheme could be trained: it cannot be done"):
        compare(events, [Failing()], **FAST)


@pytest.mark.parametrize("schemes", [[], ["signed", "signed"]])
def test_each_scheme_is_named_once(events: EventTable, schemes: list[str]) -> None:
    with pytest.raises(ConfigError, match="name each scheme once"):
        compare(events, schemes, **FAST)


def test_parameters_reach_their_scheme(events: EventTable) -> None:
    bounded = compare(events, ["signed"], parameters={"signed": {"logit_bound": 0.5}}, calibration="none", **FAST)
    shares = np.asarray(bounded.evaluations["signed"].response.axes["response"].centers)
    filled = np.asarray(bounded.evaluations["signed"].response.values()).any(axis=(0, 1))
    assert shares[filled].min() > 1 / (1 + np.exp(0.5)) - 0.03
    with pytest.raises(ConfigError, match="unknown scheme 'sined'"):
        compare(events, ["sined"], **FAST)


def test_scheme_objects_are_compared_as_names_are(events: EventTable) -> None:
    comparison = compare(events, ["absolute", make_scheme("signed", logit_bound=3.0)], **FAST)
    assert list(comparison.schemes) == ["absolute", "signed"]
    alone = compare(events, "signed", parameters={"signed": {"logit_bound": 3.0}}, **FAST)
    assert alone.schemes["signed"].evaluation.auc == comparison.schemes["signed"].evaluation.auc


@pytest.mark.parametrize(
    ("schemes", "options", "message"),
    [
        (["refined"], {"parameters": {"refind": {"members": 3}}}, "unknown scheme 'refind'; did you mean 'refined'"),
        (
            ["signed"],
            {"parameters": {"refined": {}}},
            "'refined', which is not compared by its name; known: .'signed'.",
        ),
        ([5], {}, "a scheme is a name"),
        (["signed", make_scheme("signed")], {}, "name each scheme once"),
        (["signed"], {"scheme": "refined"}, "the setting 'scheme' plays no part"),
    ],
)
def test_what_would_play_no_part_is_refused(
    events: EventTable, schemes: list[str], options: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        compare(events, schemes, **FAST, **options)


def test_a_comparison_shows_itself(events: EventTable) -> None:
    comparison = compare(events, ["absolute"], **FAST)
    assert "absolute" in repr(comparison)
    assert "<table>" in comparison._repr_html_()

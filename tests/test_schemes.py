"""The schemes: their training weights, their registry, their refusals."""

from __future__ import annotations

import inspect
from dataclasses import FrozenInstanceError, dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from hepneg.config import Training
from hepneg.errors import ConfigError
from hepneg.events import EventTable
from hepneg.schemes import (
    Scheme,
    as_scheme,
    make_scheme,
    scheme_names,
    scheme_parameters,
)


@pytest.fixture
def events() -> EventTable:
    rng = np.random.default_rng(0)
    n = 1000
    weight = rng.lognormal(size=n) * np.where(rng.random(n) < 0.3, -1, 1)
    return EventTable.from_arrays(rng.normal(size=(n, 3)), weight, np.arange(n) % 2)


@dataclass
class Recorder:
    """Stands in for a fold's context: keeps what a scheme hands to the loss."""

    events: EventTable
    training: Training = field(default_factory=lambda: Training.of(batch_size=128))

    @property
    def validation(self) -> EventTable:
        return self.events

    def train(self, train_weight: np.ndarray, **options: Any) -> SimpleNamespace:
        return SimpleNamespace(train_weight=train_weight, **options)


@pytest.mark.parametrize("name", scheme_names())
def test_every_scheme_says_in_one_line_what_it_trains_on_and_cannot_be_changed(name: str) -> None:
    scheme = make_scheme(name)
    assert isinstance(scheme, Scheme)
    assert scheme.name == name
    assert inspect.getdoc(type(scheme))
    with pytest.raises(FrozenInstanceError):
        scheme.members = 7  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("absolute", {}, np.abs),
        ("positive", {}, lambda w: np.maximum(w, 0)),
        ("signed", {}, np.array),
        ("paired", {"flavour": "nearest"}, np.array),
        ("paired", {"flavour": "stratified"}, np.array),
    ],
)
def test_training_weights(events: EventTable, name: str, options: dict[str, str], expected: Any) -> None:
    before = events.weight.copy()
    assert np.array_equal(make_scheme(name, **options).fit(Recorder(events)).train_weight, expected(events.weight))
    assert np.array_equal(events.weight, before)


@pytest.mark.parametrize(("name", "flavour"), [("signed", {}), ("paired", {"flavour": "nearest"})])
def test_signed_losses_are_guarded(events: EventTable, name: str, flavour: dict[str, str]) -> None:
    asked = make_scheme(name, logit_bound=7.0, clip_norm=0.5, **flavour).fit(Recorder(events))
    assert (asked.logit_bound, asked.clip_norm) == (7.0, 0.5)
    for index in asked.batches.epoch(np.random.default_rng(0)):
        for code in (0, 1):
            assert events.weight[index][events.label[index] == code].sum() > 0


@pytest.mark.parametrize("flavour", ["nearest", "stratified"])
def test_both_flavours_of_paired_hold_every_event(events: EventTable, flavour: str) -> None:
    epoch = make_scheme("paired", flavour=flavour).fit(Recorder(events)).batches.epoch(np.random.default_rng(0))
    assert sorted(epoch.order) == list(range(len(events)))


@pytest.mark.parametrize("surplus", [0.1, 3.0, 1e9])
def test_averages_over_cells_are_nowhere_negative_and_keep_the_sum_of_each_label(
    events: EventTable, surplus: float
) -> None:
    averaged = make_scheme("paired", flavour="averaged", surplus=surplus).fit(Recorder(events)).train_weight
    assert (averaged >= 0).all()
    assert not np.array_equal(averaged, np.abs(events.weight))
    for code in (0, 1):
        label = events.label == code
        assert averaged[label].sum() == pytest.approx(events.weight[label].sum())


def test_unknown_scheme_offers_the_nearest() -> None:
    with pytest.raises(ConfigError, match="unknown scheme 'abslute'; did you mean 'absolute'"):
        make_scheme("abslute")


def test_unknown_scheme_that_is_near_none_lists_them_all() -> None:
    with pytest.raises(ConfigError, match="unknown scheme 'foo'; known: ") as caught:
        make_scheme("foo")
    assert str(caught.value).endswith(", ".join(scheme_names()))


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("signed", {"logit_bund": 3}, "no parameter 'logit_bund'; did you mean 'logit_bound'"),
        ("absolute", {"x": 3}, "scheme 'absolute' has no parameter 'x'; it has none"),
        ("signed", {"logit_bound": -1.0}, "logit_bound must be positive"),
        ("signed", {"clip_norm": "much"}, "scheme 'signed': "),
        ("signed", {"logit_bound": float("inf")}, "logit_bound must be positive and finite, not inf"),
        ("paired", {"logit_bound": float("nan")}, "logit_bound must be positive and finite, not nan"),
        ("paired", {"clip_norm": 10**400}, "clip_norm must be positive and finite"),
        ("refined", {"members": 2.5}, "members must be a whole number of at least 1, not 2.5"),
        ("refined", {"members": True}, "members must be a whole number of at least 1, not True"),
        ("refined", {"members": 0}, "members must be a whole number of at least 1, not 0"),
        ("combined", {"members": "1e400"}, "members must be a whole number of at least 1, not '1e400' .text; YAML"),
        ("auto", {"patience": 1.5}, "patience must be a whole number of at least 1, not 1.5"),
        ("factorised", {"floor": "a"}, "floor must be between 0 and 1, not 'a'$"),
        ("mixture", {"floor": "1e-3"}, "floor must be between 0 and 1, not '1e-3' .text; YAML wants .* 1.0e-3.$"),
        ("mixture", {"floor": float("nan")}, "floor must be between 0 and 1, not nan"),
        ("mixture", {"floor": False}, "floor must be between 0 and 1, not False"),
        ("paired", {"flavour": "far"}, "flavour must be one of averaged, nearest, stratified, not 'far'"),
        ("paired", {"surplus": 0}, "surplus must be positive and finite, not 0"),
    ],
)
def test_bad_parameters_are_refused(name: str, parameters: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_scheme(name, **parameters)


def test_numbers_of_numpy_are_numbers() -> None:
    scheme = make_scheme("factorised", members=np.int64(3), floor=np.float32(0.25))
    assert scheme_parameters(scheme) == {"members": 3, "patience": 4, "floor": 0.25}


def test_a_scheme_is_given_in_three_ways() -> None:
    wanted = make_scheme("signed", logit_bound=3.0)
    assert as_scheme(wanted) is wanted
    assert as_scheme({"name": "signed", "logit_bound": 3.0}) == wanted
    assert as_scheme("signed") == make_scheme("signed")


@pytest.mark.parametrize("wanted", [5, None, {"members": 1}, {"name": 3}, type(make_scheme("signed")), object()])
def test_what_is_no_scheme_is_refused(wanted: object) -> None:
    with pytest.raises(ConfigError, match="a scheme is a name, a mapping .*; known: absolute, .*, auto"):
        as_scheme(wanted)

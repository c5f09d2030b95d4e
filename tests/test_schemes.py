"""The schemes: their training weights, their registry, their refusals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest

from hepneg.errors import ConfigError
from hepneg.events import EventTable
from hepneg.schemes import (
    Scheme,
    TrainingProblem,
    as_scheme,
    known,
    make_scheme,
    register,
    scheme_names,
    scheme_parameters,
)


@pytest.fixture
def events() -> EventTable:
    rng = np.random.default_rng(0)
    n = 1000
    weight = rng.lognormal(size=n) * np.where(rng.random(n) < 0.3, -1, 1)
    return EventTable.from_arrays(rng.normal(size=(n, 3)), weight, np.arange(n) % 2)


def test_every_scheme_is_a_documented_frozen_scheme(events: EventTable) -> None:
    assert scheme_names()[:4] == ("absolute", "positive", "signed", "paired")
    for name in scheme_names():
        scheme = make_scheme(name)
        assert isinstance(scheme, Scheme)
        assert scheme.name == name
        assert (type(scheme).__doc__ or "").startswith("Train on ")
        before = events.weight.copy()
        problem = scheme.problem(events, 128)
        assert problem.train_weight.shape == (len(events),)
        assert not np.shares_memory(problem.train_weight, events.weight)
        assert np.array_equal(events.weight, before)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("absolute", np.abs), ("positive", lambda w: np.maximum(w, 0)), ("signed", np.array), ("paired", np.array)],
)
def test_training_weights(events: EventTable, name: str, expected: object) -> None:
    assert np.array_equal(make_scheme(name).problem(events, 128).train_weight, expected(events.weight))  # type: ignore[operator]


@pytest.mark.parametrize("name", ["signed", "paired"])
def test_signed_losses_are_guarded(events: EventTable, name: str) -> None:
    problem = make_scheme(name, logit_bound=7.0, clip_norm=0.5).problem(events, 128)
    assert (problem.logit_bound, problem.clip_norm) == (7.0, 0.5)
    rng = np.random.default_rng(0)
    for index in problem.batches.epoch(rng):
        for code in (0, 1):
            assert events.weight[index][events.label[index] == code].sum() > 0


@pytest.mark.parametrize("flavour", ["nearest", "stratified"])
def test_both_flavours_of_paired_hold_every_event(events: EventTable, flavour: str) -> None:
    epoch = make_scheme("paired", flavour=flavour).problem(events, 128).batches.epoch(np.random.default_rng(0))
    assert sorted(epoch.order) == list(range(len(events)))


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
        ("paired", {"flavour": "far"}, "flavour must be one of nearest, stratified, not 'far'"),
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


def test_a_user_adds_a_scheme(events: EventTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "_schemes", replace(known._schemes, registered={}))

    @register
    @dataclass(frozen=True)
    class Halved:
        """Train on half of \\|w\\|."""

        name: ClassVar[str] = "halved"
        factor: float = 0.5

        def problem(self, events: EventTable, batch_size: int) -> TrainingProblem:
            own = make_scheme("absolute").problem(events, batch_size)
            return TrainingProblem(own.train_weight * self.factor, own.batches)

    assert "halved" in scheme_names()
    scheme = make_scheme("halved", factor=0.25)
    assert scheme_parameters(scheme) == {"factor": 0.25}
    assert np.array_equal(scheme.problem(events, 10).train_weight, 0.25 * np.abs(events.weight))

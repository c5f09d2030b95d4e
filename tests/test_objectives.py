"""Objectives: their registry, their refusals, and what they ask of a training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from hepneg.config import Config, Training, config_schema
from hepneg.errors import ConfigError
from hepneg.objectives import (
    DEFAULT_OBJECTIVES,
    Objective,
    Task,
    make_objective,
    objective_names,
    objective_parameters,
    register,
)

BASE: dict[str, Any] = {
    "weight": "w",
    "samples": {"a": {"label": "signal", "files": "a.root"}},
    "features": ["x"],
}


def test_every_objective_is_a_documented_frozen_objective() -> None:
    for name in objective_names():
        objective = make_objective(name)
        assert isinstance(objective, Objective)
        assert objective.name == name
        assert name in objective_names(objective.task)
        assert "Reference" in (type(objective).__doc__ or "")
        assert hash(objective) == hash(make_objective(name))


def test_every_task_has_a_default_of_its_own() -> None:
    for task, name in DEFAULT_OBJECTIVES.items():
        assert make_objective(name).task == task
        assert Training().make_objective(task).name == name


def test_an_objective_of_another_task_is_refused() -> None:
    @register
    @dataclass(frozen=True)
    class Odd:
        """Asks for something else."""

        name: ClassVar[str] = "odd"
        task: ClassVar[Task] = "regression"
        power: float = 1.0

        def make_loss(self) -> Any:
            """Return nothing: it is never trained."""

    assert "odd" in objective_names("regression")
    assert objective_parameters(make_objective("odd", power=2.0)) == {"power": 2.0}
    with pytest.raises(ConfigError, match="'odd' is for regression; for classification there are: cross_entropy"):
        Training.of(objective="odd").make_objective("classification")


@pytest.mark.parametrize(
    ("objective", "expected"),
    [
        ("cros_entropy", "training.objective: unknown objective 'cros_entropy'; did you mean 'cross_entropy'"),
        ({"name": "cross_entropy", "power": 2}, "objective 'cross_entropy' has no parameter 'power'; it has none"),
    ],
)
def test_mistakes_are_refused_when_the_file_is_loaded(objective: object, expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        Config.from_dict({**BASE, "training": {"objective": objective}})


def test_an_objective_may_be_a_plain_name_and_survives_a_round_trip() -> None:
    config = Config.from_dict({**BASE, "training": {"objective": "cross_entropy"}})
    assert config.training.objective is not None
    assert config.training.objective.make() == make_objective("cross_entropy")
    assert Config.from_dict(config.to_dict(), config.folder) == config
    assert "ObjectiveChoice" in config_schema()["$defs"]


@pytest.mark.parametrize(
    ("name", "parameters", "expected"),
    [
        ("balanced_cross_entropy", {"ratio": 1.0, "sensitivity": 0.8}, "give one of ratio, .* not ratio and sens"),
        ("balanced_cross_entropy", {"ratio": 0.0}, "ratio must be between 0.01 and 100, not 0.0"),
        ("balanced_cross_entropy", {"sensitivity": 1.0}, "sensitivity must be between 0 and 1, not 1.0"),
        ("balanced_cross_entropy", {"filter_strength": 0.0}, "filter_strength must be above 0"),
        ("balanced_cross_entropy", {"ratoi": 1.0}, "no parameter 'ratoi'; did you mean 'ratio'"),
        ("response_preference", {"share": 1.5}, "share must be between 0 and 1, not 1.5"),
        ("response_preference", {"low": 0.9, "high": 0.1}, r"low and high must be a range within \[0, 1\]"),
        ("response_preference", {"temperature": 0.0}, "temperature must be positive"),
        ("response_preference", {"price": -1.0}, "price must be positive"),
        ("response_preference", {"filter_strength": 2.0}, "filter_strength must be above 0 and at most 1"),
    ],
)
def test_bad_parameters_are_refused(name: str, parameters: dict[str, Any], expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        make_objective(name, **parameters)

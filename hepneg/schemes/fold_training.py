"""A cross-validated training as it is posed: what the networks of any of its folds follow from, wherever they run."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Unpack

import numpy as np
import torch
from numpy.typing import NDArray

from hepneg._core.class_names import TWO_CLASSES, require_two_classes
from hepneg._core.interruption import stoppable
from hepneg._core.progress import Task
from hepneg.config import REGRESSION_SCHEME, Settings, Training, ungraded_message
from hepneg.config import Task as TaskName
from hepneg.errors import ConfigError, DataError
from hepneg.events import EventTable
from hepneg.learning.checkpoint import FoldFiles
from hepneg.learning.feature_range import check_features
from hepneg.learning.history import Callback
from hepneg.learning.task import learning_task
from hepneg.objectives import Objective
from hepneg.schemes.context import FoldContext
from hepneg.schemes.fold_fit import FoldFit
from hepneg.schemes.scheme import Scheme, as_scheme, require_task
from hepneg.signs.pooling import pooled

__all__ = ["FoldTraining", "pose_training"]


@dataclass(frozen=True, eq=False)
class FoldTraining:
    """A cross-validated training, of which each fold can be trained by itself.

    Attributes:
        events: signed events: of both labels for a classification, with a target for a regression.
        scheme: trains the networks of each fold.
        training: the settings.
        objective: what is minimised, which says the task.
    """

    events: EventTable
    scheme: Scheme
    training: Training
    objective: Objective

    def under(self, scheme: Scheme) -> FoldTraining:
        """Return the training of the same events under another scheme.

        Raises:
            ConfigError: the scheme is not for the task.
            DataError: it is made for signal and background, and there are other classes.
        """
        require_task(scheme, self.objective.task)
        if self.objective.task == "classification":
            _require_knowledge_of(self.events.classes, scheme, self.objective, self.training)
        return replace(self, scheme=scheme)

    @cached_property
    def fold_of(self) -> NDArray[np.int8]:
        """The fold of each event, (n,)."""
        return self.events.folds(self.training.folds, self.training.seed)

    @cached_property
    def fingerprint(self) -> str:
        """A hash of all that the trained networks depend on."""
        digest = hashlib.sha256(json.dumps(self.training.model_dump(mode="json"), sort_keys=True).encode())
        digest.update(f"{self.scheme!r} {self.objective!r}".encode())
        events = self.events
        digest.update(repr((events.feature_names, events.sample_names)).encode())
        if events.classes != TWO_CLASSES:
            digest.update(repr(events.classes).encode())
        optional = [column for column in (events.target, events.grade, events.fold) if column is not None]
        if events.collections or events.categories:
            digest.update(repr(events.layout.to_json()).encode())
        objects = [array for part in events.collections.values() for array in (part.contents, part.offsets)]
        common = (events.weight, events.label, events.sample, events.event_id)
        for column in (*events.features.T, *common, *optional, *objects):
            digest.update(np.ascontiguousarray(column).tobytes())
        return digest.hexdigest()

    def files(self, folder: Path | None, fold: int, callback: Callback | None = None) -> FoldFiles:
        """Return the checkpoints of a fold's networks in a folder; None to keep none."""
        return FoldFiles(folder, fold, self.fingerprint if folder else "", callback)

    def require_finished(self, folder: Path) -> None:
        """Refuse a folder in which a fold is not finished.

        Raises:
            DataError: which ones, and whether they were trained from other events or settings.
        """
        standing = {fold: self.files(folder, fold).standing for fold in range(self.training.folds)}
        if changed := [fold for fold, state in standing.items() if state == "changed"]:
            raise DataError(
                f"{_named(changed)} in {folder} had other events or settings than this configuration gives: train "
                f"again with {_options(changed)}, or take that configuration"
            )
        if missing := [fold for fold, state in standing.items() if state == "unfinished"]:
            raise DataError(
                f"{_named(missing)} of {len(standing)} {'is' if len(missing) == 1 else 'are'} not finished in "
                f"{folder}: train with {_options(missing)} first"
            )

    def seconds_elsewhere(self, folder: Path | None) -> float:
        """Return what folds took that were trained as jobs of their own."""
        return sum(self.files(folder, fold).seconds for fold in range(self.training.folds)) if folder else 0.0

    def fit(
        self,
        fold: int,
        folder: Path | None,
        callback: Callback | None,
        device: torch.device,
        task: Task,
        stop: threading.Event,
    ) -> FoldFit:
        """Train the networks of one fold, from their checkpoints on.

        Args:
            fold: which.
            folder: of the checkpoints; None to keep none.
            callback: is told of every epoch.
            device: to train on.
            task: progress, from 0 to 1.
            stop: set from outside to stop at the end of the running epoch.

        Raises:
            Interrupted: ``stop`` was set.
            TrainingError: the events of the fold have nothing to teach, or the objective does not go with the scheme.
        """
        keep = self.files(folder, fold, callback)
        with stoppable(stop):
            return self.scheme.fit(
                FoldContext.of(fold, self.events, self.fold_of, self.training, self.objective, device, task, stop, keep)
            )


def pose_training(
    events: EventTable,
    scheme: str | Mapping[str, Any] | Scheme | None = None,
    task: TaskName = "classification",
    **settings: Unpack[Settings],
) -> FoldTraining:
    """Return what is to be trained, once everything about it is checked.

    Args:
        events: signed events.
        scheme: its name, a mapping of ``name`` and parameters, or a scheme object; left out, that of the settings, or
            of a regression.
        task: ``"classification"`` or ``"regression"``.
        settings: fields of :class:`hepneg.config.Training`.

    Raises:
        ConfigError: unknown scheme or setting, or one that is not for the task.
        DataError: a regression of events without a target, a feature out of a network's range, or what is made for
            signal and background where there are other classes.
        TrainingError: a label is missing, or its Σw is compatible with 0.

    Warns:
        HepnegWarning: a feature that networks hardly see; a sample without a positive sum, whose label's samples share
            one local mean sign.
    """
    training = Training.of(**settings)
    if task == "regression":
        events.required_target()
        scheme = scheme or REGRESSION_SCHEME
    chosen: Scheme = training.scheme.make() if scheme is None else as_scheme(scheme)
    require_task(chosen, task)
    objective = training.make_objective(task)
    if events.grade is not None and not getattr(objective, "graded", False):
        raise ConfigError(ungraded_message(objective.name))
    if task == "classification":
        _require_knowledge_of(events.classes, chosen, objective, training)
    events.require_simulated()
    grouped = pooled(events)
    check_features(grouped)
    learning_task(objective).require_trainable(grouped.weight, grouped)
    return FoldTraining(grouped, chosen, training, objective)


def _require_knowledge_of(classes: Sequence[str], scheme: Scheme, objective: Objective, training: Training) -> None:
    """Refuse what is made for signal and background where there are other classes.

    Raises:
        DataError: with what that is.
    """
    asked = {
        f"scheme {scheme.name!r}": not getattr(scheme, "several_classes", False),
        f"objective {objective.name!r}": not getattr(objective, "several_classes", False),
        "`network.output`": training.network.output is not None,
        "`activity`": training.activity is not None,
    }
    for what, wanted in asked.items():
        if wanted:
            require_two_classes(classes, what, "take another or leave it out, or ")


def _named(folds: Sequence[int]) -> str:
    return f"fold{'s' * (len(folds) > 1)} {', '.join(map(str, folds))}"


def _options(folds: Sequence[int]) -> str:
    return ", ".join(f"--fold {fold}" for fold in folds)

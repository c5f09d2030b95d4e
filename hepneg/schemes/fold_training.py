"""A cross-validated training as it is posed: what the networks of any of its folds follow from, wherever they run."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from hepneg._core.class_names import TWO_CLASSES
from hepneg._core.interruption import stoppable
from hepneg._core.progress import Task
from hepneg.config import Training
from hepneg.errors import DataError
from hepneg.events import EventTable
from hepneg.learning.checkpoint import FoldFiles
from hepneg.learning.feature_range import check_features
from hepneg.learning.history import Callback
from hepneg.learning.task import learning_task
from hepneg.objectives import Objective
from hepneg.schemes.context import FoldContext
from hepneg.schemes.fold_fit import FoldFit
from hepneg.schemes.scheme import Scheme

__all__ = ["FoldTraining"]


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

    def require_trainable(self) -> None:
        """Refuse events that cannot teach a network anything.

        Raises:
            DataError: a feature out of a network's range.
            TrainingError: a label is missing, or its Σw is compatible with 0.
        """
        self.events.require_simulated()
        check_features(self.events)
        learning_task(self.objective).require_trainable(self.events.weight, self.events)

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

    def fit(self, fold: int, device: torch.device, task: Task, stop: threading.Event, keep: FoldFiles) -> FoldFit:
        """Train the networks of one fold, from their checkpoints on.

        Args:
            fold: which.
            device: to train on.
            task: progress, from 0 to 1.
            stop: set from outside to stop at the end of the running epoch.
            keep: the checkpoints.

        Raises:
            Interrupted: ``stop`` was set.
            TrainingError: the events of the fold have nothing to teach, or the objective does not go with the scheme.
        """
        with stoppable(stop):
            return self.scheme.fit(
                FoldContext.of(fold, self.events, self.fold_of, self.training, self.objective, device, task, stop, keep)
            )


def _named(folds: Sequence[int]) -> str:
    return f"fold{'s' * (len(folds) > 1)} {', '.join(map(str, folds))}"


def _options(folds: Sequence[int]) -> str:
    return ", ".join(f"--fold {fold}" for fold in folds)

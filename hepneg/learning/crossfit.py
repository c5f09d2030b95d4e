"""k networks by cross-validation: each is tested on the fold that it has not seen."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hepneg._core.progress import SILENT, Progress, Task
from hepneg.config import Training
from hepneg.errors import TrainingError
from hepneg.events import EventTable
from hepneg.learning.checkpoint import FoldFiles
from hepneg.learning.feature_range import check_features
from hepneg.learning.fold import FoldFit, FoldTrainer
from hepneg.learning.pool import choose_device, run_folds
from hepneg.learning.task import make_learner
from hepneg.networks.inference import network_logits
from hepneg.objectives import Objective
from hepneg.schemes import Scheme, SignPlan
from hepneg.signs.local_signs import FEWEST, LocalSigns, SignFitter

__all__ = ["CrossFit", "crossfit", "crossfit_signs"]


@dataclass(frozen=True, eq=False)
class CrossFit:
    """The outcome of a cross-validated training.

    Attributes:
        folds: what each fold's training gave.
        fold_of: the fold of each event, (n,).
    """

    folds: tuple[FoldFit, ...]
    fold_of: NDArray[np.int8]

    def held_out_sign(self, events: EventTable, *, raw: bool = False) -> NDArray[np.float64] | None:
        """Return the local mean sign of each trained event by networks that have not seen it, (n,); None if unknown.

        Args:
            events: the events of the training.
            raw: as learnt, without its floor.
        """
        sign = np.empty(len(events))
        for number, fold in enumerate(self.folds):
            if fold.signs is None:
                return None
            members = np.flatnonzero(self.fold_of == number)
            sign[members] = fold.signs(events.select(members), raw)
        return sign

    def held_out_logits(self, events: EventTable) -> dict[str, NDArray[np.float64]]:
        """Return, for each scheme that every fold has the networks of, the held-out log-odds of the trained events.

        Args:
            events: the events of the training.

        Returns:
            (n,) by scheme; empty where a fold has learnt no signs.
        """
        names = [name for name in self.folds[0].parts if all(name in fold.parts for fold in self.folds)]
        logits = {name: np.empty(len(events)) for name in names}
        for number, fold in enumerate(self.folds):
            members = np.flatnonzero(self.fold_of == number)
            features = events.features.T[:, members].T
            for name, logit in logits.items():
                logit[members] = network_logits(fold.parts[name][0], features)
        return logits

    def only(self, scheme: str) -> CrossFit:
        """Return the training with the networks of one scheme alone."""
        return CrossFit(tuple(fold.only(scheme) for fold in self.folds), self.fold_of)


def crossfit(
    events: EventTable,
    scheme: Scheme,
    training: Training,
    objective: Objective | None = None,
    *,
    progress: Progress = SILENT,
    checkpoint: Path | None = None,
) -> CrossFit:
    """Train one network for each fold, as many at a time as there are cores.

    Each network runs on one thread of its own, so the result does not depend on the number of cores.

    Args:
        events: signed events: of both labels for a classification, with a target for a regression.
        scheme: poses the training problem of each fold.
        training: the settings.
        objective: what is minimised, which says the task; left out, the settings' for a classification.
        progress: shows a bar for each fold.
        checkpoint: folder that keeps the state of every fold after every epoch; training goes on from what it finds
            there if that was made from the same events and settings.

    Raises:
        ConfigError: the objective is for another task.
        TrainingError: a label is missing, or its Σw is compatible with 0, overall or among one fold's events; or the
            objective does not go with the scheme.
        KeyboardInterrupt: after Ctrl-C, once the running epochs are over and kept in ``checkpoint``.
    """
    events.require_simulated()
    check_features(events)
    chosen = objective or training.make_objective("classification")
    make_learner(chosen).require_trainable(events.weight, events)
    device = choose_device(training.device)
    fold_of = events.folds(training.folds, training.seed)
    fingerprint = _fingerprint(events, scheme, training, chosen) if checkpoint else ""

    def fit(fold: int, task: Task, stop: threading.Event) -> FoldFit:
        keep = FoldFiles(checkpoint, fold, fingerprint)
        return FoldTrainer.of(fold, events, fold_of, training, device, task, stop, keep, chosen).fit(scheme)

    folds = run_folds(fit, training.folds, device, progress, "training fold")
    return CrossFit(tuple(folds), fold_of)


def crossfit_signs(
    events: EventTable, plan: SignPlan, training: Training, *, progress: Progress = SILENT
) -> tuple[LocalSigns, ...]:
    """Learn the local mean sign of each sample on all events but those of one fold, for each fold.

    Args:
        events: signed events.
        plan: members and patience of the ensembles.
        training: the settings.
        progress: shows a bar for each fold.

    Raises:
        DataError: a feature out of a network's range.
        TrainingError: the events of a sample are all in one fold.
    """
    events.require_simulated()
    check_features(events)
    device = choose_device(training.device)
    fold_of = events.folds(training.folds, training.seed)
    _require_several_folds(events, fold_of)

    def fit(fold: int, task: Task, stop: threading.Event) -> LocalSigns:
        fitter = SignFitter(fold, plan, training, device, stop, FoldFiles(None, fold))
        signs = fitter.fit(events.select(fold_of != fold), "sample").cpu()
        task.advance()
        return signs

    return tuple(run_folds(fit, training.folds, device, progress, "refining fold"))


def _require_several_folds(events: EventTable, fold_of: NDArray[np.int8]) -> None:
    """Refuse a sample whose fold no network could learn about; a handful of events may share one by chance."""
    for code, name in enumerate(events.sample_names):
        folds = fold_of[events.sample == code]
        if len(folds) >= FEWEST and not np.ptp(folds):
            raise TrainingError(
                f"all {len(folds)} events of sample {name!r} are in one fold, so that no other fold can teach anything about them: "
                "identify events by more branches (`event_id:`)"
            )


def _fingerprint(events: EventTable, scheme: Scheme, training: Training, objective: Objective) -> str:
    """Hash all that the trained networks depend on."""
    digest = hashlib.sha256(json.dumps(training.model_dump(mode="json"), sort_keys=True).encode())
    digest.update(f"{scheme!r} {objective!r}".encode())
    digest.update(repr((events.feature_names, events.sample_names)).encode())
    targets = [column for column in (events.target, events.grade, events.fold) if column is not None]
    for column in (*events.features.T, events.weight, events.label, events.sample, events.event_id, *targets):
        digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()

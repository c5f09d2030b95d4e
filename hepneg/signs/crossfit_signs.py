"""Local mean signs by cross-validation, for weights that other tools train on."""

from __future__ import annotations

import threading

import numpy as np
import torch
from numpy.typing import NDArray

from hepneg._core.progress import SILENT, Progress, Task
from hepneg.config import Training
from hepneg.errors import TrainingError
from hepneg.events import EventTable
from hepneg.learning.checkpoint import FoldFiles
from hepneg.learning.feature_range import check_features
from hepneg.learning.pool import run_folds
from hepneg.signs.fit_signs import FEWEST, SignFitter
from hepneg.signs.local_signs import LocalSigns
from hepneg.signs.sign_plan import SignPlan

__all__ = ["crossfit_signs"]


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
    fold_of = events.folds(training.folds, training.seed)
    _require_several_folds(events, fold_of)

    def fit(fold: int, device: torch.device, task: Task, stop: threading.Event) -> LocalSigns:
        fitter = SignFitter(fold, plan, training, device, stop, FoldFiles(None, fold))
        signs = fitter.fit(events.select(fold_of != fold), "sample").cpu()
        task.advance()
        return signs

    return tuple(run_folds(fit, range(training.folds), training.device, progress, "refining fold"))


def _require_several_folds(events: EventTable, fold_of: NDArray[np.int8]) -> None:
    """Refuse a sample whose fold no network could learn about; a handful of events may share one by chance."""
    for code, name in enumerate(events.sample_names):
        folds = fold_of[events.sample == code]
        if len(folds) >= FEWEST and not np.ptp(folds):
            raise TrainingError(
                f"all {len(folds)} events of sample {name!r} are in one fold, so that no other fold can teach "
                "anything about them: identify events by more branches (`event_id:`)"
            )

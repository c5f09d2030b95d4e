"""One fold as a job of its own, anywhere: what it leaves are its checkpoints, from which the model is made later."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path

from hepneg._core.progress import SILENT, Progress, Task
from hepneg.errors import TrainingError
from hepneg.learning.history import Callback, in_turn
from hepneg.learning.pool import choose_device, run_folds
from hepneg.schemes.fold_training import FoldTraining

__all__ = ["train_fold"]


def train_fold(
    posed: FoldTraining, fold: int, folder: Path, *, progress: Progress = SILENT, callbacks: Sequence[Callback] = ()
) -> None:
    """Train the networks of one fold, from their checkpoints on, and leave them as checkpoints.

    :func:`hepneg.schemes.crossfit.crossfit` with this folder then has nothing left to train in this fold, and gives
    what it would have given by itself, bit for bit.

    Args:
        posed: events, scheme and settings.
        fold: which.
        folder: of the checkpoints; those of other folds may be there.
        progress: shows a bar.
        callbacks: are told of every epoch.

    Raises:
        ConfigError: there is no such fold.
        DataError: a feature out of a network's range.
        TrainingError: the events have nothing to teach; that is noted in the folder, and raised again by whoever makes
            the model.
        KeyboardInterrupt: after Ctrl-C, once the running epoch is over and kept.
    """
    posed.training.require_fold(fold)
    posed.require_trainable()
    keep, device = posed.files(folder, fold, in_turn(callbacks)), choose_device(posed.training.device)

    def fit(fold: int, task: Task, stop: threading.Event) -> None:
        posed.fit(fold, device, task, stop, keep)

    started = time.monotonic()
    try:
        run_folds(fit, [fold], device, progress, "training fold")
    except TrainingError:
        keep.finish(time.monotonic() - started)
        raise
    keep.finish(time.monotonic() - started)

"""One fold as a job of its own, anywhere: what it leaves are its checkpoints, from which the model is made later."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from hepneg._core.progress import SILENT, Progress
from hepneg.errors import TrainingError
from hepneg.learning.history import Callback, in_turn
from hepneg.learning.pool import run_folds
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
        ConfigError: there is no such fold, or no such device.
        TrainingError: the events of the fold have nothing to teach; that is noted in the folder, and raised again by
            whoever makes the model.
        KeyboardInterrupt: after Ctrl-C, once the running epoch is over and kept.
    """
    posed.training.require_fold(fold)
    told, files = in_turn(callbacks), posed.files(folder, fold)
    started = time.monotonic()
    try:
        run_folds(
            lambda fold, device, task, stop: posed.fit(fold, folder, told, device, task, stop),
            [fold],
            posed.training.device,
            progress,
            "training fold",
        )
    except TrainingError:
        files.finish(time.monotonic() - started)
        raise
    files.finish(time.monotonic() - started)

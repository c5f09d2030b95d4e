"""k networks by cross-validation: each is tested on the fold that it has not seen."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from hepneg.config import Training
from hepneg.errors import ConfigError
from hepneg.events import EventTable
from hepneg.hashing import assign_folds
from hepneg.learning.balance import require_trainable
from hepneg.learning.checkpoint import FoldCheckpoint
from hepneg.learning.fold import FoldFit, FoldTrainer
from hepneg.learning.loop import Interrupted
from hepneg.progress import SILENT, Progress
from hepneg.schemes import Scheme

__all__ = ["CrossFit", "choose_device", "crossfit"]


@dataclass(frozen=True, eq=False)
class CrossFit:
    """The outcome of a cross-validated training.

    Attributes:
        folds: what each fold's training gave.
        fold_of: the fold of each event, (n,).
    """

    folds: tuple[FoldFit, ...]
    fold_of: NDArray[np.int8]

    def held_out_sign(self, events: EventTable) -> NDArray[np.float64] | None:
        """Return the local mean sign of each trained event by networks that have not seen it, (n,); None if unknown."""
        sign = np.empty(len(events))
        for number, fold in enumerate(self.folds):
            if fold.signs is None:
                return None
            members = np.flatnonzero(self.fold_of == number)
            sign[members] = fold.signs(events.select(members))
        return sign


def crossfit(
    events: EventTable,
    scheme: Scheme,
    training: Training,
    *,
    progress: Progress = SILENT,
    checkpoint: Path | None = None,
) -> CrossFit:
    """Train one classifier for each fold, as many at a time as there are cores.

    Each network runs on one thread of its own, so the result does not depend on the number of cores.

    Args:
        events: signed events of both labels.
        scheme: poses the training problem of each fold.
        training: the settings.
        progress: shows a bar for each fold.
        checkpoint: folder that keeps the state of every fold after every epoch; training goes on from what it finds
            there if that was made from the same events and settings.

    Raises:
        TrainingError: a label is missing, or its Σw is compatible with 0, overall or among one fold's events.
        KeyboardInterrupt: after Ctrl-C, once the running epochs are over and kept in ``checkpoint``.
    """
    require_trainable(events.weight, events.label)
    device = choose_device(training.device)
    fold_of = assign_folds(events.event_id, training.folds, training.seed)
    fingerprint = _fingerprint(events, scheme, training) if checkpoint else ""
    stop = threading.Event()

    def fit(fold: int) -> FoldFit:
        if stop.is_set():
            raise Interrupted

        def keep(name: str) -> FoldCheckpoint | None:
            stem = f"fold_{fold}_{name}" if name else f"fold_{fold}"
            return FoldCheckpoint(checkpoint / f"{stem}.safetensors", fingerprint) if checkpoint else None

        return FoldTrainer.of(fold, events, fold_of, training, device, tasks[fold], stop, keep).fit(scheme)

    jobs = 1 if device.type == "cuda" else min(training.folds, _cores())
    with (
        progress,
        _single_threaded(),
        ThreadPoolExecutor(jobs, initializer=torch.set_num_threads, initargs=(1,)) as pool,
    ):
        tasks = [progress.task(f"training fold {fold}", 1.0) for fold in range(training.folds)]
        fitted = _collect([pool.submit(fit, fold) for fold in range(training.folds)], stop)
    return CrossFit(tuple(fitted), fold_of)


def choose_device(wanted: str) -> torch.device:
    """Return the device to train on: with ``auto`` a GPU where there is one.

    Raises:
        ConfigError: ``cuda`` was asked for, and there is none.
    """
    available = torch.cuda.is_available()
    if wanted == "cuda" and not available:
        raise ConfigError("training.device is 'cuda', but torch finds no GPU; use 'auto' or 'cpu'")
    return torch.device("cuda" if wanted != "cpu" and available else "cpu")


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _single_threaded() -> Iterator[None]:
    """Let torch use one thread an operation: networks this small lose time to more."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _collect(futures: list[Future[FoldFit]], stop: threading.Event) -> list[FoldFit]:
    """Wait for all folds. On Ctrl-C or an error the others end their running epoch first."""
    try:
        while wait(futures, timeout=0.2, return_when=FIRST_EXCEPTION).not_done:
            if any(future.done() and future.exception() for future in futures):
                break
    finally:
        stop.set()
        wait(futures)
    errors = [error for future in futures if (error := future.exception()) and not isinstance(error, Interrupted)]
    if errors:
        raise errors[0]
    return [future.result() for future in futures]


def _fingerprint(events: EventTable, scheme: Scheme, training: Training) -> str:
    """Hash all that the trained networks depend on."""
    digest = hashlib.sha256(json.dumps(training.model_dump(mode="json"), sort_keys=True).encode())
    digest.update(repr(scheme).encode())
    digest.update(repr(events.feature_names).encode())
    for column in (*events.features.T, events.weight, events.label, events.event_id):
        digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()

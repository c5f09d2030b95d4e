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
from hepneg.errors import ConfigError, TrainingError
from hepneg.events import EventTable
from hepneg.hashing import assign_folds, uniform_events
from hepneg.learning.balance import require_trainable
from hepneg.learning.checkpoint import FoldCheckpoint
from hepneg.learning.history import FoldHistory
from hepneg.learning.loop import FoldData, Interrupted, train_fold
from hepneg.learning.network import Architecture, ResponseNetwork, feature_scaling
from hepneg.progress import SILENT, Progress
from hepneg.schemes import Scheme, TrainingProblem

__all__ = ["CrossFit", "choose_device", "crossfit"]

Fitted = tuple[ResponseNetwork, FoldHistory]


@dataclass(frozen=True, eq=False)
class CrossFit:
    """The outcome of a cross-validated training.

    Attributes:
        networks: one for each fold, on the CPU.
        histories: one for each fold.
    """

    networks: tuple[ResponseNetwork, ...]
    histories: tuple[FoldHistory, ...]


def crossfit(
    events: EventTable,
    scheme: Scheme,
    training: Training,
    *,
    progress: Progress = SILENT,
    checkpoint: Path | None = None,
) -> CrossFit:
    """Train one network for each fold, as many at a time as there are cores.

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

    def fit(fold: int) -> Fitted:
        if stop.is_set():
            raise Interrupted
        data, problem = _pose(events, fold_of, fold, scheme, training)
        network = _new_network(events, data, problem, training, fold).to(device)
        keep = FoldCheckpoint(checkpoint / f"fold_{fold}.safetensors", fingerprint) if checkpoint else None
        return train_fold(fold, network, data, problem, training, task=tasks[fold], stop=stop, checkpoint=keep)

    jobs = 1 if device.type == "cuda" else min(training.folds, _cores())
    with (
        progress,
        _single_threaded(),
        ThreadPoolExecutor(jobs, initializer=torch.set_num_threads, initargs=(1,)) as pool,
    ):
        tasks = [progress.task(f"training fold {fold}", training.epochs) for fold in range(training.folds)]
        fitted = _collect([pool.submit(fit, fold) for fold in range(training.folds)], stop)
    networks = tuple(network.cpu() for network, _ in fitted)
    return CrossFit(networks, tuple(history for _, history in fitted))


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


def _collect(futures: list[Future[Fitted]], stop: threading.Event) -> list[Fitted]:
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


def _pose(
    events: EventTable, fold_of: NDArray[np.int8], fold: int, scheme: Scheme, training: Training
) -> tuple[FoldData, TrainingProblem]:
    """Split the events that a fold's network may see into training and validation, and pose its problem."""
    seen = fold_of != fold
    aside = uniform_events(events.event_id, training.seed, f"validation {fold}") < training.validation_fraction
    part, validation = events.select(seen & ~aside), events.select(seen & aside)
    for table, what in ((part, "training"), (validation, "validation")):
        try:
            require_trainable(table.weight, table.label, significance=0.0)
        except TrainingError as error:
            raise TrainingError(f"fold {fold}, {what} events: {error}; use fewer folds or more events") from None
    data = FoldData(part.features, part.label, validation.features, validation.label, validation.weight)
    return data, scheme.problem(part, training.batch_size)


def _new_network(
    events: EventTable, data: FoldData, problem: TrainingProblem, training: Training, fold: int
) -> ResponseNetwork:
    shape = training.network
    network = ResponseNetwork(
        Architecture(len(events.feature_names), shape.hidden, shape.activation, problem.logit_bound)
    )
    seed = np.random.SeedSequence([abs(training.seed), fold]).generate_state(1, np.uint64)[0]
    network.initialise(torch.Generator().manual_seed(int(seed >> np.uint64(1))), *feature_scaling(data.features))
    return network


def _fingerprint(events: EventTable, scheme: Scheme, training: Training) -> str:
    """Hash all that the trained networks depend on."""
    digest = hashlib.sha256(json.dumps(training.model_dump(mode="json"), sort_keys=True).encode())
    digest.update(repr(scheme).encode())
    digest.update(repr(events.feature_names).encode())
    for column in (*events.features.T, events.weight, events.label, events.event_id):
        digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()

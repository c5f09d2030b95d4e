"""One job for each fold, as many at a time as there are cores."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import TypeVar

import torch

from hepneg._core.progress import Progress, Task
from hepneg._core.worker_process import cores
from hepneg.errors import ConfigError
from hepneg.learning.loop import Interrupted
from hepneg.networks.inference import one_thread, use_one_thread

__all__ = ["choose_device", "run_folds"]

Result = TypeVar("Result")


def run_folds(
    job: Callable[[int, torch.device, Task, threading.Event], Result],
    folds: Iterable[int],
    wanted: str,
    progress: Progress,
    description: str,
) -> list[Result]:
    """Run a job for each fold and return the results in order.

    Each job runs on one thread of its own, so the result does not depend on the number of cores.

    Args:
        job: takes the fold, the device, its progress bar, from 0 to 1, and the event that asks it to stop.
        folds: which.
        wanted: the device, as :func:`choose_device` takes it; on a GPU, jobs run one after the other.
        progress: shows a bar for each fold.
        description: of the bars.

    Raises:
        ConfigError: there is no such device.
        KeyboardInterrupt: after Ctrl-C, once the running epochs are over.
    """
    device, stop, numbers = choose_device(wanted), threading.Event(), list(folds)

    def run(fold: int) -> Result:
        if stop.is_set():
            raise Interrupted
        return job(fold, device, tasks[fold], stop)

    jobs = 1 if device.type == "cuda" else min(len(numbers), cores())
    with (
        progress,
        one_thread(),
        ThreadPoolExecutor(jobs, initializer=use_one_thread) as pool,
    ):
        tasks = {fold: progress.task(f"{description} {fold}", 1.0) for fold in numbers}
        return _collect([pool.submit(run, fold) for fold in numbers], stop)


def choose_device(wanted: str) -> torch.device:
    """Return the device to train on: with ``auto`` a GPU where there is one.

    Raises:
        ConfigError: ``cuda`` was asked for, and there is none.
    """
    available = torch.cuda.is_available()
    if wanted == "cuda" and not available:
        raise ConfigError("training.device is 'cuda', but torch finds no GPU; use 'auto' or 'cpu'")
    return torch.device("cuda" if wanted != "cpu" and available else "cpu")


def _collect(futures: list[Future[Result]], stop: threading.Event) -> list[Result]:
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

"""Files in parallel: worker processes that report their progress and end with the process that started them."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

from hepneg._core.progress import Task
from hepneg._core.worker_process import live_with_parent
from hepneg.errors import OutputError
from hepneg.friends.outcome import FriendFile
from hepneg.friends.plan import Job, Settings
from hepneg.friends.score import Engine, make_friend
from hepneg.models.loading import load_model

__all__ = ["make_friends_in_parallel"]

_POLL_SECONDS = 0.1
_WORKER: dict[str, Any] = {}


class _StoppedError(Exception):
    """The parent process asks the worker to give up its file."""


def make_friends_in_parallel(
    jobs: Sequence[Job], settings: Settings, graph: bytes | None, workers: int, bar: Task
) -> list[FriendFile]:
    """Write the friend files of several inputs in several processes.

    The processes are spawned, not forked: a forked copy of torch's threads hangs.

    Args:
        jobs: inputs and friend files.
        settings: how to do it.
        graph: of the mean of the networks, for onnxruntime; None for torch.
        workers: number of processes; each uses one thread for the networks.
        bar: counts files, in fractions.

    Raises:
        HepnegError: the first that a job raises; running jobs are given up, what is finished stays.
        OutputError: a worker was killed.
    """
    context = multiprocessing.get_context("spawn")
    done, stop = context.Value("d", 0.0), context.Event()
    with ProcessPoolExecutor(workers, context, _start, (settings, graph, done, stop)) as pool, _stopping(stop):
        futures = [pool.submit(_work, job) for job in jobs]
        try:
            _watch(futures, done, bar)
            return [future.result() for future in futures]
        except BrokenProcessPool:
            raise OutputError(
                "a worker process was killed, perhaps for want of memory; run again with fewer "
                "--jobs: finished files are kept"
            ) from None
        finally:
            for future in futures:
                future.cancel()


@contextmanager
def _stopping(stop: Any) -> Iterator[None]:
    """Ask the workers to give up as soon as anything is raised, Ctrl-C included."""
    try:
        yield
    except BaseException:
        stop.set()
        raise


def _watch(futures: Sequence[Future[FriendFile]], done: Any, bar: Task) -> None:
    """Move the bar until all is done or something fails."""
    pending, shown = set(futures), 0.0
    while pending:
        finished, pending = wait(pending, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
        # Read without the lock: a worker that was killed may hold it for ever.
        total = float(done.get_obj().value)
        bar.advance(total - shown)
        shown = total
        for future in finished:
            future.result()


def _start(settings: Settings, graph: bytes | None, done: Any, stop: Any) -> None:
    """Prepare a worker: one thread, no Ctrl-C of its own, an end with its parent."""
    from hepneg.networks.inference import use_one_thread

    live_with_parent()
    use_one_thread()
    engine = Engine.of(load_model(settings.model), graph)
    _WORKER.update(settings=settings, done=done, stop=stop, engine=engine)


def _work(job: Job) -> FriendFile:
    return make_friend(job, _WORKER["engine"], _WORKER["settings"], _advance)


def _advance(share: float) -> None:
    if _WORKER["stop"].is_set():
        raise _StoppedError
    with _WORKER["done"].get_lock():
        _WORKER["done"].value += share

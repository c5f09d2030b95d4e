"""Folds as tasks of a Dask cluster: their checkpoints come back, and those that a lost worker had are repeated."""

from __future__ import annotations

import queue
import uuid
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import CancelledError
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, cast

from hepneg._core.interruption import Interrupted
from hepneg._core.output import atomic_path
from hepneg._core.progress import SILENT, Progress, Task, Unopened
from hepneg.errors import TrainingError
from hepneg.learning.history import Callback, EpochRecord, in_turn
from hepneg.networks.inference import use_one_thread
from hepneg.schemes.fold_jobs import train_fold
from hepneg.schemes.fold_training import FoldTraining

if TYPE_CHECKING:
    from distributed import Client, Future

    from hepneg.events import EventTable

__all__ = ["train_on_cluster"]

_POLL_SECONDS = 0.2
Files = dict[str, bytes]


def train_on_cluster(
    trainings: Mapping[Path, FoldTraining],
    client: Client,
    *,
    progress: Progress = SILENT,
    callbacks: Sequence[Callback] = (),
) -> None:
    """Train all folds that are not finished yet on the workers of a cluster, and leave them as checkpoints.

    The events go to the workers once and the checkpoints of finished folds come back, so that no file system is shared.
    A fold whose worker is lost is trained again on another, from its beginning. Each runs on one thread.

    Args:
        trainings: what to train, by the folder of its checkpoints.
        client: of the cluster.
        progress: shows a bar for each fold.
        callbacks: are told here of every epoch; a network that they end may train for some epochs more before that is
            known where it runs, and a fold that is repeated is told again.

    Raises:
        TrainingError: the cluster is lost, or a fold has lost several workers. Of a training that fails itself, the
            model is what raises, from what is left here.
        KeyboardInterrupt: on Ctrl-C; finished folds are kept.
    """
    with progress:
        jobs = _Jobs(client, in_turn(callbacks))
        with warnings.catch_warnings():  # Dask would rather have large data on the workers, where they can be lost
            warnings.filterwarnings("ignore", message="Sending large graph", category=UserWarning)
            jobs.submit(trainings, progress)
        try:
            jobs.wait()
        finally:
            jobs.end()


@dataclass(frozen=True)
class _Job:
    folder: Path
    fold: int
    task: Task


class _Jobs:
    """The tasks that are under way, and what they report."""

    def __init__(self, client: Client, callback: Callback | None) -> None:
        self.client, self.callback = client, callback
        self.topic = f"hepneg-{uuid.uuid4().hex}"
        self.pending: dict[Future, _Job] = {}
        self.bars: dict[str, _Job] = {}
        self.failed: set[Path] = set()
        self.messages: queue.SimpleQueue[Mapping[str, Any]] = queue.SimpleQueue()
        client.subscribe_topic(self.topic, lambda event: self.messages.put(event[1]))

    def submit(self, trainings: Mapping[Path, FoldTraining], progress: Progress) -> None:
        """Send out every fold that is not finished."""
        tables: dict[int, Future] = {}
        for folder, posed in trainings.items():
            name = f"{folder.name}: " if len(trainings) > 1 else ""
            for fold in range(posed.training.folds):
                if posed.files(folder, fold).standing == "done":
                    continue
                events = tables.setdefault(id(posed.events), self.client.submit(_given, posed.events, pure=False))
                job = _Job(folder, fold, progress.task(f"{name}training fold {fold}", 1.0))
                key = f"{self.topic}-{len(self.bars)}"
                self.bars[key] = job
                empty = replace(posed, events=cast("EventTable", None))
                arguments = (key, self.topic, events, empty, fold, self.callback is not None)
                self.pending[self.client.submit(_train_fold, *arguments, key=key, pure=False)] = job
        self.trainings = {job.folder for job in self.bars.values()}

    def wait(self) -> None:
        """Take what comes until all is there."""
        while self.pending:
            self._read_messages(_POLL_SECONDS)
            for future in [future for future in self.pending if future.done()]:
                self._take(future, self.pending.pop(future))
            if self.trainings == self.failed:
                return  # whoever makes the models meets the same
        self._read_messages(0.0)

    def end(self) -> None:
        """Stop what still runs."""
        if self.pending:
            from distributed import Event

            Event(self.topic, client=self.client).set()
            self.client.cancel(list(self.pending))
        self.client.unsubscribe_topic(self.topic)

    def _take(self, future: Future, job: _Job) -> None:
        """Write the checkpoints of a fold that is finished."""
        files, failed = self._result(future, job.fold)
        for name, content in files.items():
            with atomic_path(job.folder / name) as temporary:
                temporary.write_bytes(content)
        if failed:
            self.failed.add(job.folder)

    def _result(self, future: Future, fold: int) -> tuple[Files, bool]:
        from distributed import KilledWorker

        try:
            result: tuple[Files, bool] = future.result()
        except CancelledError:
            raise TrainingError(
                f"the Dask cluster was lost while fold {fold} was trained; folds that were finished are kept"
            ) from None
        except KilledWorker:
            raise TrainingError(
                f"every worker that trained fold {fold} was lost, perhaps for want of memory; folds that were finished "
                "are kept"
            ) from None
        return result

    def _read_messages(self, seconds: float) -> None:
        """Pass on what the folds report, and wait a little for it."""
        try:
            message = self.messages.get(timeout=seconds) if seconds else self.messages.get_nowait()
            while True:
                self._read(message)
                message = self.messages.get_nowait()
        except queue.Empty:
            return

    def _read(self, message: Mapping[str, Any]) -> None:
        job = self.bars[message["job"]]
        if "record" not in message:
            job.task.advance(message["step"], message["note"])
        elif self.callback is not None and self.callback(
            job.fold, message["network"], EpochRecord(**message["record"])
        ):
            from distributed import Event

            Event(f"{message['job']}-{message['network']}", client=self.client).set()


def _given(events: EventTable) -> EventTable:
    """Return the events: as the result of a task they are sent again to whoever has lost them."""
    return events


def _train_fold(
    job: str, topic: str, events: EventTable, empty: FoldTraining, fold: int, told: bool
) -> tuple[Files, bool]:
    """Train a fold on a worker; return its checkpoints by file name, and whether it failed."""
    use_one_thread()
    report, failed = _Report(job, topic, told), False
    with TemporaryDirectory() as folder:
        try:
            train_fold(replace(empty, events=events), fold, Path(folder), progress=report, callbacks=[report.epoch])
        except TrainingError:
            failed = True
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}, failed


class _Report(Unopened):
    """Tells from a worker how far it is, and asks whether to go on."""

    def __init__(self, job: str, topic: str, told: bool) -> None:
        from distributed import Event, get_client, get_worker

        self.worker, self.client = get_worker(), get_client()
        self.job, self.topic, self.told = job, topic, told
        self.stop = Event(topic, client=self.client)

    def task(self, description: str, total: float | None = None) -> Task:  # noqa: ARG002
        """Return itself: a fold has one bar."""
        return self

    def advance(self, step: float = 1.0, note: str = "") -> None:
        """Report a step."""
        self._send(step=step, note=note)

    def epoch(self, fold: int, network: str, record: EpochRecord) -> bool:  # noqa: ARG002
        """Report an epoch, and return whether it is to be the last of its network."""
        from distributed import Event

        if self.stop.is_set():
            raise Interrupted
        if not self.told:
            return False
        self._send(network=network, record=asdict(record))
        return bool(Event(f"{self.job}-{network}", client=self.client).is_set())

    def _send(self, **message: Any) -> None:
        self.worker.log_event(self.topic, {"job": self.job, **message})

"""The training of one network: epochs, a running average of the parameters, early stopping on the signed loss."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hepneg.config import Training
from hepneg.learning.checkpoint import FoldCheckpoint, FoldState, Tensors
from hepneg.learning.history import EpochRecord, FoldHistory
from hepneg.learning.inference import network_logits
from hepneg.learning.network import ResponseNetwork
from hepneg.metrics import log_loss
from hepneg.progress import Task
from hepneg.schemes import TrainingProblem

__all__ = ["FoldData", "Interrupted", "balanced_weight", "train_epoch", "train_fold"]

AVERAGE_DECAY = 0.998  # the average reaches back some 500 steps
PLATEAU, PLATEAU_FACTOR = 3, 0.4  # the learning rate falls after every third epoch in a row without improvement
IMPROVEMENT = 1e-6  # nats; less is rounding


class Interrupted(Exception):  # noqa: N818 - a request, not an error
    """Training was asked to stop; what was done up to the last whole epoch is in the checkpoint."""


@dataclass(frozen=True, eq=False)
class FoldData:
    """The events of one fold's training.

    Attributes:
        features: of the training events, (n, F) float32.
        target: their labels, (n,) of 0 and 1.
        validation_features: of the events that only judge when to stop, (m, F) float32.
        validation_label: (m,) of 0 and 1.
        validation_weight: signed, (m,) float64.
    """

    features: NDArray[np.float32]
    target: NDArray[np.int8]
    validation_features: NDArray[np.float32]
    validation_label: NDArray[np.int8]
    validation_weight: NDArray[np.float64]


def balanced_weight(train_weight: NDArray[np.float64], target: NDArray[np.int8]) -> NDArray[np.float32]:
    """Scale the weights of each label to the same sum, n/2: the log-odds are then those of equal priors."""
    balanced = np.empty(len(target), dtype=np.float32)
    for code in (0, 1):
        members = target == code
        balanced[members] = train_weight[members] * (0.5 * len(target) / train_weight[members].sum())
    return balanced


def train_epoch(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    average: list[torch.Tensor],
    table: torch.Tensor,
    batches: Sequence[torch.Tensor],
    *,
    clip_norm: float | None = None,
    first_step: int = 0,
) -> float:
    """Take one optimiser step for each batch and update the running average of the parameters.

    Args:
        network: takes (n, F), gives (n,).
        optimizer: of its parameters.
        average: the averaged parameters, changed in place.
        table: features, target and weight side by side, (n, F + 2), so that a batch is one gather.
        batches: event indices of each batch.
        clip_norm: largest norm of the gradient, or None.
        first_step: steps taken before; the average forgets its start quickly while there are few.

    Returns:
        The loss averaged over the events of the epoch, as the network went through it.
    """
    parameters = list(network.parameters())
    values = [parameter.detach() for parameter in parameters]
    total = torch.zeros((), device=table.device)
    for step, index in enumerate(batches, start=first_step):
        rows = table.index_select(0, index)
        optimizer.zero_grad(set_to_none=True)
        logit = network(rows[:, :-2])
        loss = nn.functional.binary_cross_entropy_with_logits(
            logit, rows[:, -2], weight=rows[:, -1], reduction="sum"
        ) / len(index)
        loss.backward()  # type: ignore[no-untyped-call]
        if clip_norm is not None:
            nn.utils.clip_grad_norm_(parameters, clip_norm)
        optimizer.step()
        torch._foreach_lerp_(average, values, 1 - min(AVERAGE_DECAY, (1 + step) / (10 + step)))
        total += loss.detach() * len(index)
    return float(total) / sum(len(index) for index in batches)


@dataclass(eq=False)
class _Run:
    """A fold in training: what changes from epoch to epoch."""

    network: ResponseNetwork
    optimizer: torch.optim.Optimizer
    average: list[torch.Tensor]
    best: Tensors
    records: list[EpochRecord] = field(default_factory=list)

    @classmethod
    def start(cls, network: ResponseNetwork, training: Training) -> _Run:
        optimizer = torch.optim.AdamW(
            network.parameters(), lr=training.learning_rate, weight_decay=training.weight_decay, fused=True
        )
        average = [parameter.detach().clone() for parameter in network.parameters()]
        return cls(network, optimizer, average, _copy(network.state_dict()))

    def restore(self, state: FoldState) -> None:
        """Continue from a checkpoint."""
        device = self.network.mean.device
        self.network.load_state_dict(state.network)
        self.average = [state.average[str(i)].to(device) for i in range(len(self.average))]
        self.best = {name: value.to(device) for name, value in state.best.items()}
        self.records = list(state.history.epochs)
        moments: dict[int, Tensors] = {}
        for key, value in state.optimizer.items():
            number, _, name = key.partition(".")
            moments.setdefault(int(number), {})[name] = value
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": moments})

    def state(self, history: FoldHistory) -> FoldState:
        """Return what a checkpoint keeps."""
        average = {str(i): value for i, value in enumerate(self.average)}
        moments = self.optimizer.state_dict()["state"]
        flat = {f"{number}.{name}": value for number, group in moments.items() for name, value in group.items()}
        return FoldState(_copy(self.network.state_dict()), _copy(average), self.best, _copy(flat), history)

    @property
    def best_epoch(self) -> int:
        """The epoch with the lowest signed validation loss, from 1; 0 before the first."""
        return _best_epoch(self.records)

    @contextmanager
    def averaged(self) -> Iterator[ResponseNetwork]:
        """Give the network its averaged parameters for a while."""
        values = [parameter.detach() for parameter in self.network.parameters()]
        current = [value.clone() for value in values]
        torch._foreach_copy_(values, self.average)
        try:
            yield self.network
        finally:
            torch._foreach_copy_(values, current)


def _copy(tensors: Tensors) -> Tensors:
    return {name: tensor.detach().cpu().clone() for name, tensor in tensors.items()}


def _best_epoch(records: Sequence[EpochRecord]) -> int:
    best, lowest = 0, math.inf
    for record in records:
        if record.validation_loss < lowest - IMPROVEMENT:
            best, lowest = record.epoch, record.validation_loss
    return best


def _learning_rate(records: Sequence[EpochRecord], start: float) -> float:
    """Return the rate of the next epoch: reduced after every third epoch in a row that brought no improvement.

    A function of the history alone, so that a resumed training takes the same steps.
    """
    rate = start
    for seen in range(1, len(records) + 1):
        stale = seen - _best_epoch(records[:seen])
        if stale and stale % PLATEAU == 0:
            rate *= PLATEAU_FACTOR
    return rate


def _stop_reason(records: Sequence[EpochRecord], training: Training) -> str:
    """Return why training ends after these epochs, or an empty string."""
    if not records:
        return ""
    last = records[-1]
    if not (math.isfinite(last.train_loss) and math.isfinite(last.validation_loss)) or last.train_loss < 0:
        return "diverged"
    if last.epoch - _best_epoch(records) >= training.patience:
        return "patience"
    return "epochs" if last.epoch >= training.epochs else ""


def _message(records: Sequence[EpochRecord], fold: int, reason: str) -> str:
    """Say honestly when the loss ran away: the training loss left what is possible, or the validation loss exploded."""
    if not records:
        return ""
    best, last = records[max(_best_epoch(records), 1) - 1], records[-1]
    exploded = last.validation_loss > best.validation_loss + 5 * best.validation_error
    if reason != "diverged" and not exploded:
        return ""
    return (
        f"fold {fold}: the signed loss ran away: by epoch {last.epoch} the training loss was {last.train_loss:.3g} while "
        f"the validation loss went from {best.validation_loss:.4f} ± {best.validation_error:.4f} (epoch {best.epoch}, "
        f"which is kept) to {last.validation_loss:.4g}; a bounded scheme or larger batches are safer here"
    )


def train_fold(
    fold: int,
    network: ResponseNetwork,
    data: FoldData,
    problem: TrainingProblem,
    training: Training,
    *,
    task: Task,
    stop: threading.Event,
    checkpoint: FoldCheckpoint | None = None,
) -> tuple[ResponseNetwork, FoldHistory]:
    """Train one network, from its checkpoint on where there is one.

    The state that is kept is the running average of the parameters at the epoch with the lowest signed validation
    loss. The random numbers of an epoch follow from (seed, fold, epoch).

    Args:
        fold: the fold that the network does not see.
        network: initialised, on its device; trained in place.
        data: the events.
        problem: weights, batches and guards of the scheme.
        training: the settings.
        task: progress, one step an epoch.
        stop: set from outside to stop at the end of the running epoch.
        checkpoint: where the state is kept after each epoch; None to keep none.

    Returns:
        The network in its best state, and its history.

    Raises:
        Interrupted: ``stop`` was set before training was over.
    """
    started = time.monotonic()
    run, before = _Run.start(network, training), 0.0
    saved = checkpoint.load() if checkpoint else None
    if saved is not None:
        run.restore(saved)
        before = saved.history.seconds
        task.advance(len(run.records))
    device = network.mean.device
    table = _table(data, problem).to(device)
    while True:
        reason = _stop_reason(run.records, training)
        history = FoldHistory(
            fold,
            tuple(run.records),
            max(run.best_epoch, 1),
            reason,
            before + time.monotonic() - started,
            _message(run.records, fold, reason),
        )
        if checkpoint and run.records:
            checkpoint.save(run.state(history))
        if reason:
            break
        if stop.is_set():
            raise Interrupted
        _one_epoch(run, fold, table, data, problem, training)
        last = run.records[-1]
        task.advance(note=f"signed loss {last.validation_loss:.4f} ± {last.validation_error:.4f}")
    task.advance(training.epochs - len(run.records))
    network.load_state_dict(run.best)
    return network.eval(), history


def _table(data: FoldData, problem: TrainingProblem) -> torch.Tensor:
    n, inputs = data.features.shape
    table = np.empty((n, inputs + 2), dtype=np.float32)
    table[:, :inputs] = data.features
    table[:, -2] = data.target
    table[:, -1] = balanced_weight(problem.train_weight, data.target)
    return torch.from_numpy(table)


def _one_epoch(
    run: _Run, fold: int, table: torch.Tensor, data: FoldData, problem: TrainingProblem, training: Training
) -> None:
    """Train for one epoch, judge the averaged network, and keep its state if it is the best so far."""
    epoch = len(run.records) + 1
    rate = _learning_rate(run.records, training.learning_rate)
    for group in run.optimizer.param_groups:
        group["lr"] = rate
    rng = np.random.default_rng([abs(training.seed), fold, epoch])
    batches = [torch.from_numpy(index).to(table.device) for index in problem.batches.epoch(rng)]
    first_step = (epoch - 1) * problem.batches.count
    train_loss = train_epoch(
        run.network, run.optimizer, run.average, table, batches, clip_norm=problem.clip_norm, first_step=first_step
    )
    with run.averaged() as network:
        logit = network_logits(network, data.validation_features)
        loss = log_loss(np.nan_to_num(logit), data.validation_label, data.validation_weight)
        value = loss.value if np.isfinite(logit).all() else math.nan
        run.records.append(EpochRecord(epoch, train_loss, value, loss.error, rate))
        if run.best_epoch == epoch:
            run.best = _copy(network.state_dict())

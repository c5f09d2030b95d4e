"""The training of one network: epochs, a running average of the parameters, early stopping on events kept aside."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn

from hepneg._core.estimate import Estimate
from hepneg._core.interruption import Interrupted
from hepneg._core.progress import Task
from hepneg.config import Training
from hepneg.learning.adamw import AdamW
from hepneg.learning.batches import Batches
from hepneg.learning.checkpoint import FoldCheckpoint, FoldState, Tensors
from hepneg.learning.divergence import best_epoch, divergence_message
from hepneg.learning.gradients import batch_gradient
from hepneg.learning.history import EpochRecord, FoldHistory
from hepneg.objectives.objective_loss import ObjectiveLoss
from hepneg.objectives.rows import EventRows, Loss, label_loss

__all__ = ["Fit", "Interrupted", "seeded_generator", "train_epoch", "train_network"]

AVERAGE_DECAY = 0.998  # the average reaches back some 500 steps
PLATEAU, PLATEAU_FACTOR = 3, 0.4  # the learning rate falls after every third epoch in a row without improvement


@dataclass(frozen=True, eq=False)
class Fit:
    """One optimisation, all but its network.

    Attributes:
        fold: the fold that the network does not see.
        table: inputs and whatever the loss needs side by side, (n, W + …), so that a batch is one gather.
        batches: how the events are cut into batches.
        validation_loss: on events that the network is not trained on, in nats.
        loss: what is minimised.
        clip_norm: largest norm of the gradient, or None.
        stream: sets the random numbers apart from those of the fold's other networks.
        start_loss: validation loss of the untrained network if that may be the outcome; infinite if not.
        signed: weights of both signs are in the loss, so that it may run away.
        falling: the learning rate falls linearly, to zero behind the last epoch, and on plateaus as well.
    """

    fold: int
    table: EventRows
    batches: Batches
    validation_loss: Callable[[nn.Module], Estimate]
    loss: Loss = label_loss
    clip_norm: float | None = None
    stream: int = 0
    start_loss: float = math.inf
    signed: bool = False
    falling: bool = False


def train_epoch(
    network: nn.Module,
    optimizer: AdamW,
    average: list[torch.Tensor],
    table: EventRows,
    batches: Sequence[torch.Tensor],
    *,
    loss: Loss = label_loss,
    clip_norm: float | None = None,
    first_step: int = 0,
) -> float:
    """Take one optimiser step for each batch and update the running average of the parameters.

    Args:
        network: what the loss knows how to call.
        optimizer: of its parameters.
        average: the averaged parameters, changed in place.
        table: inputs and the loss's columns side by side, so that a batch is one gather.
        batches: event indices of each batch.
        loss: from the network and the rows of a batch to the sum over its events.
        clip_norm: largest norm of the gradient, or None.
        first_step: steps taken before; the average forgets its start quickly while there are few.

    Returns:
        The loss averaged over the events of the epoch, as the network went through it.
    """
    parameters = list(network.parameters())
    values = [parameter.detach() for parameter in parameters]
    total, gradient = torch.zeros((), device=table.device), batch_gradient(network, loss)
    for step, index in enumerate(batches, start=first_step):
        value = gradient(table.index_select(0, index))
        if clip_norm is not None:
            nn.utils.clip_grad_norm_(parameters, clip_norm)
        optimizer.step()
        torch._foreach_lerp_(average, values, 1 - min(AVERAGE_DECAY, (1 + step) / (10 + step)))
        total += value * len(index)
    return float(total) / sum(len(index) for index in batches)


def seeded_generator(seed: int, fold: int, stream: int) -> torch.Generator:
    """Return the generator of a network's first parameters, which follow from these three numbers alone."""
    state = np.random.SeedSequence([abs(seed), fold, stream]).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(state >> np.uint64(1)))


@dataclass(eq=False)
class _Run:
    """A network in training: what changes from epoch to epoch."""

    network: nn.Module
    optimizer: AdamW
    average: list[torch.Tensor]
    best: Tensors
    loss: Loss
    start_loss: float
    records: list[EpochRecord] = field(default_factory=list)

    @classmethod
    def start(cls, network: nn.Module, fit: Fit, training: Training) -> _Run:
        optimizer = AdamW(network.parameters(), training.learning_rate, training.weight_decay)
        average = [parameter.detach().clone() for parameter in network.parameters()]
        return cls(network, optimizer, average, _copy(network.state_dict()), fit.loss, fit.start_loss)

    def restore(self, state: FoldState) -> None:
        """Continue from a checkpoint."""
        device = self.average[0].device
        self.network.load_state_dict(state.network)
        self.average = [state.average[str(i)].to(device) for i in range(len(self.average))]
        self.best = {name: value.to(device) for name, value in state.best.items()}
        self.records = list(state.history.epochs)
        if isinstance(self.loss, nn.Module):
            self.loss.load_state_dict(state.objective)
        self.optimizer.restore(state.optimizer)

    def state(self, history: FoldHistory) -> FoldState:
        """Return what a checkpoint keeps."""
        average = {str(i): value for i, value in enumerate(self.average)}
        objective = _copy(self.loss.state_dict()) if isinstance(self.loss, nn.Module) else {}
        return FoldState(
            _copy(self.network.state_dict()),
            _copy(average),
            self.best,
            _copy(self.optimizer.state()),
            objective,
            history,
        )

    @property
    def kept_epoch(self) -> int:
        """The epoch with the lowest validation loss, from 1; 0 while none is better than the start."""
        return best_epoch(self.records, self.start_loss)

    @contextmanager
    def averaged(self) -> Iterator[nn.Module]:
        """Give the network its averaged parameters for a while."""
        values = [parameter.detach() for parameter in self.network.parameters()]
        current = [value.clone() for value in values]
        torch._foreach_copy_(values, self.average)
        self.network.eval()
        try:
            yield self.network
        finally:
            self.network.train()
            torch._foreach_copy_(values, current)


def _copy(tensors: Tensors) -> Tensors:
    return {name: tensor.detach().cpu().clone() for name, tensor in tensors.items()}


def _learning_rate(records: Sequence[EpochRecord], fit: Fit, training: Training) -> float:
    """Return the rate of the next epoch: reduced after every third epoch in a row that brought no improvement.

    A function of the history alone, so that a resumed training takes the same steps.
    """
    rate, start_loss = training.learning_rate, fit.start_loss
    if fit.falling:
        rate *= 1 - (len(records) + 0.5) / training.epochs
    for seen in range(1, len(records) + 1):
        stale = seen - best_epoch(records[:seen], start_loss)
        if stale and stale % PLATEAU == 0:
            rate *= PLATEAU_FACTOR
    return rate


def _stop_reason(records: Sequence[EpochRecord], training: Training, start_loss: float = math.inf) -> str:
    """Return why training ends after these epochs, or an empty string."""
    if not records:
        return ""
    last = records[-1]
    if not (math.isfinite(last.train_loss) and math.isfinite(last.validation_loss)) or last.train_loss < 0:
        return "diverged"
    if last.epoch - best_epoch(records, start_loss) >= training.patience:
        return "patience"
    return "epochs" if last.epoch >= training.epochs else ""


def train_network(
    network: nn.Module,
    fit: Fit,
    training: Training,
    *,
    task: Task,
    stop: threading.Event,
    checkpoint: FoldCheckpoint | None = None,
    report: Callable[[EpochRecord], bool] | None = None,
) -> FoldHistory:
    """Train one network in place, from its checkpoint on where there is one.

    The state that is kept is the running average of the parameters at the epoch with the lowest validation loss. The
    random numbers of an epoch follow from (seed, fold, stream, epoch).

    Args:
        network: initialised, on its device; ends in its best state.
        fit: the events and the losses.
        training: the settings.
        task: progress, one step an epoch.
        stop: set from outside to stop at the end of the running epoch.
        checkpoint: where the state is kept after each epoch; None to keep none.
        report: takes each epoch, and says whether it was the last; None for nobody.

    Returns:
        The learning curve.

    Raises:
        Interrupted: ``stop`` was set before training was over.
    """
    started = time.monotonic()
    untrained = fit.validation_loss(network).value if math.isinf(fit.start_loss) else fit.start_loss
    run, before, ended = _Run.start(network, fit, training), 0.0, False
    saved = checkpoint.load() if checkpoint else None
    if saved is not None:
        run.restore(saved)
        before, ended = saved.history.seconds, saved.history.stopped == "callback"
        task.advance(len(run.records))
    while True:
        reason = _stop_reason(run.records, training, fit.start_loss) or ("callback" if ended else "")
        history = _history(run, fit, reason, untrained, before + time.monotonic() - started)
        if checkpoint and run.records:
            checkpoint.save(run.state(history))
        if reason:
            break
        if stop.is_set():
            raise Interrupted
        _one_epoch(run, fit, training)
        last = run.records[-1]
        task.advance(note=f"epoch {last.epoch}, loss {last.validation_loss:.4f} ± {last.validation_error:.4f}")
        ended = report is not None and report(last)
    task.advance(training.epochs - len(run.records))
    network.load_state_dict(run.best)
    network.eval()
    return history


def _history(run: _Run, fit: Fit, reason: str, untrained: float, seconds: float) -> FoldHistory:
    first = 1 if math.isinf(run.start_loss) else 0
    message = divergence_message(
        run.records, fit.fold, reason, untrained=untrained, start_loss=fit.start_loss, signed=fit.signed
    )
    return FoldHistory(fit.fold, tuple(run.records), max(run.kept_epoch, first), reason, seconds, message)


def _one_epoch(run: _Run, fit: Fit, training: Training) -> None:
    """Train for one epoch, and keep the averaged network's state if its validation loss is the lowest so far."""
    epoch = len(run.records) + 1
    rate = run.optimizer.rate = _learning_rate(run.records, fit, training)
    rng = np.random.default_rng([abs(training.seed), fit.fold, fit.stream, epoch])
    batches = [torch.from_numpy(index).to(fit.table.device) for index in fit.batches.epoch(rng)]
    first_step = (epoch - 1) * fit.batches.count
    train_loss = train_epoch(
        run.network,
        run.optimizer,
        run.average,
        fit.table,
        batches,
        loss=fit.loss,
        clip_norm=fit.clip_norm,
        first_step=first_step,
    )
    with run.averaged() as network:
        loss = fit.validation_loss(network)
        running = fit.loss.running() if isinstance(fit.loss, ObjectiveLoss) else {}
        run.records.append(EpochRecord(epoch, train_loss, loss.value, loss.error, rate, running))
        if run.kept_epoch == epoch:
            run.best = _copy(network.state_dict())

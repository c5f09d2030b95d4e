"""Training the sign networks of a fold, and calibrating them on events that they have not seen."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from hepneg._core.hashing import uniform_events
from hepneg._core.progress import SilentProgress, Task
from hepneg.config import Training
from hepneg.events import EventTable
from hepneg.learning.batches import ShuffledBatches
from hepneg.learning.checkpoint import FoldFiles
from hepneg.learning.loop import Fit, seeded_generator, train_network
from hepneg.networks.inference import network_logits
from hepneg.objectives.rows import event_table
from hepneg.signs.local_signs import LocalSigns
from hepneg.signs.sign_ensemble import SignEnsemble
from hepneg.signs.sign_loss import SignLoss, sign_validation_loss
from hepneg.signs.sign_plan import SignPlan
from hepneg.signs.slope_floor import best_floor, best_slope

__all__ = ["FEWEST", "SignFitter", "mean_sign"]

PARTS = 4  # at least: each member is trained on all but one of as many parts
FEWEST = 50  # events: fewer tell no more than their mean

LARGEST_RATE = 3e-3
"""Signs fluctuate more than densities: with larger steps their networks do not find the same minimum."""

Float = NDArray[np.float64]


@dataclass(frozen=True)
class _Noted:
    """Tells which sign networks are trained, and moves no bar."""

    task: Task
    name: str

    def advance(self, step: float = 1.0, note: str = "") -> None:  # noqa: ARG002
        if note:
            self.task.advance(0.0, f"signs by {self.name}, {note}")


@dataclass(frozen=True, eq=False)
class SignFitter:
    """Trains the sign networks of one fold.

    Attributes:
        fold: the fold that no network sees.
        plan: how many members, and when to stop.
        training: shape of the networks and settings of the optimiser.
        device: to train on.
        stop: set from outside to stop.
        keep: the checkpoints of the fold's networks.
        progress: shows their epochs, but counts none: they are not in the fold's share.
    """

    fold: int
    plan: SignPlan
    training: Training
    device: torch.device
    stop: threading.Event
    keep: FoldFiles
    progress: Task = field(default_factory=lambda: SilentProgress().task(""))

    def fit(self, events: EventTable, by: str) -> LocalSigns:
        """Learn the local mean sign of every sample or label.

        A group without negative weights has the sign 1, one of a few events its mean.

        Args:
            events: all events that the fold's networks may see.
            by: ``"sample"`` or ``"label"``.

        Raises:
            Interrupted: ``stop`` was set.
        """
        code = events.sample if by == "sample" else events.label
        networks, constants = {}, {}
        for group in np.unique(code).tolist():
            members = events.select((code == group) & (events.weight != 0))
            positive = members.weight > 0
            if len(members) < FEWEST or positive.all() or not positive.any():
                constants[group] = mean_sign(members.weight)
            else:
                networks[group] = self._ensemble(members, f"{by}_{group}", group + (128 if by == "label" else 1024))
        return LocalSigns(by, networks, constants)

    def _ensemble(self, events: EventTable, name: str, stream: int) -> SignEnsemble:
        """Train the ensemble of one group and calibrate it on what its members left out."""
        plan = self.plan
        network = SignEnsemble(self.training.network.make(), events.layout, plan.members)
        generator = seeded_generator(self.training.seed, self.fold, stream)
        network.initialise(generator, events.inputs, mean_sign(events.weight))
        network.to(self.device)
        weight, aside = np.abs(events.weight), self._left_out(events)
        weight = weight / weight.mean()
        validation_loss = sign_validation_loss(events, weight[:, None] * aside)
        columns = (events.weight > 0, *(weight[:, None] * ~aside).T)
        fit = Fit(
            fold=self.fold,
            table=event_table(events.inputs, *columns).to(self.device),
            batches=ShuffledBatches.several(weight, max(2, self.training.batch_size // 2)),
            validation_loss=validation_loss,
            loss=SignLoss(),
            stream=stream,
            start_loss=validation_loss(network).value,
            falling=True,
        )
        rate = min(self.training.learning_rate, LARGEST_RATE)
        training = self.training.model_copy(update={"patience": plan.patience, "learning_rate": rate})
        task, report = _Noted(self.progress, name), self.keep.report(f"signs_{name}")
        train_network(network, fit, training, task=task, stop=self.stop, checkpoint=self.keep(name), report=report)
        self._calibrate(network, events, weight[:, None] * aside)
        return network

    def _calibrate(self, network: SignEnsemble, events: EventTable, held_out: Float) -> None:
        """Set slope and floor on the events that each member leaves out."""
        sign = np.where(events.weight > 0, 1.0, -1.0)[:, None]
        centre = float(network.centre)
        deviation = np.tanh(0.5 * network_logits(network, events.inputs)) - centre
        slope = best_slope(deviation, centre, sign, held_out)
        floor = best_floor(centre + slope * deviation, sign, held_out, self.plan.floor, centre)
        network.slope.fill_(slope)
        network.floor.fill_(floor)

    def _left_out(self, events: EventTable) -> NDArray[np.bool_]:
        """Return which events each member leaves out, (n, M): disjoint parts, by a hash of the identifier."""
        parts = max(PARTS, self.plan.members)
        u = uniform_events(events.event_id, self.training.seed, f"sign {self.fold}")
        return np.asarray(np.floor(u * parts)[:, None] == np.arange(self.plan.members))


def mean_sign(weight: Float) -> float:
    """Return Σw / Σ\\|w\\| of weights, (n,); 1 where there are none."""
    size = float(np.abs(weight).sum())
    return float(weight.sum()) / size if size > 0 else 1.0

"""What a scheme trains with: the events of one fold, and bricks for label networks and sign networks."""

from __future__ import annotations

import math
import threading
import zlib
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hepneg._core.hashing import uniform_events
from hepneg._core.progress import Task
from hepneg.config import DEFAULT_OBJECTIVES, Training
from hepneg.errors import TrainingError
from hepneg.events import EventTable
from hepneg.learning.activity import ActivityLoss
from hepneg.learning.batches import Batches, ShuffledBatches
from hepneg.learning.checkpoint import FoldFiles
from hepneg.learning.history import FoldHistory
from hepneg.learning.loop import Fit, seeded_generator, train_network
from hepneg.learning.task import LearningTask, learning_task
from hepneg.objectives import Objective
from hepneg.objectives.objective_loss import ObjectiveLoss
from hepneg.schemes.fold_fit import FoldFit
from hepneg.signs.fit_signs import SignFitter
from hepneg.signs.local_signs import LocalSigns, SignReader
from hepneg.signs.refined_weight import refined_weight
from hepneg.signs.sign_plan import SignPlan

__all__ = ["FoldContext"]

Float = NDArray[np.float64]

_STREAMS = {"": 0, "refined": 1}
"""Random numbers of our own networks; those of other names follow from the name."""


@dataclass(frozen=True, eq=False)
class _Share:
    """A part of a progress bar that runs from 0 to 1."""

    task: Task
    unit: float

    def advance(self, step: float = 1.0, note: str = "") -> None:
        self.task.advance(step * self.unit, note)


@dataclass(frozen=True, eq=False)
class FoldContext:
    """The training of one fold: its events, and what networks can be trained on them.

    Whatever it trains follows from the settings' seed, the fold and the name of the network alone, is kept in the
    checkpoint of that name, and goes on from there.

    Attributes:
        fold: which; no network of it may see its events, which are in neither of the next two.
        events: that networks are trained on.
        validation: events that only decide when to stop.
        training: the settings.
        objective: what the label networks minimise.
        device: to train on.
        progress: from 0 to 1.
        stop: set from outside to stop at the end of the running epoch.
        keep: the checkpoints of the networks.
    """

    fold: int
    events: EventTable
    validation: EventTable
    training: Training
    objective: Objective
    device: torch.device
    progress: Task
    stop: threading.Event
    keep: FoldFiles

    @classmethod
    def of(
        cls,
        fold: int,
        events: EventTable,
        fold_of: NDArray[np.int8],
        training: Training,
        objective: Objective,
        device: torch.device,
        progress: Task,
        stop: threading.Event,
        keep: FoldFiles,
    ) -> FoldContext:
        """Split the events that a fold's networks may see into training and validation.

        Raises:
            TrainingError: a part has a label without events or without a positive Σw.
        """
        seen = fold_of != fold
        aside = uniform_events(events.event_id, training.seed, f"validation {fold}") < training.validation_fraction
        part, validation = events.select(seen & ~aside), events.select(seen & aside)
        context = cls(fold, part, validation, training, objective, device, progress, stop, keep)
        try:
            context._require_trainable("{} events: {}", part.weight, validation.weight)
        except TrainingError as error:
            raise TrainingError(f"{error}; {_advice(events, training.folds)}") from None
        return context

    @property
    def task(self) -> LearningTask:
        """What is learnt: labels or a target."""
        return learning_task(self.objective)

    @property
    def seen(self) -> EventTable:
        """All events that the networks may see: of the training and of the validation."""
        return EventTable.concatenate([self.events, self.validation])

    def train(
        self,
        train_weight: Float,
        *,
        validation_weight: Float | None = None,
        batches: Batches | None = None,
        logit_bound: float | None = None,
        clip_norm: float | None = None,
        name: str = "",
        share: float = 1.0,
    ) -> FoldFit:
        """Train one network of the label, or of the target, with these weights.

        Args:
            train_weight: what multiplies each event's loss, (n,), for :attr:`events`. The scale of each label does not
                matter: both labels are brought to the same sum.
            validation_weight: of the validation loss, (m,), for :attr:`validation`; left out, the signed weights.
            batches: how the events are cut into batches; left out, at random.
            logit_bound: the log-odds are squashed into ±logit_bound; None for no bound.
            clip_norm: largest norm of the gradient; None for no clipping.
            name: tells the network from others of the fold.
            share: of the fold's work, for the progress bar.

        Raises:
            Interrupted: a stop was asked for.
            TrainingError: the network, or its output, is not for this objective.
        """
        loss = self._loss()
        generator = self.generator(_stream(name))
        network = self.task.network(self.events, train_weight, self.training.network, logit_bound, generator)
        loss.require(network)
        judged = self.validation.weight if validation_weight is None else validation_weight
        table = self.task.table(network.to(self.device), self.events, train_weight)
        validation_loss = loss.validation_loss(self.validation, judged)
        fit = Fit(
            fold=self.fold,
            table=table,
            batches=batches or ShuffledBatches.several(train_weight, self.training.batch_size),
            validation_loss=validation_loss,
            loss=loss,
            clip_norm=clip_norm,
            start_loss=validation_loss(network).value if self.objective.task == "regression" else math.inf,
            signed=bool((train_weight < 0).any()),
        )
        history = self.optimise(network, fit, name=name, share=share)
        loss.settle(network, self.validation, judged)
        return FoldFit(network.cpu(), history, negative_batches=self._negative_batches(train_weight, fit.batches))

    def train_refined(self, signs: SignReader, *, share: float = 1.0) -> FoldFit:
        """Train one network on \\|w\\|·max(ĝ, 0), with the sums of each sample kept, and stop on such weights as well.

        Both have no sign noise left.

        Args:
            signs: the local mean sign of any events.
            share: of the fold's work, for the progress bar.

        Raises:
            Interrupted: a stop was asked for.
            TrainingError: the refined weights of a label do not sum to something positive.
        """
        part, validation = (refined_weight(t, signs(t, False)) for t in (self.events, self.validation))
        self._require_trainable("refined weights of the {} events: {}", part, validation)
        fit = self.train(part, validation_weight=validation, name="refined", share=share)
        return replace(fit, signs=signs)

    def train_signs(self, by: str, plan: SignPlan) -> LocalSigns:
        """Train sign networks on all events that may be seen; for a regression ĝ depends on the target as well.

        Args:
            by: ``"sample"`` or ``"label"``: which events share a ĝ.
            plan: members, patience and floor.

        Raises:
            Interrupted: a stop was asked for.
        """
        fitter = SignFitter(self.fold, plan, self.training, self.device, self.stop, self.keep, self.progress)
        return fitter.fit(self.task.for_signs(self.seen), by)

    def reader(self, signs: LocalSigns) -> SignReader:
        """Return what gives ĝ of any events, whose target is joined to the features where ĝ depends on it."""
        for_signs = self.task.for_signs
        return lambda events, raw: signs.read(for_signs(events), raw)

    def optimise(self, network: nn.Module, fit: Fit, *, name: str = "", share: float = 1.0) -> FoldHistory:
        """Train any network in place, from its checkpoint on where there is one; see :meth:`train` for a usual one.

        Raises:
            Interrupted: a stop was asked for.
        """
        task, report = _Share(self.progress, share / self.training.epochs), self.keep.report(name or "main")
        fit = replace(fit, table=fit.table.to(self.device), stream=_stream(name), falling=True)
        return train_network(
            network, fit, self.training, task=task, stop=self.stop, checkpoint=self.keep(name), report=report
        )

    def generator(self, stream: int = 0) -> torch.Generator:
        """Return the generator of a network's first parameters."""
        return seeded_generator(self.training.seed, self.fold, stream)

    def require_plain_response(self, scheme: str) -> None:
        """Refuse what shapes the response of one network, for a scheme that makes it of several outputs.

        Raises:
            TrainingError: such a wish is in the settings.
        """
        wishes = {
            f"objective {self.objective.name!r}": self.objective.name != DEFAULT_OBJECTIVES["classification"],
            "network.output": bool(self.training.network.output and self.training.network.output.restricts),
            "activity": self.training.activity is not None,
        }
        for wish, made in wishes.items():
            if made:
                raise TrainingError(
                    f"{wish} shapes a network whose output is the response, and scheme {scheme!r} has none: "
                    "take the scheme refined, absolute, positive, signed or paired"
                )

    def _loss(self) -> ObjectiveLoss:
        loss, activity = self.objective.make_loss(), self.training.activity
        return (ActivityLoss(loss, activity) if activity else loss).to(self.device)

    def _require_trainable(self, message: str, part: Float, validation: Float) -> None:
        """Refuse weights of the two parts of the events under which they have nothing to teach."""
        for weight, table, what in ((part, self.events, "training"), (validation, self.validation, "validation")):
            try:
                self.task.require_trainable(weight, table, significance=0.0)
            except TrainingError as error:
                raise TrainingError(f"fold {self.fold}, {message.format(what, error)}") from None

    def _negative_batches(self, train_weight: Float, batches: Batches) -> float:
        """Return the share of the first epoch's batches with a label whose training weights sum to zero or less."""
        epoch = list(batches.epoch(np.random.default_rng([abs(self.training.seed), self.fold])))
        codes = np.unique(self.events.label)
        labels = [np.where(self.events.label == code, train_weight, 0.0) for code in codes]
        return float(np.mean([any(weight[index].sum() <= 0 for weight in labels) for index in epoch]))


def _advice(events: EventTable, folds: int) -> str:
    """Say what helps where a part of the events holds too little: more events, unless few identifiers are behind it."""
    identifiers = len(np.unique(events.event_id, axis=0))
    if identifiers >= 10 * folds or 2 * identifiers > len(events):
        return "use fewer folds or more events"
    return (
        f"the {len(events)} events have {identifiers} different identifier{'s' * (identifiers != 1)}, and events that "
        "share one share a fold: give `event_id:` the branches that tell events apart"
    )


def _stream(name: str) -> int:
    return _STREAMS.get(name, zlib.crc32(name.encode()))

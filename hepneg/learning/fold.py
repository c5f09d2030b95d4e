"""What one fold's classifier is made of, and the order in which its networks are trained."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hepneg._core.hashing import uniform_events
from hepneg._core.interruption import stoppable
from hepneg._core.progress import Task
from hepneg.config import Training
from hepneg.errors import TrainingError
from hepneg.events import EventTable
from hepneg.learning.activity import ActivityLoss
from hepneg.learning.batches import ShuffledBatches
from hepneg.learning.checkpoint import FoldFiles
from hepneg.learning.history import FoldHistory
from hepneg.learning.loop import Fit, train_network
from hepneg.learning.task import AnyNetwork, Learner, make_learner
from hepneg.networks.architectures import FoldNetwork, MeanArchitecture, MeanNetwork
from hepneg.networks.factorised_network import FactorisedArchitecture, FactorisedNetwork
from hepneg.networks.inference import in_pieces
from hepneg.networks.mixture_network import MixtureArchitecture, MixtureNetwork, SharedNetwork
from hepneg.networks.multilayer import ResponseNetwork, feature_scaling
from hepneg.networks.signed_target_network import SignedTargetArchitecture, SignedTargetNetwork
from hepneg.objectives import DEFAULT_OBJECTIVES, Objective
from hepneg.objectives.losses.objective_loss import ObjectiveLoss
from hepneg.objectives.losses.rows import balanced_weight, event_table, label_and_sign_loss, signed_target_loss
from hepneg.objectives.losses.validation_loss import loss_judge
from hepneg.schemes import Scheme, SignPlan, TrainingProblem
from hepneg.schemes.refined import refined_weight
from hepneg.signs.local_signs import LocalSigns, SignFitter
from hepneg.signs.slope_floor import best_floor

__all__ = ["FoldFit", "FoldTrainer", "SignReader"]

Float = NDArray[np.float64]
SignReader = Callable[[EventTable, bool], Float]
"""From events to their local mean sign, (n,); the second argument asks for it as learnt, without its floor."""


@dataclass(frozen=True, eq=False)
class FoldFit:
    """What the training of one fold gave.

    Attributes:
        network: of the fold, on the CPU.
        history: of its label network.
        signs: gives the local mean sign as the fold's networks see it; None for a scheme that learns none.
        negative_batches: share of the batches in which the training weights of a label sum to zero or less.
        parts: what other schemes would have taken of the same networks, by scheme.
    """

    network: FoldNetwork
    history: FoldHistory
    signs: SignReader | None = None
    negative_batches: float = 0.0
    parts: Mapping[str, tuple[FoldNetwork, FoldHistory]] = field(default_factory=dict)

    def only(self, scheme: str) -> FoldFit:
        """Return the fit with the network of one of its parts alone; itself for a scheme that is none of them."""
        network, history = self.parts.get(scheme, (self.network, self.history))
        return replace(self, network=network, history=history, parts={})


@dataclass(frozen=True, eq=False)
class _Share:
    """A part of a progress bar that runs from 0 to 1."""

    task: Task
    unit: float

    def advance(self, step: float = 1.0, note: str = "") -> None:
        self.task.advance(step * self.unit, note)


@dataclass(frozen=True, eq=False)
class FoldTrainer:
    """Trains the network of one fold on all events that are not in it.

    Attributes:
        fold: which.
        part: the events that networks are trained on.
        validation: the events that only judge when to stop.
        training: the settings.
        objective: what the label networks minimise.
        device: to train on.
        task: progress, from 0 to 1.
        stop: set from outside to stop at the end of the running epoch.
        keep: the checkpoints of its networks.
    """

    fold: int
    part: EventTable
    validation: EventTable
    training: Training
    objective: Objective
    device: torch.device
    task: Task
    stop: threading.Event
    keep: FoldFiles

    @classmethod
    def of(
        cls,
        fold: int,
        events: EventTable,
        fold_of: NDArray[np.int8],
        training: Training,
        device: torch.device,
        task: Task,
        stop: threading.Event,
        keep: FoldFiles,
        objective: Objective | None = None,
    ) -> FoldTrainer:
        """Split the events that a fold's networks may see into training and validation.

        Raises:
            TrainingError: a part has a label without events or without a positive Σw.
        """
        seen = fold_of != fold
        aside = uniform_events(events.event_id, training.seed, f"validation {fold}") < training.validation_fraction
        part, validation = events.select(seen & ~aside), events.select(seen & aside)
        chosen = objective or training.make_objective("classification")
        learner = make_learner(chosen)
        for table, what in ((part, "training"), (validation, "validation")):
            try:
                learner.require_trainable(table.weight, table, significance=0.0)
            except TrainingError as error:
                advice = _advice(events, training.folds)
                raise TrainingError(f"fold {fold}, {what} events: {error}; {advice}") from None
        return cls(fold, part, validation, training, chosen, device, task, stop, keep)

    @property
    def learner(self) -> Learner:
        """What is learnt."""
        return make_learner(self.objective)

    def fit(self, scheme: Scheme) -> FoldFit:
        """Train what the scheme asks for.

        Raises:
            TrainingError: the scheme cannot work on these events.
            Interrupted: ``stop`` was set.
        """
        with stoppable(self.stop):
            problem = scheme.problem(self.part, self.training.batch_size)
        self._require_one_network(scheme, problem)
        if problem.signs is None:
            network, history = self._label_network(problem, self.validation.weight)
            return FoldFit(network.cpu(), history, negative_batches=self._negative_batches(problem))
        if problem.signs.use in {"shared", "targets"}:
            return self._shared(problem, problem.signs)
        return self._with_signs(problem, problem.signs)

    def _require_one_network(self, scheme: Scheme, problem: TrainingProblem) -> None:
        """Refuse what shapes the response of a network where the response is made of several outputs.

        Raises:
            TrainingError: for such a wish with such a scheme.
        """
        if problem.signs is None or problem.signs.use == "weights":
            return
        wishes = {
            f"objective {self.objective.name!r}": self.objective.name != DEFAULT_OBJECTIVES["classification"],
            "network.output": self.training.network.output is not None,
            "activity": self.training.activity is not None,
        }
        for wish, made in wishes.items():
            if made:
                raise TrainingError(
                    f"{wish} shapes a network whose output is the response, and scheme {scheme.name!r} has none: "
                    "take the scheme refined, absolute, positive, signed or paired"
                )

    def _with_signs(self, problem: TrainingProblem, plan: SignPlan) -> FoldFit:
        fitter = SignFitter(self.fold, plan, self.training, self.device, self.stop, self.keep)
        seen = self.learner.for_signs(EventTable.concatenate([self.part, self.validation]))
        share = 0.5 if plan.use == "both" else 1.0
        if plan.use == "weights":
            by_sample = fitter.fit(seen, "sample")
            network, history = self._refined(problem, by_sample)
            return FoldFit(network.cpu(), history, self._sign_reader(by_sample.cpu()))
        by_label = fitter.fit(seen, "label")
        factorised, history = self._factorised(problem, plan, by_label, seen, share)
        if plan.use == "terms":
            return FoldFit(factorised.cpu(), history, by_label.cpu().read)
        by_sample = _by_sample(by_label, seen) or fitter.fit(seen, "sample")
        trained, of_refined = self._refined(problem, by_sample, share)
        refined = cast(ResponseNetwork, trained)
        mean = MeanNetwork(MeanArchitecture((factorised.architecture, refined.architecture)))
        mean.parts = nn.ModuleList([factorised, refined])
        parts: dict[str, tuple[FoldNetwork, FoldHistory]] = {
            "absolute": (factorised.label, history),
            "factorised": (factorised, history),
            "refined": (refined, of_refined),
            "combined": (mean, history),
        }
        return FoldFit(mean.cpu(), history, by_label.cpu().read, parts=parts)

    def _refined(
        self, problem: TrainingProblem, signs: LocalSigns, share: float = 1.0
    ) -> tuple[AnyNetwork, FoldHistory]:
        """Train on refined weights and stop on refined weights: both have no sign noise left."""
        read = self._sign_reader(signs)
        part, validation = (refined_weight(t, read(t, False)) for t in (self.part, self.validation))
        for weight, table, what in ((part, self.part, "training"), (validation, self.validation, "validation")):
            try:
                self.learner.require_trainable(weight, table, significance=0.0)
            except TrainingError as error:
                raise TrainingError(f"fold {self.fold}, refined weights of the {what} events: {error}") from None
        batches = ShuffledBatches(part, self.training.batch_size)
        posed = replace(problem, train_weight=part, batches=batches)
        return self._label_network(posed, validation, name="refined", share=share)

    def _factorised(
        self, problem: TrainingProblem, plan: SignPlan, signs: LocalSigns, seen: EventTable, share: float
    ) -> tuple[FactorisedNetwork, FoldHistory]:
        trained, history = self._label_network(problem, np.abs(self.validation.weight), share=share)
        label = cast(ResponseNetwork, trained)
        networks = (signs.networks.get(0), signs.networks.get(1))
        shapes = tuple(None if network is None else network.architecture for network in networks)
        network = FactorisedNetwork(FactorisedArchitecture(label.architecture, (shapes[0], shapes[1]), plan.floor))
        network.label = label
        network.signs = nn.ModuleDict({str(code): one for code, one in enumerate(networks) if one is not None})
        _normalise(network.norm, signs.mean_sign(seen), seen, plan.floor)
        return network.to(self.device), history

    def _shared(self, problem: TrainingProblem, plan: SignPlan) -> FoldFit:
        """Train one network for label and sign, and stop on its own bounded loss."""
        part, validation, shape = self.part, self.validation, self.training.network
        size = (len(part.feature_names), shape.hidden, shape.activation, plan.floor)
        network: SharedNetwork
        if plan.use == "targets":
            network, loss = SignedTargetNetwork(SignedTargetArchitecture(*size)), signed_target_loss
        else:
            network, loss = MixtureNetwork(MixtureArchitecture(*size)), label_and_sign_loss
        mean_signs = [_overall_sign(part.weight[part.label == code]) for code in (0, 1)]
        network.initialise(self._generator(0), *feature_scaling(part.features), mean_signs)
        network.to(self.device)
        balanced = (balanced_weight(np.abs(table.weight), table.label) for table in (part, validation))
        table, held_out = (
            event_table(events.features, events.label, events.weight > 0, weight).to(self.device)
            for events, weight in zip((part, validation), balanced, strict=True)
        )
        fit = Fit(self.fold, table, problem.batches, loss_judge(loss, held_out), loss)
        history = self._train(network, fit, "", 1.0)
        network.cpu()
        _set_floors(network, validation, plan.floor)
        signs = _shared_signs(network)
        _normalise(network.norm, signs(part, False), part, plan.floor)
        return FoldFit(network, history, signs)

    def _label_network(
        self, problem: TrainingProblem, validation_weight: Float, *, name: str = "", share: float = 1.0
    ) -> tuple[AnyNetwork, FoldHistory]:
        """Train one multilayer perceptron; early stopping goes by the objective with ``validation_weight``."""
        stream, loss = int(bool(name)), self._loss()
        network = self.learner.network(self.part, problem, self.training.network, self._generator(stream))
        network.to(self.device)
        loss.require(network)
        fit = Fit(
            fold=self.fold,
            table=self.learner.table(network, self.part, problem.train_weight).to(self.device),
            batches=problem.batches,
            judge=loss.judge(self.validation, validation_weight),
            loss=loss,
            clip_norm=problem.clip_norm,
            stream=stream,
            signed=bool((problem.train_weight < 0).any()),
        )
        history = self._train(network, fit, name, share)
        loss.settle(network, self.validation, validation_weight)
        return network, history

    def _loss(self) -> ObjectiveLoss:
        loss, activity = self.objective.make_loss(), self.training.activity
        return (ActivityLoss(loss, activity) if activity else loss).to(self.device)

    def _train(self, network: nn.Module, fit: Fit, name: str, share: float) -> FoldHistory:
        task = _Share(self.task, share / self.training.epochs)
        return train_network(network, fit, self.training, task=task, stop=self.stop, checkpoint=self.keep(name))

    def _negative_batches(self, problem: TrainingProblem) -> float:
        """Return the share of the first epoch's batches with a label whose training weights sum to zero or less."""
        batches = list(problem.batches.epoch(np.random.default_rng([abs(self.training.seed), self.fold])))
        codes = np.unique(self.part.label)
        labels = [np.where(self.part.label == code, problem.train_weight, 0.0) for code in codes]
        return float(np.mean([any(weight[index].sum() <= 0 for weight in labels) for index in batches]))

    def _sign_reader(self, signs: LocalSigns) -> SignReader:
        for_signs = self.learner.for_signs
        return lambda events, raw: signs.read(for_signs(events), raw)

    def _generator(self, stream: int) -> torch.Generator:
        seed = np.random.SeedSequence([abs(self.training.seed), self.fold, stream]).generate_state(1, np.uint64)[0]
        return torch.Generator().manual_seed(int(seed >> np.uint64(1)))


def _shared_signs(network: SharedNetwork) -> SignReader:
    def read(events: EventTable, raw: bool) -> Float:
        both = in_pieces(network.mean_signs, events.features, network.mean.device)
        sign = both[np.arange(len(events)), events.label]
        return sign if raw else np.maximum(sign, network.floor.numpy()[events.label])

    return read


def _set_floors(network: SharedNetwork, held_out: EventTable, least: float) -> None:
    sign = _shared_signs(network)(held_out, True)
    for code in (0, 1):
        chosen = held_out.label == code
        weight = held_out.weight[chosen]
        network.floor[code] = best_floor(sign[chosen], np.sign(weight), np.abs(weight), least, _overall_sign(weight))


def _overall_sign(weight: Float) -> float:
    return float(weight.sum() / np.abs(weight).sum())


def _normalise(norm: torch.Tensor, sign: Float, events: EventTable, floor: float) -> None:
    """Set the mean of the floored ĝ under \\|w\\| of each label, so that both densities integrate to one."""
    size = np.abs(events.weight)
    for code in (0, 1):
        chosen = events.label == code
        norm[code] = float(np.average(np.maximum(sign[chosen], floor), weights=size[chosen]))


def _by_sample(by_label: LocalSigns, events: EventTable) -> LocalSigns | None:
    """Return the signs of the labels as those of the samples where every label has one sample, else None."""
    pairs = np.unique(np.stack([events.label, events.sample]), axis=1).T.tolist()
    if len({label for label, _ in pairs}) < len(pairs):
        return None
    networks = {sample: by_label.networks[label] for label, sample in pairs if label in by_label.networks}
    constants = {sample: by_label.constants[label] for label, sample in pairs if label in by_label.constants}
    return LocalSigns("sample", networks, constants)


def _advice(events: EventTable, folds: int) -> str:
    """Say what helps where a part of the events holds too little: more events, unless few identifiers are behind it."""
    identifiers = len(np.unique(events.event_id, axis=0))
    if identifiers >= 10 * folds or 2 * identifiers > len(events):
        return "use fewer folds or more events"
    return (
        f"the {len(events)} events have {identifiers} different identifier{'s' * (identifiers != 1)}, and events that share one "
        "share a fold: give `event_id:` the branches that tell events apart"
    )

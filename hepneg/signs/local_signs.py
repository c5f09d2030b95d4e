"""The local mean sign of each sample or label, learnt by an ensemble of sign networks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from hepneg._core.hashing import uniform_events
from hepneg._core.progress import SilentProgress
from hepneg.config import Training
from hepneg.events import EventTable
from hepneg.learning.batches import ShuffledBatches
from hepneg.learning.checkpoint import FoldFiles
from hepneg.learning.loop import Fit, train_network
from hepneg.networks.inference import in_pieces, network_logits
from hepneg.networks.multilayer import feature_scaling
from hepneg.networks.sign_ensemble import SignArchitecture, SignEnsemble
from hepneg.objectives.losses.rows import event_table, sign_loss
from hepneg.objectives.losses.validation_loss import sign_judge
from hepneg.schemes import SignPlan
from hepneg.signs.slope_floor import best_floor, best_slope

__all__ = ["FEWEST", "LocalSigns", "SignFitter"]

PARTS = 4  # at least: each member is trained on all but one of as many parts
FEWEST = 50  # events: fewer tell no more than their mean

Float = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LocalSigns:
    """ĝ(x) of several groups of events: the samples, or the labels.

    Attributes:
        by: ``"sample"`` or ``"label"``.
        networks: by code of the group; groups without one have a constant.
        constants: mean sign of the groups without a network, by code.
        curves: corrections of what the networks say, by code, where there are any; the floor comes after them.
    """

    by: str
    networks: Mapping[int, SignEnsemble]
    constants: Mapping[int, float]
    curves: Mapping[int, Callable[[Float], Float]] = field(default_factory=dict)

    def mean_sign(self, events: EventTable) -> Float:
        """Return ĝ of each event, (n,), by the group it belongs to."""
        return self.read(events, False)

    def read(self, events: EventTable, raw: bool) -> Float:
        """Return ĝ of each event, (n,); ``raw`` as in :meth:`at`."""
        return self.at(events.features, events.sample if self.by == "sample" else events.label, raw=raw)

    def at(self, features: NDArray[np.float32], code: NDArray[np.integer], *, raw: bool = False) -> Float:
        """Return ĝ, (n,), from features, (n, F), and the codes of the groups, (n,).

        Args:
            features: (n, F).
            code: of the group of each event.
            raw: leave the floor out, so that negative densities show.
        """
        sign = np.ones(len(features))
        for group in np.unique(code).tolist():
            chosen = np.flatnonzero(code == group)
            network = self.networks.get(group)
            if network is None:
                sign[chosen] = self.constants.get(group, 1.0)
            else:
                value = in_pieces(network.raw_mean_sign, features.T[:, chosen].T, next(network.parameters()).device)
                value = self.curves[group](value) if group in self.curves else value
                sign[chosen] = value if raw else np.maximum(value, float(network.floor))
        return sign

    def cpu(self) -> LocalSigns:
        """Move the networks to the CPU, and return these signs."""
        for network in self.networks.values():
            network.cpu()
        return self


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
    """

    fold: int
    plan: SignPlan
    training: Training
    device: torch.device
    stop: threading.Event
    keep: FoldFiles

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
                constants[group] = _mean_sign(members.weight)
            else:
                networks[group] = self._ensemble(members, f"{by}_{group}", group + (128 if by == "label" else 1024))
        return LocalSigns(by, networks, constants)

    def _ensemble(self, events: EventTable, name: str, stream: int) -> SignEnsemble:
        """Train the ensemble of one group and calibrate it on what its members left out."""
        shape, plan = self.training.network, self.plan
        network = SignEnsemble(
            SignArchitecture(len(events.feature_names), shape.hidden, shape.activation, plan.members)
        )
        seed = np.random.SeedSequence([abs(self.training.seed), self.fold, stream]).generate_state(1, np.uint64)[0]
        generator = torch.Generator().manual_seed(int(seed >> np.uint64(1)))
        network.initialise(generator, *feature_scaling(events.features), _mean_sign(events.weight))
        network.to(self.device)
        weight, aside = np.abs(events.weight), self._left_out(events)
        weight = weight / weight.mean()
        judge = sign_judge(events, weight[:, None] * aside)
        columns = (events.weight > 0, *(weight[:, None] * ~aside).T)
        fit = Fit(
            fold=self.fold,
            table=event_table(events.features, *columns).to(self.device),
            batches=ShuffledBatches(weight, max(2, self.training.batch_size // 2)),
            judge=judge,
            loss=sign_loss,
            stream=stream,
            start_loss=judge(network).value,
        )
        training = self.training.model_copy(update={"patience": plan.patience})
        task = SilentProgress().task("")
        train_network(network, fit, training, task=task, stop=self.stop, checkpoint=self.keep(name))
        self._calibrate(network, events, weight[:, None] * aside)
        return network

    def _calibrate(self, network: SignEnsemble, events: EventTable, held_out: Float) -> None:
        """Set slope and floor on the events that each member leaves out."""
        sign = np.where(events.weight > 0, 1.0, -1.0)[:, None]
        centre = float(network.centre)
        deviation = np.tanh(0.5 * network_logits(network, events.features)) - centre
        slope = best_slope(deviation, centre, sign, held_out)
        floor = best_floor(centre + slope * deviation, sign, held_out, self.plan.floor, centre)
        network.slope.fill_(slope)
        network.floor.fill_(floor)

    def _left_out(self, events: EventTable) -> NDArray[np.bool_]:
        """Return which events each member leaves out, (n, M): disjoint parts, by a hash of the identifier."""
        parts = max(PARTS, self.plan.members)
        u = uniform_events(events.event_id, self.training.seed, f"sign {self.fold}")
        return np.asarray(np.floor(u * parts)[:, None] == np.arange(self.plan.members))


def _mean_sign(weight: Float) -> float:
    size = float(np.abs(weight).sum())
    return float(weight.sum()) / size if size > 0 else 1.0

"""k networks by cross-validation: each is tested on the fold that it has not seen."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepneg._core.by_fold import by_fold
from hepneg._core.progress import SILENT, Progress, Task
from hepneg.events import EventTable, selected
from hepneg.learning.history import Callback, in_turn
from hepneg.learning.pool import choose_device, run_folds
from hepneg.learning.task import learning_task
from hepneg.networks.fold_network import FoldNetwork
from hepneg.networks.inference import network_logits
from hepneg.objectives import Objective
from hepneg.schemes.fold_fit import FoldFit
from hepneg.schemes.fold_training import FoldTraining
from hepneg.signs.local_signs import SignReader, held_out_sign
from hepneg.signs.sign_health import SchemeHealth, by_label, scheme_health

__all__ = ["CrossFit", "crossfit"]

Float = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CrossFit:
    """The outcome of a cross-validated training.

    Attributes:
        folds: what each fold's training gave.
        fold_of: the fold of each event, (n,).
        health: of the scheme on held-out events, JSON-ready; see :class:`hepneg.signs.sign_health.SchemeHealth`.
        choice: what a scheme that chooses has chosen, and why, JSON-ready; empty for any other.
    """

    folds: tuple[FoldFit, ...]
    fold_of: NDArray[np.int8]
    health: Mapping[str, Any] = field(default_factory=dict)
    choice: Mapping[str, Any] = field(default_factory=dict)

    @property
    def readers(self) -> list[SignReader] | None:
        """What gives the local mean sign as the networks of each fold see it; None for a scheme that learns none."""
        readers = [fold.signs for fold in self.folds if fold.signs is not None]
        return readers if len(readers) == len(self.folds) else None

    def held_out_sign(self, events: EventTable, *, raw: bool = False) -> Float | None:
        """Return the local mean sign of each trained event by networks that have not seen it, (n,); None if unknown.

        ``raw`` leaves out its floor.
        """
        return held_out_sign(self.readers, events, self.fold_of, raw=raw) if self.readers else None

    def held_out_logits(self, events: EventTable) -> dict[str, Float]:
        """Return, for each scheme that every fold has the networks of, the held-out log-odds of the trained events.

        Args:
            events: the events of the training.

        Returns:
            (n,) by scheme; empty where a fold has learnt no signs.
        """
        schemes = [name for name in self.folds[0].parts if all(name in fold.parts for fold in self.folds)]
        networks = {name: [fold.parts[name].network for fold in self.folds] for name in schemes}
        return {name: _held_out_output(each, events, self.fold_of) for name, each in networks.items()}

    def held_out_output(self, events: EventTable) -> Float:
        """Return what the network of each trained event's fold says of it, (n,) or (n, M)."""
        return _held_out_output([fold.network for fold in self.folds], events, self.fold_of)

    def only(self, scheme: str, choice: Mapping[str, Any]) -> CrossFit:
        """Return the training with the networks of one scheme alone, and why."""
        return replace(self, folds=tuple(fold.only(scheme) for fold in self.folds), choice=choice)


def crossfit(
    posed: FoldTraining,
    *,
    progress: Progress = SILENT,
    checkpoint: Path | None = None,
    callbacks: Sequence[Callback] = (),
) -> CrossFit:
    """Train one network for each fold, as many at a time as there are cores.

    Each network runs on one thread of its own, so the result does not depend on the number of cores.

    Args:
        posed: events, scheme and settings.
        progress: shows a bar for each fold.
        checkpoint: folder that keeps the state of every fold after every epoch; training goes on from what it finds
            there if that was made from the same events and settings.
        callbacks: are told of every epoch.

    Raises:
        DataError: a feature out of a network's range.
        TrainingError: a label is missing, or its Σw is compatible with 0, overall or among one fold's events; or the
            objective does not go with the scheme.
        KeyboardInterrupt: after Ctrl-C, once the running epochs are over and kept in ``checkpoint``.
    """
    posed.require_trainable()
    events, device, told = posed.events, choose_device(posed.training.device), in_turn(callbacks)

    def fit(fold: int, task: Task, stop: threading.Event) -> FoldFit:
        return posed.fit(fold, device, task, stop, posed.files(checkpoint, fold, told))

    folds = run_folds(fit, range(posed.training.folds), device, progress, "training fold")
    fits = CrossFit(tuple(folds), posed.fold_of)
    finish = getattr(posed.scheme, "finish", None)
    fits = finish(events, fits) if finish else fits
    return replace(fits, health=_health(events, fits, posed.objective).to_dict())


def _health(events: EventTable, fits: CrossFit, objective: Objective) -> SchemeHealth:
    """Measure the health of a training on the events that each network has not seen."""
    logit = fits.held_out_output(events) if objective.task == "classification" else None
    sign, raw = (fits.held_out_sign(events, raw=raw) for raw in (False, True))
    negative_batches = float(np.mean([fold.negative_batches for fold in fits.folds]))
    ensembles = None if fits.readers is None else np.stack([read(events, False) for read in fits.readers], axis=1)
    seen = learning_task(objective).for_signs(events)
    grouped = by_label(seen) if fits.folds[0].signs_of == "label" else seen
    return scheme_health(
        grouped, logit, sign, raw, ensembles=ensembles, fold_of=fits.fold_of, negative_batches=negative_batches
    )


def _held_out_output(networks: Sequence[FoldNetwork], events: EventTable, fold_of: NDArray[np.int8]) -> Float:
    def output(fold: int, members: NDArray[np.intp]) -> Float:
        return network_logits(networks[fold], selected(events.inputs, members))

    return by_fold(fold_of, len(networks), output)

"""k networks by cross-validation: each is tested on the fold that it has not seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hepneg._core.progress import SILENT, Progress
from hepneg.events import EventTable
from hepneg.learning.history import Callback, in_turn
from hepneg.learning.pool import run_folds
from hepneg.learning.task import learning_task
from hepneg.networks.inference import output_by_fold
from hepneg.schemes.fold_fit import FoldFit
from hepneg.schemes.fold_training import FoldTraining
from hepneg.signs.local_signs import HeldOutSigns
from hepneg.signs.sign_health import by_label, scheme_health

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["CrossFit", "crossfit"]

Float = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CrossFit:
    """The outcome of a cross-validated training.

    Attributes:
        folds: what each fold's training gave.
        fold_of: the fold of each event, (n,).
        signs: the local mean signs that the folds have learnt, on held-out events; None where a fold has learnt none.
        logit: held-out log-odds, (n,); None for a regression.
        health: of the scheme on held-out events, JSON-ready; see :class:`hepneg.signs.sign_health.SchemeHealth`.
        choice: what a scheme that chooses has chosen, and why, JSON-ready; empty for any other.
    """

    folds: tuple[FoldFit, ...]
    fold_of: NDArray[np.int8]
    signs: HeldOutSigns | None = None
    logit: Float | None = None
    health: Mapping[str, Any] = field(default_factory=dict)
    choice: Mapping[str, Any] = field(default_factory=dict)

    def held_out_logits(self, events: EventTable) -> dict[str, Float]:
        """Return, for each scheme that every fold has the networks of, the held-out log-odds of the trained events.

        Args:
            events: the events of the training.

        Returns:
            (n,) by scheme; empty where a fold has learnt no signs.
        """
        schemes = [name for name in self.folds[0].parts if all(name in fold.parts for fold in self.folds)]
        networks = {name: [fold.parts[name].network for fold in self.folds] for name in schemes}
        return {name: output_by_fold(each, events.inputs, self.fold_of) for name, each in networks.items()}

    def only(self, scheme: str, choice: Mapping[str, Any], logit: Float | None) -> CrossFit:
        """Return the training with the networks of one scheme alone, why, and its held-out log-odds where known."""
        return replace(self, folds=tuple(fold.only(scheme) for fold in self.folds), choice=choice, logit=logit)


def crossfit(
    posed: FoldTraining,
    *,
    progress: Progress = SILENT,
    checkpoint: Path | None = None,
    callbacks: Sequence[Callback] = (),
    client: Client | None = None,
) -> CrossFit:
    """Train one network for each fold, as many at a time as there are cores, and look at the held-out events.

    Each network runs on one thread of its own, so the result does not depend on the number of cores.

    Args:
        posed: events, scheme and settings.
        progress: shows a bar for each fold.
        checkpoint: folder that keeps the state of every fold after every epoch; training goes on from what it finds
            there if that was made from the same events and settings.
        callbacks: are told of every epoch.
        client: of a cluster whose workers train the folds, with the same result; left out, the cores of this machine.

    Raises:
        TrainingError: among one fold's events a label is missing, or its Σw is compatible with 0; or the objective does
            not go with the scheme.
        KeyboardInterrupt: after Ctrl-C, once the running epochs are over and kept in ``checkpoint``.
    """
    with _checkpoints(checkpoint, client) as folder:
        if client is not None and folder is not None:  # the workers leave checkpoints: nothing is left to train here
            from hepneg.schemes.cluster import train_on_cluster

            train_on_cluster({folder: posed}, client, progress=progress, callbacks=callbacks)
            progress, callbacks = SILENT, ()
        told, training = in_turn(callbacks), posed.training
        folds = run_folds(
            lambda fold, device, task, stop: posed.fit(fold, folder, told, device, task, stop),
            range(training.folds),
            training.device,
            progress,
            "training fold",
        )
    events, readers = posed.events, [fold.signs for fold in folds if fold.signs is not None]
    signs = HeldOutSigns.of(readers, events, posed.fold_of) if len(readers) == len(folds) else None
    fits = CrossFit(tuple(folds), posed.fold_of, signs)
    finish = getattr(posed.scheme, "finish", None)
    fits = finish(events, fits) if finish else fits
    logit = fits.logit
    if logit is None and posed.objective.task == "classification":
        logit = output_by_fold([fold.network for fold in fits.folds], events.inputs, posed.fold_of)
    seen = learning_task(posed.objective).for_signs(events)
    seen = by_label(seen) if folds[0].signs_of == "label" else seen
    negative_batches = float(np.mean([fold.negative_batches for fold in folds]))
    health = scheme_health(seen, logit, signs, negative_batches=negative_batches)
    return replace(fits, logit=logit, health=health.to_dict())


@contextmanager
def _checkpoints(checkpoint: Path | None, client: Client | None) -> Iterator[Path | None]:
    """Yield the folder of the checkpoints: where none is given, one that is there for as long as a cluster needs it."""
    if checkpoint or client is None:
        yield checkpoint
        return
    with TemporaryDirectory() as folder:
        yield Path(folder)

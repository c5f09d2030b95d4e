"""From signed events to a classifier or a regressor."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack, cast

import numpy as np

from hepneg._core.progress import SILENT, Progress
from hepneg.config import Settings
from hepneg.errors import HepnegWarning
from hepneg.events import EventTable
from hepneg.learning.history import Callback
from hepneg.models.calibrate import adjusted
from hepneg.models.classifier import Classifier
from hepneg.models.model import ModelInputs
from hepneg.models.regressor import Regressor
from hepneg.objectives import objective_parameters
from hepneg.schemes import Scheme, scheme_parameters
from hepneg.schemes.crossfit import crossfit
from hepneg.schemes.fold_training import FoldTraining, pose_training

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["train", "train_posed", "train_regressor"]


def train(
    events: EventTable,
    scheme: str | Mapping[str, Any] | Scheme | None = None,
    *,
    inputs: ModelInputs | None = None,
    progress: Progress = SILENT,
    checkpoint: str | Path | None = None,
    callbacks: Sequence[Callback] = (),
    client: Client | None = None,
    **settings: Unpack[Settings],
) -> Classifier:
    """Train a classifier of signal against background, or of any classes, under a weight scheme.

    Args:
        events: signed events of two labels or more.
        scheme: its name, a mapping of ``name`` and parameters, or a scheme object; left out, that of the default
            settings, ``auto``.
        inputs: where the features come from in an ntuple; left out, branches with the names of the features.
        progress: shows a bar for each fold.
        checkpoint: folder that keeps the state of every fold after every epoch. A later call with the same events and
            settings goes on from there and ends with the same classifier.
        callbacks: each is called as ``callback(fold, network, record)`` after every epoch of every network, one at a
            time; what it returns ends that network's training if it is true, what it raises ends all. See
            :class:`hepneg.learning.history.Callback`.
        client: a ``distributed.Client``: its workers train the folds, with the same result; left out, the cores of
            this machine do.
        settings: fields of :class:`hepneg.config.Training`: ``folds``, ``seed``, ``epochs``, ``batch_size``, …

    Returns:
        The classifier: as many networks as folds, each having seen the other folds.

    Warns:
        HepnegWarning: the training of a fold diverged, or its signed loss ran away; a feature that networks hardly see;
            a sample without a positive sum, whose label's samples share one local mean sign.

    Raises:
        ConfigError: unknown scheme or setting.
        DataError: a feature out of a network's range.
        TrainingError: a label is missing or its Σw is compatible with 0.
        KeyboardInterrupt: on Ctrl-C, once the running epochs are over and kept in ``checkpoint``.
    """
    posed = pose_training(events, scheme, **settings)
    options: dict[str, Any] = {"inputs": inputs, "progress": progress, "checkpoint": checkpoint}
    return cast(Classifier, train_posed(events, posed, callbacks=callbacks, client=client, **options))


def train_regressor(
    events: EventTable,
    scheme: str | Mapping[str, Any] | Scheme | None = None,
    *,
    inputs: ModelInputs | None = None,
    progress: Progress = SILENT,
    checkpoint: str | Path | None = None,
    callbacks: Sequence[Callback] = (),
    client: Client | None = None,
    **settings: Unpack[Settings],
) -> Regressor:
    """Train a regression of the events' target, or of several by one network, under a weight scheme.

    A refined weight is learnt from the features and the target together: a mean sign that depends on the features alone
    would cancel in E[t|x], and leave the mean under \\|w\\|.

    Args:
        events: signed events with one or several targets; labels play no part.
        scheme: ``absolute``, ``positive``, ``signed`` or ``refined``, a mapping of ``name`` and parameters, or a scheme
            object; left out, ``refined``.
        inputs: as for :func:`train`.
        progress: as for :func:`train`.
        checkpoint: as for :func:`train`.
        callbacks: as for :func:`train`.
        client: as for :func:`train`.
        settings: fields of :class:`hepneg.config.Training`, ``objective`` among them: ``squared`` (the default),
            ``huber``, ``log_cosh``, ``quantile``, ``signed_squared`` or ``reciprocal``.

    Returns:
        The regressor: as many networks as folds, each having seen the other folds.

    Warns:
        HepnegWarning: the training of a fold diverged, or its signed loss ran away.

    Raises:
        ConfigError: unknown scheme or setting, or one that is not for regressions.
        DataError: the events have no target.
        TrainingError: Σw is compatible with 0, or no target is right.
        KeyboardInterrupt: on Ctrl-C, once the running epochs are over and kept in ``checkpoint``.
    """
    posed = pose_training(events, scheme, "regression", **settings)
    options: dict[str, Any] = {"inputs": inputs, "progress": progress, "checkpoint": checkpoint}
    return cast(Regressor, train_posed(events, posed, callbacks=callbacks, client=client, **options))


def train_posed(
    events: EventTable,
    posed: FoldTraining,
    *,
    inputs: ModelInputs | None = None,
    progress: Progress = SILENT,
    checkpoint: str | Path | None = None,
    callbacks: Sequence[Callback] = (),
    client: Client | None = None,
) -> Classifier | Regressor:
    """Train what :func:`pose_training` poses of these events; arguments, warnings and errors as for :func:`train`."""
    training, objective, chosen = posed.training, posed.objective, posed.scheme
    samples, folder = _sample_summary(events), Path(checkpoint) if checkpoint else None
    fitted = crossfit(posed, progress=progress, checkpoint=folder, callbacks=callbacks, client=client)
    histories = tuple(fold.history for fold in fitted.folds)
    for history in histories:
        if history.message:
            warnings.warn(history.message, HepnegWarning, stacklevel=3)
    networks, message = tuple(fold.network for fold in fitted.folds), ""
    if fitted.logit is not None:
        networks, message = adjusted(networks, events, fitted.logit, fitted.fold_of, training, objective)
    if message:
        warnings.warn(message, HepnegWarning, stacklevel=3)
    named = {"name": objective.name, **objective_parameters(objective)}
    kind: Any = partial(Classifier, classes=events.classes) if objective.task == "classification" else Regressor
    model: Classifier | Regressor = kind(
        networks=networks,
        inputs=inputs or ModelInputs.of_table(events),
        scheme=chosen.name,
        scheme_parameters=scheme_parameters(chosen),
        seed=training.seed,
        histories=histories,
        training={**training.model_dump(mode="json", exclude={"scheme"}), "objective": named},
        samples=samples,
        health=fitted.health,
        choice=fitted.choice,
    )
    return model


def _sample_summary(events: EventTable) -> dict[str, Any]:
    summary = {}
    for number, name in enumerate(events.sample_names):
        members = events.sample == number
        weight = events.weight[members]
        summary[name] = {
            **({"label": events.label_of_sample(name)} if members.any() else {}),
            "entries": len(weight),
            "sum_weights": float(weight.sum()),
            "negative_fraction_counted": float(np.mean(weight < 0)) if len(weight) else float("nan"),
        }
    return summary

"""From signed events to a classifier or a regressor."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Unpack, cast

import numpy as np
from numpy.typing import NDArray

from hepneg._core.by_fold import by_fold
from hepneg._core.class_names import require_two_classes
from hepneg._core.progress import SILENT, Progress
from hepneg.config import REGRESSION_SCHEME, Settings, Task, Training, ungraded_message
from hepneg.errors import ConfigError, HepnegWarning
from hepneg.events import EventTable
from hepneg.learning.history import Callback
from hepneg.metrics import ScoredEvents
from hepneg.models.calibrate import calibrated, calibration_spline, is_probability
from hepneg.models.classifier import Classifier
from hepneg.models.model import ModelInputs
from hepneg.models.regressor import Regressor
from hepneg.networks.calibrated_network import CalibratedNetwork
from hepneg.networks.fold_network import FoldNetwork
from hepneg.objectives import Objective, objective_parameters
from hepneg.schemes import Scheme, as_scheme, require_task, scheme_parameters
from hepneg.schemes.crossfit import CrossFit, crossfit
from hepneg.schemes.fold_training import FoldTraining
from hepneg.signs.pooling import pooled

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["pose_training", "train", "train_posed", "train_regressor"]


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
    """Train a classifier of signal against background under a weight scheme.

    Args:
        events: signed events of both labels.
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


def pose_training(
    events: EventTable,
    scheme: str | Mapping[str, Any] | Scheme | None = None,
    task: Task = "classification",
    **settings: Unpack[Settings],
) -> FoldTraining:
    """Return what :func:`train` or :func:`train_regressor` trains, for folds that are trained by themselves.

    Raises:
        ConfigError: unknown scheme or setting, or one that is not for the task.
        DataError: a regression of events without a target.
    """
    training = Training.of(**settings)
    if task == "classification":
        require_two_classes(events.classes, "a training")
    if task == "regression":
        events.required_target()
        scheme = scheme or REGRESSION_SCHEME
    chosen: Scheme = training.scheme.make() if scheme is None else as_scheme(scheme)
    require_task(chosen, task)
    objective = training.make_objective(task)
    _require_use_of_grades(events, objective)
    return FoldTraining(pooled(events), chosen, training, objective)


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
    samples = _sample_summary(events)
    folder = Path(checkpoint) if checkpoint else None
    if client is None:
        fitted = crossfit(posed, progress=progress, checkpoint=folder, callbacks=callbacks)
    else:
        fitted = _crossfit_on_cluster(posed, client, progress, folder, callbacks)
    histories = tuple(fold.history for fold in fitted.folds)
    for history in histories:
        if history.message:
            warnings.warn(history.message, HepnegWarning, stacklevel=3)
    named = {"name": objective.name, **objective_parameters(objective)}
    kind: type[Classifier | Regressor] = Classifier if objective.task == "classification" else Regressor
    return kind(
        networks=_networks(events, fitted, training, objective),
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


def _crossfit_on_cluster(
    posed: FoldTraining, client: Client, progress: Progress, folder: Path | None, callbacks: Sequence[Callback]
) -> CrossFit:
    """Let the workers leave checkpoints of all folds, in which there is nothing left to train here."""
    from hepneg.schemes.cluster import train_on_cluster

    with nullcontext(folder) if folder else TemporaryDirectory() as kept:
        train_on_cluster({Path(kept): posed}, client, progress=progress, callbacks=callbacks)
        return crossfit(posed, checkpoint=Path(kept))


def _networks(
    events: EventTable, fitted: CrossFit, training: Training, objective: Objective
) -> tuple[FoldNetwork, ...]:
    """Return the networks of the folds, behind them what makes their response a probability, or what was asked for."""
    networks = tuple(fold.network for fold in fitted.folds)
    fit = moving = getattr(objective, "adjustment", None)
    if is_probability(objective, training.network.output) and training.calibration.name != "none":
        fit = calibration_spline
    if fit is None:
        return networks
    held_out = ScoredEvents.of_table(events, fitted.held_out_output(events))
    adjusted = calibrated(networks, held_out, fitted.fold_of, fit, moves=fit is moving)
    if message := _missed(objective, held_out, adjusted, fitted.fold_of):
        warnings.warn(message, HepnegWarning, stacklevel=4)
    return adjusted


def _missed(
    objective: Objective, events: ScoredEvents, networks: Sequence[CalibratedNetwork], fold_of: NDArray[np.integer]
) -> str:
    """Return what an objective has to say of held-out events after its adjustment; empty for nothing."""
    splines = [network.spline for network in networks]
    logit = by_fold(fold_of, len(splines), lambda fold, members: splines[fold](events.score[members]))
    return str(objective.missed(events.with_score(logit))) if hasattr(objective, "missed") else ""


def _require_use_of_grades(events: EventTable, objective: Objective) -> None:
    if events.grade is not None and not getattr(objective, "graded", False):
        raise ConfigError(ungraded_message(objective.name))


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

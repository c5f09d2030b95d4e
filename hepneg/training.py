"""From signed events to a classifier."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hepneg.classifier import Classifier, ModelInputs
from hepneg.config import Training
from hepneg.errors import HepnegWarning
from hepneg.events import EventTable
from hepneg.learning.crossfit import CrossFit, crossfit
from hepneg.progress import SILENT, Progress
from hepneg.schemes import Scheme, make_scheme, scheme_parameters
from hepneg.schemes.auto import Auto
from hepneg.schemes.choice import Choice, choose
from hepneg.schemes.health import SchemeHealth, scheme_health

__all__ = ["train"]


def train(
    events: EventTable,
    scheme: str | Scheme | None = None,
    *,
    inputs: ModelInputs | None = None,
    progress: Progress = SILENT,
    checkpoint: str | Path | None = None,
    **settings: Any,
) -> Classifier:
    """Train a classifier of signal against background under a weight scheme.

    Args:
        events: signed events of both labels.
        scheme: its name, or a scheme object; left out, that of the default settings, ``auto``.
        inputs: where the features come from in an ntuple; left out, branches with the names of the features.
        progress: shows a bar for each fold.
        checkpoint: folder that keeps the state of every fold after every epoch. A later call with the same events and
            settings goes on from there and ends with the same classifier.
        settings: fields of :class:`hepneg.config.Training`: ``folds``, ``seed``, ``epochs``, ``batch_size``, …

    Returns:
        The classifier: as many networks as folds, each having seen the other folds.

    Warns:
        HepnegWarning: the signed loss of a fold ran away.

    Raises:
        ConfigError: unknown scheme or setting.
        TrainingError: a label is missing or its Σw is compatible with 0.
        KeyboardInterrupt: on Ctrl-C, once the running epochs are over and kept in ``checkpoint``.
    """
    training = Training.of(**settings)
    if scheme is None or isinstance(scheme, str):
        chosen = make_scheme(scheme) if scheme else training.scheme.make()
    else:
        chosen = scheme
    folder = Path(checkpoint) if checkpoint else None
    fitted = crossfit(events, chosen, training, progress=progress, checkpoint=folder)
    choice = _choose(events, fitted) if isinstance(chosen, Auto) else None
    fitted = fitted.only(choice.scheme) if choice else fitted
    histories = tuple(fold.history for fold in fitted.folds)
    for history in histories:
        if history.message:
            warnings.warn(history.message, HepnegWarning, stacklevel=2)
    classifier = Classifier(
        networks=tuple(fold.network for fold in fitted.folds),
        inputs=inputs or ModelInputs({name: name for name in events.feature_names}),
        scheme=chosen.name,
        scheme_parameters=scheme_parameters(chosen),
        seed=training.seed,
        histories=histories,
        training=training.model_dump(mode="json", exclude={"scheme"}),
        samples=_sample_summary(events),
        choice=choice.to_dict() if choice else {},
    )
    return replace(classifier, health=_health(events, classifier, fitted).to_dict())


def _choose(events: EventTable, fitted: CrossFit) -> Choice:
    """Choose between the schemes that every fold has the networks of."""
    logits = fitted.held_out_logits(events)
    return choose(events, logits, fitted.held_out_sign(events) if logits else None)


def _health(events: EventTable, classifier: Classifier, fitted: CrossFit) -> SchemeHealth:
    return scheme_health(
        events,
        classifier.held_out_logit(events),
        fitted.held_out_sign(events),
        fitted.held_out_sign(events, raw=True),
        negative_batches=float(np.mean([fold.negative_batches for fold in fitted.folds])),
    )


def _sample_summary(events: EventTable) -> dict[str, Any]:
    summary = {}
    for number, name in enumerate(events.sample_names):
        weight = events.weight[events.sample == number]
        summary[name] = {
            "entries": len(weight),
            "sum_weights": float(weight.sum()),
            "negative_fraction_counted": float(np.mean(weight < 0)) if len(weight) else float("nan"),
        }
    return summary

"""From NanoEvents, or any array of records, to what the classifier and the refinement make of each event."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hepneg.columnar.branch_columns import read_columns
from hepneg.columnar.origin import Origin
from hepneg.config import Config
from hepneg.errors import DataError
from hepneg.ntuples import Chunk, ChunkMaker
from hepneg.ntuples.columns import Needs

if TYPE_CHECKING:
    import awkward as ak

    from hepneg.friends.plan import HeldOut
    from hepneg.models.classifier import Classifier
    from hepneg.signs.refinement import Refinement

__all__ = ["logit", "read_chunk", "refined_weight", "response"]

Float = NDArray[np.float64]


def response(model: Classifier | str | Path, events: ak.Array, *, held_out: HeldOut = "auto") -> Float:
    """Return the response in (0, 1) of each event, (n,), or of each class, (n, K); see :func:`logit`."""
    classifier = _loaded(model)
    return classifier.response_of(_output(classifier, events, held_out))


def logit(model: Classifier | str | Path, events: ak.Array, *, held_out: HeldOut = "auto") -> Float:
    """Return the log-odds of being signal, at equal priors, of each event, or of each class against all others.

    The model's own expressions find its features: ``Jet_pt[:, 0]`` works on flat records with a field ``Jet_pt`` and on
    NanoEvents, where it is ``events.Jet.pt``. Only the branches behind them are read.

    Args:
        model: a classifier that knows the expressions of its features (:class:`hepneg.ModelInputs`), or its folder,
            which a process reads once.
        events: n records.
        held_out: which network an event gets: ``auto`` takes the one that has not seen it if the metadata of coffea
            name a file that the model was trained on, and the mean of all otherwise; ``always`` and ``never`` do as
            they say. Events of the training that come from elsewhere need ``always``; so do cut or shuffled events of
            a model that identifies events by file and entry.

    Returns:
        (n,), or (n, K) of other classes than signal and background, NaN where the model's selection fails, a branch is
        missing (None) or a feature is not finite.

    Raises:
        DataError: a branch does not exist or cannot be used, or there is no model.
        ConfigError: the model does not know the expressions of its features.
    """
    classifier = _loaded(model)
    return classifier.logit_of(_output(classifier, events, held_out))


def _loaded(model: Classifier | str | Path) -> Classifier:
    from hepneg.models.loading import kept_classifier

    return model if not isinstance(model, (str, Path)) else kept_classifier(model)


def _output(classifier: Classifier, events: ak.Array, held_out: HeldOut) -> Float:
    """Return what the networks give for records, (n,) or (n, K − 1), on one thread."""
    from hepneg.networks.inference import one_thread

    with one_thread():
        return _scored(classifier, events, Origin.of(events), held_out)


def _scored(classifier: Classifier, events: ak.Array, origin: Origin, held_out: HeldOut) -> Float:
    from hepneg.friends.score import Engine, EventScorer

    scorer = EventScorer.of(origin.where, origin.identity, Engine.of(classifier, None), held_out, identified=False)
    if scorer.held_out and not scorer.evaluator.event_id and classifier.inputs.folds is None:
        origin.require_entries(len(events))
    columns = read_columns(events, scorer.needs, origin.where)
    result = scorer.output(origin.start, columns.values)
    result[columns.missing] = np.nan
    return result


def refined_weight(refinement: Refinement, events: ak.Array, config: Config, *, sample: str | None = None) -> Float:
    """Return the refined weight of each event, in the unit of the weight expression, none of them negative.

    An event that the weights were learnt from, known by its identifier, gets the weight of the networks that have not
    seen it; for any other event these networks are as good as the others.

    Args:
        refinement: learnt from the features of ``config``, in this process or brought along by a processor.
        events: n records of one sample.
        config: the analysis, whose expressions find weight, features and identifier.
        sample: the sample of the events; left out, that of coffea's metadata.

    Returns:
        (n,), NaN where the selection fails, a branch is missing (None) or a feature is not finite.

    Raises:
        DataError: a branch does not exist or cannot be used, or an unknown sample.
    """
    from hepneg.friends.refined_files import EventRefiner
    from hepneg.networks.inference import one_thread

    origin = Origin.of(events)
    name = sample if sample is not None else origin.known_sample(config.samples)
    if not config.event_id:
        origin.require_entries(len(events))
    columns = read_columns(events, Needs.of(config.for_sample(name)), origin.where)
    refiner = EventRefiner.of(origin.path, name, config, refinement)
    with one_thread():
        weight = refiner.weight(origin.start, columns.values)
    weight[columns.missing] = np.nan
    return weight


def read_chunk(config: Config, events: ak.Array, *, systematics: bool = False) -> tuple[str, Chunk]:
    """Evaluate the weight, the selection and the features of an analysis, as :func:`hepneg.read` does.

    Args:
        config: the analysis.
        events: n records of one sample, with coffea's metadata.
        systematics: whether to evaluate the systematic variations of the weight too.

    Returns:
        The name of the sample and its selected events.

    Raises:
        DataError: an unknown sample, a branch that does not exist or cannot be used, missing values (None), a NaN or
            infinite weight, or a feature of that kind where ``on_nan`` is ``error``.
    """
    origin = Origin.of(events)
    sample = origin.known_sample(config.samples)
    if not config.event_id:
        origin.require_entries(len(events))
    columns = read_columns(events, Needs.of(config.for_sample(sample), systematics=systematics), origin.where)
    if columns.missing.any():
        raise DataError(
            f"{origin.where}: {int(columns.missing.sum())} events have no value (None) in a branch that the analysis "
            "needs; fill it (ak.fill_none) or leave them out"
        )
    maker = ChunkMaker.of(config, sample, origin.path, systematics=systematics)
    return sample, maker.chunk(origin.start, columns.values)

"""The classifier as a scikit-learn estimator, and scorers for signed weights.

Needs scikit-learn: ``pip install 'hepneg[sklearn]'``.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hepneg._core.arrays import FloatArray
from hepneg._core.class_names import TWO_CLASSES, class_names
from hepneg._core.log_odds import sigmoid
from hepneg.config import Training
from hepneg.events import EventTable
from hepneg.events.class_order import in_class_order
from hepneg.learning.trainable import require_trainable
from hepneg.metrics.auc import auc_of
from hepneg.metrics.class_scores import ClassScores, class_log_loss_of
from hepneg.metrics.class_separation import mean_auc_of
from hepneg.metrics.proper import log_loss_of
from hepneg.metrics.scored import ScoredEvents, finite_column, scored_events
from hepneg.models.training import train
from hepneg.schemes import Scheme, as_scheme

try:
    from sklearn import config_context
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.metrics import make_scorer
    from sklearn.utils import check_random_state
    from sklearn.utils.multiclass import type_of_target
    from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data
except ImportError as error:
    raise ImportError(
        f"hepneg.SignedClassifier needs scikit-learn 1.6 or newer ({error}): pip install 'hepneg[sklearn]'"
    ) from None

if TYPE_CHECKING:
    from hepneg.models.classifier import Classifier

__all__ = ["SignedClassifier", "signed_auc", "signed_log_loss"]

FEWEST = 20
"""Events of each class that the smallest part of a training should hold on average; of fewer, copies are made."""

_SAME = (
    "folds",
    "objective",
    "activity",
    "calibration",
    "epochs",
    "batch_size",
    "learning_rate",
    "weight_decay",
    "patience",
    "validation_fraction",
    "device",
)
"""Settings of :class:`hepneg.config.Training` that have the same name here."""


class SignedClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier for events with weights of either sign, with scikit-learn's contract.

    The classes are brought to equal sums of weights, so ``predict_proba`` is for equal priors, and ``predict`` gives
    the most probable class. The larger of two values of y is the signal. Weights of test events are never
    needed. ``score`` is scikit-learn's accuracy; with signed weights, prefer ``hepneg.metrics.auc``.

    Training is cross-fitted as in :func:`hepneg.train`, and predictions are the mean log-odds of the folds' networks:
    for events that it was fitted on they are not held-out predictions; use ``cross_val_predict``. Where a class has
    fewer than some hundred events, identical ones are joined and each is copied, with a share of its weight, so that
    every fold and its validation events have some of each class; early stopping then guards little against overfitting.

    Args:
        scheme: name of the weight scheme, a mapping of ``name`` and parameters, or a scheme object.
        folds: networks, each trained on all but one of as many parts.
        hidden: width of each hidden layer.
        activation: of the hidden layers: ``silu``, ``relu``, ``gelu``, ``tanh``, ``sigmoid`` or ``clipped``.
        output: bounds of the response, a mapping as ``network.output`` of a configuration; None for none.
        objective: name of what is minimised, or a mapping of ``name`` and parameters; None for the cross-entropy.
        activity: a price on the activity of hidden units, a mapping as ``activity`` of a configuration; None for none.
        calibration: ``spline`` makes the response a probability after the training; ``none`` leaves it.
        epochs: most passes over the events; None for what suits the network.
        batch_size: most events in a batch.
        learning_rate: of the optimiser at the start; None for what suits the network.
        weight_decay: of the optimiser.
        patience: epochs without a better validation loss before training stops.
        validation_fraction: share of each network's events that only decide when to stop.
        device: ``auto`` takes a GPU where there is one.
        random_state: seed of everything that is random; None draws one from numpy's global generator.

    Attributes:
        classifier_: the :class:`hepneg.Classifier`; it can be saved and exported.
        classes_: the values of y, sorted.
        n_features_in_: F.
        feature_names_in_: names of the columns, where X had names.
    """

    def __init__(
        self,
        scheme: str | Mapping[str, Any] | Scheme = "auto",
        *,
        folds: int = 5,
        hidden: tuple[int, ...] = (64, 64, 64),
        activation: str = "silu",
        output: Mapping[str, Any] | None = None,
        objective: str | Mapping[str, Any] | None = None,
        activity: Mapping[str, Any] | None = None,
        calibration: str | Mapping[str, Any] = "spline",
        epochs: int | None = None,
        batch_size: int = 1024,
        learning_rate: float | None = None,
        weight_decay: float = 0.0,
        patience: int = 8,
        validation_fraction: float = 0.2,
        device: Literal["auto", "cpu", "cuda"] = "auto",
        random_state: int | np.random.RandomState | None = 1,
    ) -> None:
        self.scheme = scheme
        self.folds = folds
        self.hidden = hidden
        self.activation = activation
        self.output = output
        self.objective = objective
        self.activity = activity
        self.calibration = calibration
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.patience = patience
        self.validation_fraction = validation_fraction
        self.device = device
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:  # noqa: N803
        """Train on events with signed weights.

        Args:
            X: (n, F) finite numbers.
            y: (n,) of two values or more of any type.
            sample_weight: (n,) of either sign; left out, 1. Weights of 0 are the same as no event.

        Returns:
            The estimator itself.

        Raises:
            ValueError: unusable arrays, no classes or a single one, or weights that are all zero, of all events or of a
                class.
            ConfigError: an unknown scheme, or a setting out of range.
            TrainingError: a class whose Σw is not positive, or compatible with 0.
        """
        matrix, target = validate_data(self, X, y, dtype=[np.float64, np.float32])
        kind = type_of_target(target, input_name="y", raise_unknown=True)
        if kind not in {"binary", "multiclass"}:
            raise ValueError(f"Unknown label type: {kind}; give one class for each event")
        weight = _check_sample_weight(sample_weight, matrix, dtype=np.float64)
        classes, code = np.unique(target, return_inverse=True)
        _require_classes(classes, code, weight)
        names = getattr(self, "feature_names_in_", None)
        used = weight != 0
        events = _table(matrix[used], weight[used], code[used], _labels(classes), feature_names=names)
        settings = self._settings()
        self.classes_ = classes
        self.classifier_ = train(_enough(events, Training.of(**settings)), as_scheme(self.scheme), **settings)
        return self

    def decision_function(self, X: ArrayLike) -> FloatArray:  # noqa: N803
        """Return the log-odds of ``classes_[1]`` at equal priors, (n,), or of each of more classes, (n, K)."""
        check_is_fitted(self)
        classifier: Classifier = self.classifier_
        return classifier.logit(validate_data(self, X, dtype=[np.float64, np.float32], reset=False))

    def predict_proba(self, X: ArrayLike) -> FloatArray:  # noqa: N803
        """Return the probability of each class at equal priors, (n, K)."""
        probability = sigmoid(self.decision_function(X))
        return probability if probability.ndim == 2 else np.stack([1 - probability, probability], axis=1)

    def predict(self, X: ArrayLike) -> NDArray[Any]:  # noqa: N803
        """Return the most probable class of each event at equal priors, (n,)."""
        odds = self.decision_function(X)
        code = odds.argmax(axis=1) if odds.ndim == 2 else (odds > 0).astype(np.intp)
        predicted: NDArray[Any] = self.classes_[code]
        return predicted

    def _settings(self) -> dict[str, Any]:
        """Return the keywords of :class:`hepneg.config.Training`, all but the scheme."""
        seed = self.random_state
        if not isinstance(seed, numbers.Integral):
            seed = check_random_state(seed).randint(np.iinfo(np.int32).max)
        network = {"hidden": tuple(self.hidden), "activation": self.activation, "output": self.output}
        same = {name: value for name in _SAME if (value := getattr(self, name)) is not None}
        return {**same, "network": network, "seed": int(seed)}


def _labels(classes: NDArray[Any]) -> tuple[str, ...]:
    """Return the names of the classes in a table: signal and background of two, of more their own where they can."""
    if len(classes) == 2:
        return TWO_CLASSES
    names = tuple(str(value) for value in classes.tolist())
    try:
        return class_names(names)
    except ValueError:
        return tuple(f"class_{number}" for number in range(len(names)))


def _table(
    features: NDArray[Any], weight: NDArray[Any], code: NDArray[Any], labels: tuple[str, ...], **more: Any
) -> EventTable:
    """Return a table with these codes of the classes."""
    number = code.astype(np.intp)
    label = number if labels == TWO_CLASSES else np.array(labels)[number]
    return in_class_order(EventTable.from_arrays(features, weight, label, **more), labels)


def _require_classes(classes: NDArray[Any], code: NDArray[np.integer], weight: FloatArray) -> None:
    if not weight.any():
        raise ValueError("all sample weights are zero: there is nothing to train on")
    left = classes[np.unique(code[weight != 0])]
    if len(left) < 2:
        raise ValueError(f"only one class has events with a weight, {left.tolist()[0]!r}: a classifier needs both")
    if len(left) < len(classes):
        missing = ", ".join(repr(value) for value in classes.tolist() if value not in left.tolist())
        raise ValueError(f"classes without events that have a weight: {missing}; leave them out of y")


def _enough(events: EventTable, training: Training) -> EventTable:
    """Return the events, copied where a part of the training would expect fewer than ``FEWEST`` of a class."""
    fewest = math.ceil(FEWEST / min(training.validation_fraction, 1 / training.folds))
    counts = np.bincount(events.label, minlength=len(events.classes))
    if counts.min() >= fewest:
        return events
    if (events.weight < 0).any():  # copies would hide that a sum is compatible with 0
        require_trainable(events.weight, events.label, events.classes)
    joined = _join(events)
    counts = np.bincount(joined.label, minlength=len(joined.classes))
    copies = np.ceil(fewest / counts).astype(np.int64)[joined.label]
    rows = np.repeat(np.arange(len(joined)), copies)
    return _table(
        joined.features[rows],
        (joined.weight / copies)[rows],
        joined.label[rows],
        joined.classes,
        event_id=np.arange(len(rows)),  # copies must not share a fold, which they would by their content
        feature_names=joined.feature_names,
    )


def _join(events: EventTable) -> EventTable:
    """Join events with the same features, label and sign, in an order that follows from them alone."""
    keys = np.column_stack([events.features, events.label, np.sign(events.weight)])
    rows, row_of = np.unique(keys, axis=0, return_inverse=True)
    weight = np.bincount(row_of.ravel(), weights=events.weight)
    return _table(rows[:, :-2], weight, rows[:, -2], events.classes, feature_names=events.feature_names)


def _signed(target: ArrayLike, score: FloatArray, weight: ArrayLike | None) -> ScoredEvents | ClassScores:
    """Return the events with a score, (n,), or with one of each of K classes, (n, K).

    Raises:
        ValueError: no weights, or other classes than those that are scored.
    """
    if weight is None:
        raise ValueError(
            "signed scorers need the weights of the events that they score: call sklearn.set_config("
            "enable_metadata_routing=True) and give sample_weight to fit of the search, or to the scorer itself"
        )
    classes, code = np.unique(np.asarray(target), return_inverse=True)
    scored = score.shape[1] if score.ndim == 2 else 2
    if len(classes) > scored or (scored > 2 and len(classes) < scored):
        raise ValueError(f"{scored} classes are scored, and there are {len(classes)} among the events")
    if score.ndim == 1:
        return scored_events(score, code, weight)
    names = tuple(map(str, classes.tolist()))
    return ClassScores(score, code.astype(np.int8), finite_column(weight, "weight"), names)


def _signed_auc(target: ArrayLike, score: FloatArray, sample_weight: ArrayLike | None = None) -> float:
    events = _signed(target, score, sample_weight)
    return (auc_of(events) if isinstance(events, ScoredEvents) else mean_auc_of(events, score)).value


def _signed_log_loss(target: ArrayLike, probability: FloatArray, sample_weight: ArrayLike | None = None) -> float:
    from scipy.special import logit

    step = float(np.finfo(np.float64).epsneg)
    inside = np.clip(probability, step, 1 - step)
    if inside.ndim == 2:
        inside = inside / inside.sum(axis=1, keepdims=True)
    events = _signed(target, logit(inside) if inside.ndim == 1 else np.log(inside), sample_weight)
    return (log_loss_of(events) if isinstance(events, ScoredEvents) else class_log_loss_of(events)).value


with config_context(enable_metadata_routing=True):  # the requests may be set under it alone
    signed_auc = make_scorer(_signed_auc, response_method=("decision_function", "predict_proba")).set_score_request(
        sample_weight=True
    )
    """A scorer, ``GridSearchCV(…, scoring=signed_auc)``: :func:`hepneg.metrics.auc` with the events' signed weights.

    It asks for ``sample_weight`` under scikit-learn's metadata routing; without weights it raises ``ValueError``, and
    ``DataError`` where the weights of a class sum to zero or less. The larger of two values of y is the signal; of more
    it is the mean of the areas of each against all others, which share their prior equally.
    """
    signed_log_loss = make_scorer(
        _signed_log_loss, response_method="predict_proba", greater_is_better=False
    ).set_score_request(sample_weight=True)
    """A scorer like :data:`signed_auc`: minus :func:`hepneg.metrics.log_loss`, so that more is better.

    All classes count equally, as the probabilities of :class:`SignedClassifier` take them; those of other estimators
    should be for equal priors too. Exact 0 and 1 are moved inwards by 2⁻⁵³.
    """

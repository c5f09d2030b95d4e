"""Where the variable of stacks and templates comes from: an expression, a score from elsewhere, or a trained model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Protocol, cast

import numpy as np

from hepneg._core.arrays import FloatArray
from hepneg._core.class_names import TWO_CLASSES, response_name
from hepneg._core.log_odds import sigmoid
from hepneg.config import Config, Feature
from hepneg.config.template_settings import MOST_PROBABLE
from hepneg.errors import ConfigError, DataError
from hepneg.evaluation.given_scores import require_probabilities
from hepneg.events import DATA, EventTable

if TYPE_CHECKING:
    from hepneg.models.classifier import Classifier
    from hepneg.models.regressor import Regressor

__all__ = [
    "ExpressionSource",
    "ModelSource",
    "MostProbableSource",
    "NodeSource",
    "ProbabilitiesSource",
    "TrainedSource",
    "VariableSource",
    "given_source",
    "of_sample",
    "require_known_events",
    "source_of",
]

VARIABLE = "response"


class VariableSource(Protocol):
    """Gives the variable of each event. It travels to worker processes."""

    @property
    def takes_objects(self) -> bool:
        """Whether the collections of the analysis must be read as well."""

    @property
    def title(self) -> str:
        """Title of the axis."""

    def features(self, config: Config) -> tuple[Feature, ...]:
        """Return what must be read of each event."""

    def values(self, events: EventTable) -> FloatArray:
        """Return the variable of events that have these features (and others behind them), (n,).

        Of several classes the response of each, (n, K), in the order of the analysis.
        """


@dataclass(frozen=True)
class ExpressionSource:
    """An expression as it is.

    Attributes:
        feature: its name and expression.
        is_logit: whether it is log-odds, to be turned into a probability.
        is_response: whether it must lie in [0, 1].
    """

    takes_objects: ClassVar[bool] = False
    feature: Feature
    is_logit: bool = False
    is_response: bool = False

    @property
    def title(self) -> str:
        """Title of the axis."""
        return "Response" if self.is_response else self.feature.name

    def features(self, config: Config) -> tuple[Feature, ...]:  # noqa: ARG002
        """Return the expression alone: the features of the analysis are not looked at."""
        return (self.feature,)

    def values(self, events: EventTable) -> FloatArray:
        """Return the values, (n,).

        Raises:
            DataError: a response outside [0, 1].
        """
        values = np.asarray(events.features[:, 0], np.float64)
        if self.is_logit:
            return sigmoid(values)
        if self.is_response and len(values) and not (values.min() >= 0 and values.max() <= 1):
            raise DataError(
                f"the response {self.feature.expression.text!r} lies outside [0, 1], from {values.min():.3g} to "
                f"{values.max():.3g}: write `response: {{logit: …}}` for log-odds, or scale it to a probability"
            )
        return values


@dataclass(frozen=True)
class ProbabilitiesSource:
    """The probabilities of several classes, an expression of each.

    Attributes:
        probabilities: names and expressions, in the order of the classes.
    """

    takes_objects: ClassVar[bool] = False
    probabilities: tuple[Feature, ...]

    @property
    def title(self) -> str:
        """Title of the axis."""
        return "Response"

    def features(self, config: Config) -> tuple[Feature, ...]:  # noqa: ARG002
        """Return the expressions alone: the features of the analysis are not looked at."""
        return self.probabilities

    def values(self, events: EventTable) -> FloatArray:
        """Return the probabilities, (n, K).

        Raises:
            DataError: some lie outside [0, 1], or they do not sum to 1 for each event.
        """
        values = np.asarray(events.features[:, : len(self.probabilities)], np.float64)
        require_probabilities(values)
        return values


@dataclass(frozen=True)
class TrainedSource:
    """A trained model: events that it may know get the network that has not seen them, data the mean of all.

    Attributes:
        model: gives a response, or a prediction.
        classes: those of several whose response is wanted, in this order; left out, the model's.
    """

    takes_objects: ClassVar[bool] = True
    model: Classifier | Regressor
    classes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Title of the axis."""
        return "Response" if self.model.task == "classification" else "Prediction"

    def features(self, config: Config) -> tuple[Feature, ...]:
        """Return the features of the analysis."""
        return config.features

    def values(self, events: EventTable) -> FloatArray:
        """Return the responses or predictions, (n,), or the responses of several classes, (n, K).

        Raises:
            DataError: events of other features.
        """
        from hepneg.networks.inference import one_thread

        names = self.model.feature_names
        if events.feature_names[: len(names)] != names:
            raise DataError(
                f"the model takes the features {', '.join(names)}, which the configuration has not: run `hepneg train` "
                "again"
            )
        inputs = replace(events, features=events.features[:, : len(names)], feature_names=names)
        unknown = bool(len(events)) and bool((events.label == DATA).all())
        with one_thread():
            if self.model.task == "classification":
                classifier = cast("Classifier", self.model)
                response = classifier.response(inputs) if unknown else classifier.held_out_response(inputs)
                if response.ndim == 1:
                    return response
                return response[:, [classifier.classes.index(name) for name in self.classes or classifier.classes]]
            regressor = cast("Regressor", self.model)
            return regressor.prediction(inputs) if unknown else regressor.held_out_prediction(inputs)


@dataclass(frozen=True)
class ModelSource:
    """A trained classifier in a folder; a process reads it once.

    Attributes:
        folder: of the model, which every process that fills must be able to read.
        classes: as those of :class:`TrainedSource`.
    """

    takes_objects: ClassVar[bool] = True
    folder: str
    classes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Title of the axis."""
        return "Response"

    def features(self, config: Config) -> tuple[Feature, ...]:
        """Return the features of the analysis."""
        return config.features

    def values(self, events: EventTable) -> FloatArray:
        """Return the responses, (n,), or those of several classes, (n, K).

        Raises:
            DataError: events of other features.
        """
        from hepneg.models.loading import kept_classifier

        return TrainedSource(kept_classifier(self.folder), self.classes).values(events)


@dataclass(frozen=True)
class _OfClasses:
    """What is made of the responses of several classes.

    Attributes:
        source: gives that of each, (n, K).
        classes: K names.
    """

    source: VariableSource
    classes: tuple[str, ...]

    @property
    def takes_objects(self) -> bool:
        """Whether the collections of the analysis must be read as well."""
        return self.source.takes_objects

    def features(self, config: Config) -> tuple[Feature, ...]:
        """Return what the responses are made of."""
        return self.source.features(config)


@dataclass(frozen=True)
class NodeSource(_OfClasses):
    """The response of one of several classes.

    Attributes:
        source: gives that of each, (n, K).
        classes: K names.
        node: the class.
    """

    node: str

    @property
    def title(self) -> str:
        """Title of the axis."""
        return f"{self.source.title}: {self.node}"

    def values(self, events: EventTable) -> FloatArray:
        """Return the responses, (n,)."""
        return self.source.values(events)[:, self.classes.index(self.node)]


@dataclass(frozen=True)
class MostProbableSource(_OfClasses):
    """The response of each event's most probable class of several, and which that is.

    Attributes:
        source: gives that of each, (n, K).
        classes: K names.
    """

    @property
    def title(self) -> str:
        """Title of the axis."""
        return f"{self.source.title} of the most probable class"

    def values(self, events: EventTable) -> FloatArray:
        """Return the response of all classes, (n, K), of which the largest is the variable."""
        return self.source.values(events)


@contextmanager
def of_sample(name: str) -> Iterator[None]:
    """Say in errors of which sample they are."""
    try:
        yield
    except DataError as error:
        raise DataError(f"sample {name!r}: {error}") from None


def given_source(config: Config) -> ExpressionSource | ProbabilitiesSource | None:
    """Return the score from elsewhere that a configuration names, None where it names none."""
    given = config.response
    if given is None:
        return None
    if given.probabilities is not None:
        named = {name: given.probabilities[name] for name in config.classes}
        return ProbabilitiesSource(tuple(Feature(name=response_name(n), expression=e) for n, e in named.items()))
    feature = Feature(name=VARIABLE, expression=given.expression)
    return ExpressionSource(feature, is_logit=given.logit is not None, is_response=True)


def source_of(config: Config) -> VariableSource:
    """Return where the variable of the templates of an analysis comes from.

    Raises:
        ConfigError: it is a response, and the analysis is a regression, or of several classes and names no node.
        DataError: there is no model, or it is of other events or features than the configuration's.
    """
    settings, classes = config.templates, config.classes
    if settings.variable is not None:
        name = settings.variable.text
        return ExpressionSource(Feature(name=name, expression=settings.variable))
    config.require_classification("a template of the response")
    if classes == TWO_CLASSES:
        return _response_source(config, ())
    source = _response_source(config, classes)
    if settings.node is None:
        raise ConfigError(
            f"`templates.node` is missing: name the class whose response is the variable, one of {', '.join(classes)}, "
            f"or {MOST_PROBABLE}"
        )
    if settings.node == MOST_PROBABLE:
        return MostProbableSource(source, classes)
    return NodeSource(source, classes, settings.node)


def _response_source(config: Config, classes: tuple[str, ...]) -> VariableSource:
    given = given_source(config)
    if given is not None:
        return given
    from hepneg.models.compatibility import require_same_events
    from hepneg.models.loading import load_model

    folder = config.output / "model"
    require_same_events(config, load_model(folder))
    return ModelSource(str(folder), classes)


def require_known_events(config: Config) -> None:
    """Refuse a model on other files whose events it could not know again: it would have been trained on some.

    Raises:
        ConfigError: a systematic variation is of other files, and events are known by their files alone.
    """
    names = [
        name
        for key, systematic in config.systematics.items()
        for name, variation in systematic.variations(key).items()
        if variation.weight is None
    ]
    if names and config.response is None and not config.event_id and config.folds is None:
        raise ConfigError(
            f"the systematic variation {names[0]!r} is of other files, in which the events that the networks were "
            "trained on can only be known by `event_id:`; give it, and train again"
        )

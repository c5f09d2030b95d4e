"""Where the variable of templates comes from: an expression, a score from elsewhere, or a trained model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from hepneg._core.arrays import FloatArray
from hepneg._core.log_odds import sigmoid
from hepneg.config import Config, Feature
from hepneg.errors import DataError
from hepneg.events import DATA, EventTable

VARIABLE = "response"


class VariableSource(Protocol):
    """Gives the variable of each event. It travels to worker processes."""

    @property
    def title(self) -> str:
        """Title of the axis."""

    def features(self, config: Config) -> tuple[Feature, ...]:
        """Return what must be read of each event."""

    def values(self, events: EventTable) -> FloatArray:
        """Return the variable of events that have these features (and others behind them), (n,)."""


@dataclass(frozen=True)
class ExpressionSource:
    """An expression as it is.

    Attributes:
        feature: its name and expression.
        is_logit: whether it is log-odds, to be turned into a probability.
        is_response: whether it must lie in [0, 1].
    """

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
class ModelSource:
    """A trained classifier: events that it may know get the network that has not seen them, data the mean of all.

    Attributes:
        folder: of the model, which every process that fills must be able to read.
    """

    folder: str

    @property
    def title(self) -> str:
        """Title of the axis."""
        return "Response"

    def features(self, config: Config) -> tuple[Feature, ...]:
        """Return the features of the analysis."""
        return config.features

    def values(self, events: EventTable) -> FloatArray:
        """Return the responses, (n,).

        Raises:
            DataError: the model takes other features.
        """
        from hepneg.models.loading import kept_classifier
        from hepneg.networks.inference import one_thread

        classifier = kept_classifier(self.folder)
        names = classifier.feature_names
        if events.feature_names[: len(names)] != names:
            raise DataError(
                f"the model in {self.folder} takes the features {', '.join(names)}, which the configuration has not: "
                "run `hepneg train` again"
            )
        inputs = replace(events, features=events.features[:, : len(names)], feature_names=names)
        with one_thread():
            if len(events) and (events.label == DATA).all():
                return classifier.response(inputs.features)
            return classifier.held_out_response(inputs)


def source_of(config: Config) -> VariableSource:
    """Return where the variable of the templates of an analysis comes from.

    Raises:
        ConfigError: it is that of a model, and the analysis is a regression.
        DataError: there is no model, or it is of other events or features than the configuration's.
    """
    settings, given = config.templates, config.response
    if settings.variable is not None:
        name = settings.variable.text
        return ExpressionSource(Feature(name=name, expression=settings.variable))
    if given is not None:
        feature = Feature(name=VARIABLE, expression=given.expression)
        return ExpressionSource(feature, is_logit=given.logit is not None, is_response=True)
    config.require_classification("a template of the response")
    from hepneg.models.compatibility import require_same_events
    from hepneg.models.loading import load_model

    folder = config.output / "model"
    require_same_events(config, load_model(folder))
    return ModelSource(str(folder))

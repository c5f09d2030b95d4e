"""A score from elsewhere, read with the events of an analysis."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hepneg._core.progress import SILENT, Progress
from hepneg.config import Config, Feature
from hepneg.errors import ConfigError
from hepneg.evaluation.evaluation import evaluate
from hepneg.ntuples import read

if TYPE_CHECKING:
    from hepneg.evaluation.evaluation import AnyEvaluation


def evaluate_response(config: Config, *, progress: Progress = SILENT) -> AnyEvaluation:
    """Evaluate the ``response`` of a configuration with all signed weights; see :func:`hepneg.evaluate`.

    Raises:
        ConfigError: there is none, or the analysis is a regression.
        DataError: unusable events, a response outside [0, 1], or probabilities that do not sum to 1.

    Warns:
        HepnegWarning: responses of exactly 0 or 1, or log-odds that look like probabilities.
    """
    config.require_classification("a `response:`")
    given = config.response
    if given is None:
        raise ConfigError(
            "there is no `response:` to evaluate; name a branch or expression, or take `hepneg plot` for a model"
        )
    named = given.probabilities
    expressions = [given.expression] if named is None else [named[name] for name in config.classes]
    columns = [
        Feature.model_construct(name=f"(response {number})", expression=expression)
        for number, expression in enumerate(expressions)
    ]
    wanted = config.model_copy(update={"features": (*config.features, *columns), "collections": {}})
    table, first = read(wanted, progress=progress), len(config.features)
    events = replace(table, features=table.features[:, :first], feature_names=config.feature_names)
    scores, seed = table.features[:, first:], config.training.seed
    if given.logit is not None:
        return evaluate(events, logit=scores[:, 0], seed=seed)
    return evaluate(events, response=scores[:, 0] if named is None else scores, seed=seed)

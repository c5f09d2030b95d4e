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

_COLUMN = "(response)"


def evaluate_response(config: Config, *, progress: Progress = SILENT) -> AnyEvaluation:
    """Evaluate the ``response`` of a configuration with all signed weights; see :func:`hepneg.evaluate`.

    Raises:
        ConfigError: there is none, or the analysis is a regression.
        DataError: unusable events, labels other than signal and background, or a response outside [0, 1].

    Warns:
        HepnegWarning: responses of exactly 0 or 1, or log-odds that look like probabilities.
    """
    config.require_classification("a `response:`")
    given = config.response
    if given is None:
        raise ConfigError(
            "there is no `response:` to evaluate; name a branch or expression, or take `hepneg plot` for a model"
        )
    column = Feature.model_construct(name=_COLUMN, expression=given.expression)
    wanted = config.model_copy(update={"features": (*config.features, column), "collections": {}})
    table = read(wanted, progress=progress)
    events = replace(table, features=table.features[:, :-1], feature_names=config.feature_names)
    score, seed = table.features[:, -1], config.training.seed
    if given.logit is not None:
        return evaluate(events, logit=score, seed=seed)
    return evaluate(events, response=score, seed=seed)

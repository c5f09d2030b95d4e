"""One entry for every evaluation: of a trained model, or of scores from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias, cast, overload

from numpy.typing import ArrayLike

from hepneg._core.class_names import TWO_CLASSES
from hepneg.errors import DataError
from hepneg.evaluation.class_evaluation import ClassEvaluation
from hepneg.evaluation.classification import Evaluation
from hepneg.evaluation.given_scores import given_logit, given_probabilities, response_as_logit
from hepneg.evaluation.regression import RegressionEvaluation
from hepneg.evaluation.several_targets import SeveralTargets, regression_evaluation
from hepneg.events import EventTable
from hepneg.metrics.scored import column_of

if TYPE_CHECKING:
    from hepneg.models.classifier import Classifier
    from hepneg.models.regressor import Regressor

__all__ = ["AnyEvaluation", "evaluate"]

AnyEvaluation: TypeAlias = Evaluation | ClassEvaluation | RegressionEvaluation | SeveralTargets
"""Of a classification into signal and background or into any classes, or of a regression."""


@overload
def evaluate(subject: Classifier, events: EventTable, *, bins: int = 40) -> Evaluation | ClassEvaluation: ...
@overload
def evaluate(subject: Regressor, events: EventTable, *, bins: int = 40) -> RegressionEvaluation | SeveralTargets: ...
@overload
def evaluate(
    subject: EventTable,
    *,
    prediction: ArrayLike,
    quantiles: Mapping[float, ArrayLike] | None = None,
    scheme: str = "external",
    objective: str = "external",
    bins: int = 40,
) -> RegressionEvaluation | SeveralTargets: ...
@overload
def evaluate(
    subject: EventTable,
    *,
    response: ArrayLike | None = None,
    logit: ArrayLike | None = None,
    trained_logit: ArrayLike | None = None,
    scheme: str = "external",
    bins: int = 40,
    seed: int = 1,
) -> Evaluation | ClassEvaluation: ...
def evaluate(
    subject: Classifier | Regressor | EventTable,
    events: EventTable | None = None,
    *,
    response: ArrayLike | None = None,
    logit: ArrayLike | None = None,
    prediction: ArrayLike | None = None,
    trained_logit: ArrayLike | None = None,
    quantiles: Mapping[float, ArrayLike] | None = None,
    scheme: str = "external",
    objective: str = "external",
    bins: int = 40,
    seed: int = 1,
) -> AnyEvaluation:
    """Measure what a model, or a score from elsewhere, is worth, with all signed weights applied.

    Args:
        subject: a model, with the events that it was trained on: each is evaluated by the network that has not seen
            it. Or n events, with one of ``response``, ``logit`` and ``prediction``.
        events: n events, with a model.
        response: (n,) in (0, 1), the probability of signal at equal priors. Exact 0 and 1 are moved inwards by the
            step of the array's type, for their log-loss would be infinite; a warning counts them. Of other classes than
            signal and background (n, K), in the order of ``classes`` of the events.
        logit: (n,) log-odds of signal at equal priors.
        prediction: (n,) of the target of a regression, or (n, T) of T targets.
        trained_logit: (n,) log-odds by networks that were trained on the event, for the overtraining test.
        quantiles: (n,) predicted quantiles of the target by their probability, or (n, T).
        scheme: name of the weight scheme of a score from elsewhere, for tables.
        objective: name of the objective of a prediction from elsewhere, for tables.
        bins: of the histograms.
        seed: of the halves, the permutations and the ROC band; that of the model where there is one.

    Returns:
        The evaluation of a classification, of one into other classes than signal and background, or that of a
        regression, with several targets of each.

    Raises:
        DataError: not one finite number for each event, a response outside [0, 1], no target, or Σw ≤ 0 (of a label,
            in a classification); a model without events, or events without exactly one score.

    Warns:
        HepnegWarning: responses of exactly 0 or 1, or log-odds that look like probabilities.
    """
    scores = {"response": response, "logit": logit, "prediction": prediction}
    given = [name for name, score in scores.items() if score is not None]
    if not isinstance(subject, EventTable):
        if events is None or given:
            raise DataError("give the events on which to evaluate the model, and no score beside them")
        if subject.task == "regression":
            return regression_evaluation(cast("Regressor", subject), events, bins=bins)
        classifier = cast("Classifier", subject)
        if classifier.classes != TWO_CLASSES:
            return ClassEvaluation.of_model(classifier, events, bins=bins)
        return Evaluation.of_model(classifier, events, bins=bins)
    if events is not None or len(given) != 1:
        raise DataError("give a model and events, or events and one of response=, logit= and prediction=")
    if prediction is not None:
        kind = SeveralTargets if subject.targets().shape[1] > 1 else RegressionEvaluation
        return kind.of_predictions(
            subject, prediction, quantiles=quantiles, scheme=scheme, objective=objective, bins=bins
        )
    if subject.classes != TWO_CLASSES and response is not None and trained_logit is None:
        return ClassEvaluation.of_scores(subject, given_probabilities(subject, response), scheme=scheme, bins=bins)
    scored = response_as_logit(subject, response) if response is not None else given_logit(subject, logit)
    trained = None if trained_logit is None else scored.with_score(column_of(subject, trained_logit, "the log-odds"))
    return Evaluation.of_scores(subject, scored, trained=trained, scheme=scheme, bins=bins, seed=seed)

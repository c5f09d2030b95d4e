"""One entry for every evaluation: of a trained model, or of scores from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, overload

from numpy.typing import ArrayLike

from hepneg._core.class_names import TWO_CLASSES
from hepneg.errors import DataError
from hepneg.evaluation.class_evaluation import ClassEvaluation
from hepneg.evaluation.classification import Evaluation
from hepneg.evaluation.given_scores import GivenScores
from hepneg.evaluation.regression import RegressionEvaluation
from hepneg.evaluation.several_targets import SeveralTargets
from hepneg.events import EventTable

if TYPE_CHECKING:
    from hepneg.models.classifier import Classifier
    from hepneg.models.regressor import Regressor

__all__ = ["AnyEvaluation", "evaluate"]

AnyEvaluation: TypeAlias = Evaluation | ClassEvaluation | RegressionEvaluation | SeveralTargets
"""Of a classification into signal and background or into any classes, or of a regression."""


class _Kind(Protocol):
    """What each of them knows: how it is made of a model, and of scores from elsewhere."""

    @classmethod
    def of_model(cls, model: Any, events: EventTable, *, bins: int) -> AnyEvaluation: ...

    @classmethod
    def of_given(cls, events: EventTable, given: GivenScores, *, bins: int) -> AnyEvaluation: ...


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
    given = GivenScores(response, logit, prediction, trained_logit, quantiles, scheme, objective, seed)
    if isinstance(subject, EventTable):
        if events is not None or len(given.names) != 1:
            raise DataError("give a model and events, or events and one of response=, logit= and prediction=")
        return _kind(given.task, subject, subject.classes).of_given(subject, given, bins=bins)
    if events is None or given.names:
        raise DataError("give the events on which to evaluate the model, and no score beside them")
    return _kind(subject.task, events, getattr(subject, "classes", ())).of_model(subject, events, bins=bins)


def _kind(task: str, events: EventTable, classes: Sequence[str]) -> type[_Kind]:
    """Return which evaluation it is."""
    if task == "regression":
        return SeveralTargets if events.targets().shape[1] > 1 else RegressionEvaluation
    return Evaluation if classes == TWO_CLASSES else ClassEvaluation

"""Scores that were made elsewhere: checked for what they claim to be before they are evaluated."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import ArrayLike

from hepneg._core.arrays import FloatArray
from hepneg._core.class_names import require_two_classes
from hepneg._core.log_odds import normalised_logarithms
from hepneg.errors import DataError, HepnegWarning
from hepneg.events import EventTable
from hepneg.metrics.class_scores import ClassScores
from hepneg.metrics.scored import ScoredEvents, column_of

__all__ = ["GivenScores", "given_logit", "given_probabilities", "given_response", "require_probabilities"]

_SUM_TOLERANCE = 1e-3
_STACK = 5
"""Frames from a warning here to whoever calls :func:`hepneg.evaluate`."""


@dataclass(frozen=True, eq=False)
class GivenScores:
    """What was made elsewhere to be evaluated, as :func:`hepneg.evaluate` was given it; its arguments say what it is.

    Attributes:
        response: probabilities, (n,) or (n, K).
        logit: log-odds, (n,).
        prediction: of targets, (n,) or (n, T).
        trained_logit: log-odds by networks that were trained on the event, (n,).
        quantiles: predicted quantiles by their probability.
        scheme: name for tables.
        objective: name for tables.
        seed: of whatever is drawn at random.
    """

    response: ArrayLike | None = None
    logit: ArrayLike | None = None
    prediction: ArrayLike | None = None
    trained_logit: ArrayLike | None = None
    quantiles: Mapping[float, ArrayLike] | None = None
    scheme: str = "external"
    objective: str = "external"
    seed: int = 1

    @property
    def names(self) -> tuple[str, ...]:
        """Which of response, logit and prediction there are."""
        return tuple(name for name in ("response", "logit", "prediction") if getattr(self, name) is not None)

    @property
    def task(self) -> str:
        """What they are the scores of: ``"classification"`` or ``"regression"``."""
        return "classification" if self.prediction is None else "regression"

    def log_odds(self, events: EventTable) -> ScoredEvents:
        """Return n events of signal and background with the log-odds, given as such or as a response.

        Raises:
            DataError: see :func:`given_logit` and :func:`given_response`; or there are other classes.
        """
        if self.response is None:
            return given_logit(events, cast(ArrayLike, self.logit))
        return given_response(events, self.response)

    def probabilities(self, events: EventTable) -> ClassScores:
        """Return n events of K classes with the response as their probabilities.

        Raises:
            DataError: see :func:`given_probabilities`; or they are given in another form.
        """
        if self.response is None or self.trained_logit is not None:
            require_two_classes(events.classes, "a score given as logit= or trained_logit=", "give response=, or ")
        return given_probabilities(events, cast(ArrayLike, self.response))

    def trained(self, events: EventTable, scored: ScoredEvents) -> ScoredEvents | None:
        """Return n events with the log-odds of networks that were trained on them; None where those were not given.

        Raises:
            DataError: not one finite number for each event.
        """
        if self.trained_logit is None:
            return None
        return scored.with_score(column_of(events, self.trained_logit, "the log-odds"))


def given_logit(events: EventTable, logit: ArrayLike) -> ScoredEvents:
    """Take log-odds.

    Args:
        events: n events.
        logit: (n,) log-odds of signal at equal priors.

    Raises:
        DataError: not one finite number for each event.

    Warns:
        HepnegWarning: they differ, and all lie in [0, 1]. Log-odds at equal priors are of both signs wherever they tell
            signal from background, so these are probabilities.
    """
    scored = ScoredEvents.of_table(events, np.asarray(logit, np.float64), "the log-odds")
    low, high = (scored.score.min(), scored.score.max()) if len(scored) else (0.0, 0.0)
    if 0 <= low < high <= 1:
        warnings.warn(
            f"all log-odds lie in [{low:.3g}, {high:.3g}], as probabilities do: give those as response=, not as logit=",
            HepnegWarning,
            stacklevel=_STACK,
        )
    return scored


def require_probabilities(response: FloatArray) -> None:
    """Refuse what are no probabilities of classes, (n, K).

    Raises:
        DataError: numbers outside [0, 1], or rows that do not sum to 1 within a thousandth.
    """
    inside = ((response >= 0) & (response <= 1)).all()
    if not inside or (np.abs(response.sum(axis=1) - 1) > _SUM_TOLERANCE).any():
        raise DataError("probabilities of classes lie in [0, 1] and sum to 1 for each event; normalise them first")


def given_probabilities(events: EventTable, response: ArrayLike) -> ClassScores:
    """Take the probabilities of several classes at equal priors.

    Args:
        events: n events of K classes.
        response: (n, K) in [0, 1], in the order of the events' classes, which sum to 1. Exact 0 is taken as the step of
            the array's type from 1.

    Raises:
        DataError: another shape, numbers outside [0, 1], or rows that do not sum to 1 within a thousandth.

    Warns:
        HepnegWarning: some are exactly 0.
    """
    given, shape = np.asarray(response), (len(events), len(events.classes))
    if given.shape != shape:
        raise DataError(
            f"the response has shape {given.shape}, but there are {shape[0]} events of the classes "
            f"{', '.join(events.classes)}; give probabilities (n, {shape[1]}) in this order"
        )
    y = given.astype(np.float64)
    require_probabilities(y)
    if (y == 0).any():
        step = float(np.finfo(given.dtype if given.dtype.kind == "f" else np.float64).epsneg)
        warnings.warn(
            f"{int((y == 0).sum())} probabilities are exactly 0, which would make the loss infinite: they are taken as "
            f"{step:.2g}",
            HepnegWarning,
            stacklevel=_STACK,
        )
        y = np.where(y == 0, step, y)
    return ClassScores(normalised_logarithms(np.log(y)), events.label, events.weight, events.classes, events.clusters())


def given_response(events: EventTable, response: ArrayLike) -> ScoredEvents:
    """Take a response, the probability of signal at equal priors, as log-odds.

    Args:
        events: n events.
        response: (n,) in (0, 1). Exact 1 is taken as the next smaller number of the array's type; exact 0 as far from
            its end, but not above any other response.

    Raises:
        DataError: not one finite number for each event, or numbers outside [0, 1].

    Warns:
        HepnegWarning: some are exactly 0 or 1.
    """
    from scipy.special import logit

    given = np.asarray(response)
    y = column_of(events, given, "the response")
    outside = (y < 0) | (y > 1)
    if outside.any():
        raise DataError(
            f"{int(outside.sum())} responses lie outside [0, 1], from {y.min():.3g} to {y.max():.3g}: "
            "give log-odds as logit=, and scale any other score to a probability first"
        )
    ends = (y == 0) | (y == 1)
    if not ends.any():
        return ScoredEvents.of_table(events, logit(y))
    step = float(np.finfo(given.dtype if given.dtype.kind == "f" else np.float64).epsneg)
    lowest = min(step, float(y[y > 0].min(initial=step)))
    warnings.warn(
        f"{int(ends.sum())} of {len(y)} responses are exactly 0 or 1, which would make the loss infinite: "
        f"they are taken as {step:.2g} from the end",
        HepnegWarning,
        stacklevel=_STACK,
    )
    return ScoredEvents.of_table(events, logit(np.where(y == 0, lowest, np.where(y == 1, 1 - step, y))))

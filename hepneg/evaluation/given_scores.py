"""Scores that were made elsewhere: checked for what they claim to be before they are evaluated."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import ArrayLike

from hepneg.errors import DataError, HepnegWarning
from hepneg.events import EventTable
from hepneg.metrics.scored import ScoredEvents, column_of

__all__ = ["given_logit", "response_as_logit"]

_STACK = 3
"""Frames from a warning here to whoever calls :func:`hepneg.evaluate`."""


def given_logit(events: EventTable, logit: ArrayLike | None) -> ScoredEvents:
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


def response_as_logit(events: EventTable, response: ArrayLike) -> ScoredEvents:
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

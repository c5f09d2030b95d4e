"""The share of the events with a score in a range, with signed weights."""

from __future__ import annotations

import numpy as np

from hepneg._core.estimate import Estimate
from hepneg.metrics.influence import Influence
from hepneg.metrics.scored import ScoredEvents

__all__ = ["response_share"]


def response_share(events: ScoredEvents, low: float, high: float) -> Estimate:
    """Measure the share of the events with low ≤ score ≤ high, both labels counted alike.

    Args:
        events: with a score.
        low: lower end of the range.
        high: upper end.

    Raises:
        DataError: a label with Σw ≤ 0.
    """
    inside = (events.score >= low) & (events.score <= high)
    means = np.array([float(events.share[inside & (events.code == code)].sum()) for code in (0, 1)])
    return Influence(float(means.mean()), 0.5 * events.share * (inside - means[events.code]), events.cluster).estimate()

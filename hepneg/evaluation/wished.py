"""What became of the share that the objective ``response_preference`` asks for: of events, and of combinations."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hepneg._core.estimate import Estimate
from hepneg._core.json_values import JsonResult
from hepneg._core.log_odds import log_odds
from hepneg.errors import DataError, nearest_names
from hepneg.metrics.response_share import response_share
from hepneg.metrics.scored import ScoredEvents

if TYPE_CHECKING:
    from hepneg.models.classifier import Classifier

__all__ = ["ShareRow", "wished_shares"]

MOST_COMBINATIONS = 100_000
"""Of more than these, so many are drawn at random."""


@dataclass(frozen=True, slots=True)
class ShareRow(JsonResult):
    """The share of something with a response in a range.

    Attributes:
        of: ``held-out events`` (signed, both labels counted alike) or ``combinations`` (each counted once).
        low: lower end of the range of the response.
        high: upper end.
        wanted: the share that was asked for.
        share: found, with its error; 0 where all combinations were looked at.
    """

    of: str
    low: float
    high: float
    wanted: float
    share: Estimate


def wished_shares(model: Classifier, held_out: ScoredEvents) -> tuple[ShareRow, ...]:
    """Return the shares in the range that a model's objective asks for; none for any other objective.

    Args:
        model: the classifier.
        held_out: events with the log-odds that it gives them.

    Raises:
        DataError: the objective's ``space`` leaves a feature out, or names one that is none.
    """
    wish = model.training.get("objective") or {}
    if wish.get("name") != "response_preference":
        return ()
    ends, wanted = (float(wish["low"]), float(wish["high"])), float(wish["share"])
    low, high = map(log_odds, ends)
    rows = [ShareRow("held-out events", *ends, wanted, response_share(held_out, low, high))]
    if wish.get("space"):
        points, drawn = _combinations(_levels(wish["space"], model.feature_names), model.seed)
        logit = model.logit(points)
        inside = float(np.mean((logit >= low) & (logit <= high)))
        error = math.sqrt(inside * (1 - inside) / len(points)) if drawn else 0.0
        rows.append(ShareRow("combinations", *ends, wanted, Estimate(inside, error)))
    return tuple(rows)


def _levels(space: Mapping[str, Sequence[float]] | Sequence[float], features: tuple[str, ...]) -> list[Sequence[float]]:
    """Return the values of each feature, in order."""
    if not isinstance(space, Mapping):
        return [space for _ in features]
    for name in space:
        if name not in features:
            raise DataError(f"objective.space: no feature {name!r}{nearest_names(name, features)}")
    missing = [name for name in features if name not in space]
    if missing:
        raise DataError(f"objective.space has no values for the feature {missing[0]!r}; give some for each feature")
    return [space[name] for name in features]


def _combinations(levels: Sequence[Sequence[float]], seed: int) -> tuple[NDArray[np.float64], bool]:
    """Return all combinations, (n, F), or a random part of them; and whether it is a part."""
    if math.prod(map(len, levels)) <= MOST_COMBINATIONS:
        return np.array(list(product(*levels)), np.float64), False
    rng = np.random.default_rng([abs(seed), 6])
    return np.column_stack([rng.choice(np.asarray(values, float), MOST_COMBINATIONS) for values in levels]), True

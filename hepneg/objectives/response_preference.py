"""The objective ``response_preference``: a wanted share of the events in a range of the response."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from hepneg._core.linear_spline import LinearSpline
from hepneg._core.log_odds import log_odds
from hepneg._core.parameters import require_positive
from hepneg._core.registry import parameters_of
from hepneg.config import Task
from hepneg.metrics import ScoredEvents, response_share
from hepneg.objectives.share_spline import share_spline

if TYPE_CHECKING:
    from hepneg.objectives.objective_loss import ObjectiveLoss

__all__ = ["ResponsePreference"]

TOLERANCE = 0.02
"""Of the share of held-out events; more is worth a warning."""


@dataclass(frozen=True)
class ResponsePreference:
    """Minimise cross-entropy + price·\\|S − share\\|, S the weighted share of events with a response in [low, high].

    S = Σ v 1[low ≤ y ≤ high] / Σ v over both labels at equal sums, v the training weight. No response is forbidden:
    the share is met where that costs less than ``price`` nats for each unit of share, and approached otherwise.

    \\|S − share\\| is max over \\|μ\\| ≤ 1 of μ·(share − S), so the network follows the gradient of
    Σ v(ℓ − price·μ·s(z)), ℓ the cross-entropy, and μ grows while the running S is too small and falls while it is too
    large (a low-pass filter over the batches, signed weights in both sums). For S itself has no gradient, s is its
    smooth surrogate s(z) = σ(d/T), T = ``temperature``, where d is the distance of z from the nearer end of the range
    in units of the logit, positive inside. Events within a few T of an end move first, events far from it hardly, and
    those that are beyond it by T/2, on the side where more are wanted, are left alone. Start-up: S begins at ½, which
    counts as one batch, and μ stays 0 for the first 1/filter_strength batches. The validation loss is the formula
    above, S unsmoothed.

    A training of few steps cannot follow a price. So the log-odds go through a rising spline afterwards, cross-fitted
    on signed weights, which moves the events nearest to the range across its ends until the share is met, none of them
    for more than ``price`` nats (:func:`hepneg.objectives.share_spline.share_spline`). The share of held-out events is
    then met as far as the folds agree, to some 0.02 with 700 effective events and better with more; where it is off by
    more than 0.02, a warning says so.

    Valid for a share that the inputs can give: where S can only jump, as with few distinct inputs, the nearest step is
    met. A response that was moved is no probability: rankings keep their meaning, calibration does not.

    Reference: Nocedal and Wright, Numerical Optimization (2006), section 17.2, for the exact penalty and its
        multiplier.

    Args:
        share: wanted, in [0, 1].
        low: lower end of the range, in [0, 1).
        high: upper end of the range, in (0, 1]; 1 leaves a threshold at ``low``.
        price: most that the cross-entropy may rise for each unit of share, in nats.
        temperature: width of the surrogate's edges, in units of the logit.
        filter_strength: weight of the newest batch in the running share, in (0, 1].
        space: values that the inputs can have, a list for all or a mapping by feature. The training does not use it;
            the share of all combinations with a response in the range is then in ``metrics.json`` as well.
    """

    name: ClassVar[str] = "response_preference"
    task: ClassVar[Task] = "classification"
    share: float = 0.5
    low: float = 0.5
    high: float = 1.0
    price: float = 2.0
    temperature: float = 0.25
    filter_strength: float = 0.05
    space: Mapping[str, Sequence[float]] | Sequence[float] | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ValueError(f"share must be between 0 and 1, not {self.share!r}")
        if not 0 <= self.low < self.high <= 1:
            raise ValueError(f"low and high must be a range within [0, 1], not [{self.low!r}, {self.high!r}]")
        require_positive(price=self.price, temperature=self.temperature)
        if not 0 < self.filter_strength <= 1:
            raise ValueError(f"filter_strength must be above 0 and at most 1, not {self.filter_strength!r}")
        lists = self.space.values() if isinstance(self.space, Mapping) else [self.space]
        if self.space is not None and not all(map(_are_numbers, lists)):
            raise ValueError(
                f"space must be a list of numbers, or one for each feature by its name, not {self.space!r}"
            )

    def make_loss(self) -> ObjectiveLoss:
        """Return a new loss (see :class:`hepneg.objectives.objective.Objective`)."""
        from hepneg.objectives.response_share_loss import ResponseShareLoss

        wish = parameters_of(self)
        del wish["space"]
        return ResponseShareLoss(**wish)

    def adjustment(self, events: ScoredEvents) -> LinearSpline:
        """Return the spline of log-odds under which the share is met on these events."""
        return share_spline(events, self.share, log_odds(self.low), log_odds(self.high), self.price)

    def missed(self, events: ScoredEvents) -> str:
        """Say by how much the share is missed on events with their final log-odds; empty where it is met."""
        found = response_share(events, log_odds(self.low), log_odds(self.high))
        if abs(found.value - self.share) <= TOLERANCE:
            return ""
        return (
            f"response_preference: a share of {found} of the held-out events has a response in [{self.low:g}, "
            f"{self.high:g}], not {self.share:g}: there are too few events or too few different values of the "
            f"inputs, or more would cost over {self.price:g} nats; take more events, raise `price`, or ask for another "
            "share"
        )


def _are_numbers(values: object) -> bool:
    if isinstance(values, str) or not isinstance(values, Sequence) or not values:
        return False
    return all(isinstance(value, (int, float)) and math.isfinite(value) for value in values)

"""The objective ``huber``: a mean that far targets cannot drag away."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from hepneg._core.parameters import require_positive
from hepneg.objectives.target_objective import TargetObjective

if TYPE_CHECKING:
    from hepneg.objectives.losses.objective_loss import ObjectiveLoss

__all__ = ["Huber"]


@dataclass(frozen=True)
class Huber(TargetObjective):
    """Minimise Σ v·h(t − p) with h(r) = r²/2 for |r| ≤ δ and δ(|r| − δ/2) beyond.

    Between the mean (δ → ∞) and the median (δ → 0) of the target given x: for targets with tails that are mismodelled
    or of no interest. For an asymmetric distribution the prediction is neither.

    Args:
        delta: δ, in standard deviations of the target.

    Reference: Huber, Ann. Math. Stat. 35 (1964) 73.
    """

    name: ClassVar[str] = "huber"
    delta: float = 1.0

    def __post_init__(self) -> None:
        require_positive(delta=self.delta)

    def make_loss(self) -> ObjectiveLoss:
        """Return a new loss (see :class:`hepneg.objectives.objective.Objective`)."""
        from hepneg.objectives.losses.target_loss import TargetLoss, huber

        return TargetLoss(partial(huber, delta=self.delta))

"""The objective ``squared``: the mean of the target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from hepneg.objectives.target_objective import TargetObjective

if TYPE_CHECKING:
    from hepneg.objectives.losses.objective_loss import ObjectiveLoss

__all__ = ["Squared"]


@dataclass(frozen=True)
class Squared(TargetObjective):
    """Minimise Σ v(t − p)²: the prediction becomes E[t|x] under the training weights.

    For any target with a finite variance; a few far targets can dominate it. With weights of either sign the sum has no
    lower bound on a finite sample: take a scheme that trains on weights ≥ 0, or ``signed``, which bounds the output.

    Reference: Bishop, Pattern Recognition and Machine Learning (2006), section 1.5.5.
    """

    name: ClassVar[str] = "squared"

    def make_loss(self) -> ObjectiveLoss:
        """Return a new loss (see :class:`hepneg.objectives.objective.Objective`)."""
        from hepneg.objectives.losses.target_loss import TargetLoss, squared

        return TargetLoss(squared)

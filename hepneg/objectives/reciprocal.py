"""The objective ``reciprocal``: counter-examples repel like 1/r²."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from hepneg._core.parameters import require_positive
from hepneg.objectives.target_objective import TargetObjective

if TYPE_CHECKING:
    from hepneg.objectives.losses.objective_loss import ObjectiveLoss

__all__ = ["Reciprocal"]


@dataclass(frozen=True)
class Reciprocal(TargetObjective):
    """Minimise Σ₊ y(t − p)² + Σ₋ |y|/((t − p)² + ε): right targets attract, counter-examples repel when they are near.

    y is the weight times the grade, as for ``signed_squared``; Σ₊ runs over y > 0 and Σ₋ over y < 0.

    Bounds: every term is ≥ 0, and that of a counter-example at most |y|/ε. It pulls with at most 0.65·|y|·ε^(−3/2)
    standard deviations, at r = √(ε/3), so with P, m and N as for that \\|p − m\\| ≤ 0.33·ε^(−3/2)·N/P. In addition no
    prediction leaves the range of the right targets of the training by more than one of their standard deviations, or
    the range that ``network.output`` gives.

    Valid where a prediction must not lie at a counter-example. It displaces the mean of right targets near which
    counter-examples are, whether or not mistakes are left among them.

    Args:
        epsilon: ε, in squared standard deviations of the target.

    Reference: repulsion by a reciprocal follows the potential fields of Khatib, Int. J. Robot. Res. 5 (1986) 90.
    """

    name: ClassVar[str] = "reciprocal"
    graded: ClassVar[bool] = True
    bounded: ClassVar[bool] = True
    epsilon: float = 0.3

    def __post_init__(self) -> None:
        require_positive(epsilon=self.epsilon)

    def make_loss(self) -> ObjectiveLoss:
        """Return a new loss (see :class:`hepneg.objectives.objective.Objective`)."""
        from hepneg.objectives.losses.target_loss import TargetLoss, reciprocal

        return TargetLoss(partial(reciprocal, epsilon=self.epsilon))

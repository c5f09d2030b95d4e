"""The objectives ``signed_squared`` and ``reciprocal``: counter-examples repel, within bounds or like 1/r²."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from hepneg._core.parameters import require_positive
from hepneg.objectives.target_objectives import TargetObjective

if TYPE_CHECKING:
    from hepneg.objectives.objective_loss import ObjectiveLoss

__all__ = ["Reciprocal", "SignedSquared"]


@dataclass(frozen=True)
class SignedSquared(TargetObjective):
    """Minimise Σ y·(t − p)² over right targets and counter-examples, the pull of the latter saturated.

    y is the weight times the grade: +1 for a right target, −1 for one that is known to be wrong, or graded in between.
    A term with y > 0 is y·r², r = t − p; one with y < 0 is |y|·a²·exp(−r²/a²), which differs from y·r² by a constant
    near r = 0 and vanishes far away (the loss of Welsch, turned round).

    Bounds: every term is ≥ 0. A counter-example pulls with at most 0.86·a·|y| standard deviations, at r = a/√2, so
    where the right targets of weight P have the mean m and the counter-examples weigh N, \\|p − m\\| ≤ 0.43·a·N/P. In
    addition no prediction leaves the range of the right targets of the training by more than one of their standard
    deviations, or the range that ``network.output`` gives.

    Valid where the counter-examples are a sample of the same mistakes that sit unmarked among the right targets: they
    then take them back, as negative weights do. Where all wrong targets are marked, leaving them out is better.

    Args:
        reach: a, in standard deviations of the target: counter-examples further away than some 2a do not count.

    Reference: the saturation follows Dennis, Welsch, Commun. Stat. B 7 (1978) 345.
    """

    name: ClassVar[str] = "signed_squared"
    graded: ClassVar[bool] = True
    bounded: ClassVar[bool] = True
    reach: float = 2.0

    def __post_init__(self) -> None:
        require_positive(reach=self.reach)

    def make_loss(self) -> ObjectiveLoss:
        """Return a new loss (see :class:`hepneg.objectives.objective.Objective`)."""
        from hepneg.losses import SignedSquaredLoss
        from hepneg.objectives.target_loss import TargetLoss

        return TargetLoss(SignedSquaredLoss(self.reach))


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
        from hepneg.losses import ReciprocalLoss
        from hepneg.objectives.target_loss import TargetLoss

        return TargetLoss(ReciprocalLoss(self.epsilon))

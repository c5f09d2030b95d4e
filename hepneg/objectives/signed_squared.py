"""The objective ``signed_squared``: counter-examples repel, within bounds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from hepneg._core.parameters import require_positive
from hepneg.objectives.target_objective import TargetObjective

if TYPE_CHECKING:
    from hepneg.objectives.losses.objective_loss import ObjectiveLoss

__all__ = ["SignedSquared"]


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
        from hepneg.objectives.losses.target_loss import TargetLoss, signed_squared

        return TargetLoss(partial(signed_squared, reach=self.reach))

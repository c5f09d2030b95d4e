"""The objective ``quantile``: several quantiles of the target at once."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from hepneg.objectives.target_objective import TargetObjective

if TYPE_CHECKING:
    from hepneg.objectives.losses.objective_loss import ObjectiveLoss

__all__ = ["Quantile"]


@dataclass(frozen=True)
class Quantile(TargetObjective):
    """Minimise Σ v·Σ_q max(q(t − p_q), (q − 1)(t − p_q)): p_q becomes the q-quantile of the target given x.

    The quantiles cannot cross: each is the one nearer to the centre plus or minus a positive gap. The one nearest to
    the median is the prediction. For any target; quantiles within some 1/n_eff of 0 or 1, n_eff the effective events
    near x, cannot be learnt.

    Args:
        quantiles: increasing probabilities between 0 and 1.

    Reference: Koenker, Bassett, Econometrica 46 (1978) 33.
    """

    name: ClassVar[str] = "quantile"
    quantiles: tuple[float, ...] = (0.16, 0.5, 0.84)

    def __post_init__(self) -> None:
        object.__setattr__(self, "quantiles", tuple(self.quantiles))  # YAML knows lists only
        steps = (0.0, *self.quantiles, 1.0)
        if not self.quantiles or any(not low < high for low, high in itertools.pairwise(steps)):
            raise ValueError(f"quantiles must increase and lie between 0 and 1, not {list(self.quantiles)}")

    def make_loss(self) -> ObjectiveLoss:
        """Return a new loss (see :class:`hepneg.objectives.objective.Objective`)."""
        from hepneg.objectives.losses.target_loss import TargetLoss, pinball

        return TargetLoss(partial(pinball, quantiles=self.quantiles))

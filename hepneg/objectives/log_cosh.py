"""The objective ``log_cosh``: as Huber's, with a smooth second derivative."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from hepneg._core.parameters import require_positive
from hepneg.objectives.target_objective import TargetObjective

if TYPE_CHECKING:
    from hepneg.objectives.losses.objective_loss import ObjectiveLoss

__all__ = ["LogCosh"]


@dataclass(frozen=True)
class LogCosh(TargetObjective):
    """Minimise Σ v·s²·log cosh((t − p)/s): squared near 0, linear far away, and smooth in between.

    Where Huber's objective is valid; twice differentiable everywhere.

    Args:
        scale: s, in standard deviations of the target, where the one goes over into the other.

    Reference: Green, IEEE Trans. Med. Imaging 9 (1990) 84.
    """

    name: ClassVar[str] = "log_cosh"
    scale: float = 0.5

    def __post_init__(self) -> None:
        require_positive(scale=self.scale)

    def make_loss(self) -> ObjectiveLoss:
        """Return a new loss (see :class:`hepneg.objectives.objective.Objective`)."""
        from hepneg.objectives.losses.target_loss import TargetLoss, log_cosh

        return TargetLoss(partial(log_cosh, scale=self.scale))

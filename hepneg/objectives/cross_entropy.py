"""The objective ``cross_entropy``: the log-odds themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from hepneg.config import Task

if TYPE_CHECKING:
    from hepneg.objectives.objective_loss import ObjectiveLoss

__all__ = ["CrossEntropy"]


@dataclass(frozen=True)
class CrossEntropy:
    """Minimise Σ v·log(1 + e^∓z): the logit z becomes the log-odds of signal at equal priors.

    v is the training weight with both labels brought to the same sum, the sign that of the label. Proper: in the limit
    of many events z(x) is log p₁(x)/p₀(x), wherever both densities are positive, and errors of either kind at response
    ½ cost the same. It works with every scheme. Of K > 2 classes the network gives log pₖ(x)/p₀(x) of each against the
    first, and the loss is −v·log of the probability of the event's own class.

    Reference: Good, J. R. Stat. Soc. B 14 (1952) 107.
    """

    name: ClassVar[str] = "cross_entropy"
    task: ClassVar[Task] = "classification"
    probability: ClassVar[bool] = True
    several_classes: ClassVar[bool] = True

    def make_loss(self) -> ObjectiveLoss:
        """Return a new loss (see :class:`hepneg.objectives.objective.Objective`)."""
        from hepneg.objectives.label_loss import LabelLoss

        return LabelLoss()

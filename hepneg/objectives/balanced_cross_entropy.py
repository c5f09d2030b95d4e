"""The objective ``balanced_cross_entropy``: errors priced so that sensitivity and specificity come out as asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from hepneg._core.registry import parameters_of
from hepneg.config import Task

if TYPE_CHECKING:
    from hepneg.objectives.objective_loss import ObjectiveLoss

__all__ = ["BalancedCrossEntropy"]


@dataclass(frozen=True)
class BalancedCrossEntropy:
    """Minimise Σ v·c·log(1 + e^∓z), c following the running rates so that an operating point is met.

    False negatives cost c₁ = 2/(1 + e^−η), false positives c₀ = 2/(1 + e^η), so that e^η is their ratio. The
    sensitivity TPR = Σ₁v(y > t)/Σ₁v and the specificity TNR = Σ₀v(y < t)/Σ₀v of the training batches, t the threshold,
    are low-pass filtered with their signed weights, and η follows them (integral control): η ← η + ½·filter_strength·e
    with

    - e = log ratio − log(TPR/TNR) for ``ratio``, TPR/TNR = 1 where nothing is asked for;
    - e = logit(target) − logit(TPR) for ``sensitivity``, and the like with the other sign for ``specificity``.

    Start-up: the filter starts from rates of ½ that count as one batch. For the first 1/filter_strength batches all
    batches count alike and η stays 0, which is plain cross-entropy; \\|η\\| never exceeds log 100. Early stopping goes
    by the log-loss of z − η. As running rates are those of events that were trained on, the last layer's bias is
    finally set so that the operating point is met on the validation events, signed.

    Valid where the labels overlap and the target lies on the ROC curve. Both labels are brought to the same Σv
    before, so neither prices nor rates depend on the samples' cross sections; a rare label only makes its own rate
    noisier. z estimates log p₁/p₀ + η and not the log-odds at equal priors: rankings and AUC keep their meaning,
    calibration and log-loss do not. A network that can represent everything would get the same response from plain
    cross-entropy with a moved threshold; one that cannot spends its capacity at the operating point.

    Reference: Elkan, IJCAI 17 (2001) 973, for prices of errors; Eban et al., arXiv:1608.04802, for rates by
        multipliers.

    Args:
        ratio: of sensitivity to specificity.
        sensitivity: in (0, 1).
        specificity: in (0, 1); at most one of the three is given.
        filter_strength: weight of the newest batch in the running rates, in (0, 1].
        threshold: t, a response; an output y on a scale [a, b] has the response (y − a)/(b − a), so that ½ on [−1, 1]
            is 0.75.
    """

    name: ClassVar[str] = "balanced_cross_entropy"
    task: ClassVar[Task] = "classification"
    ratio: float | None = None
    sensitivity: float | None = None
    specificity: float | None = None
    filter_strength: float = 0.05
    threshold: float = 0.5

    def __post_init__(self) -> None:
        targets = {"ratio": self.ratio, "sensitivity": self.sensitivity, "specificity": self.specificity}
        given = [name for name, value in targets.items() if value is not None]
        if len(given) > 1:
            raise ValueError(f"give one of ratio, sensitivity and specificity, not {' and '.join(given)}")
        if self.ratio is not None and not 0.01 <= self.ratio <= 100:
            raise ValueError(f"ratio must be between 0.01 and 100, not {self.ratio!r}")
        for name in ("sensitivity", "specificity"):
            value = targets[name]
            if value is not None and not 0 < value < 1:
                raise ValueError(f"{name} must be between 0 and 1, not {value!r}")
        if not 0 < self.filter_strength <= 1:
            raise ValueError(f"filter_strength must be above 0 and at most 1, not {self.filter_strength!r}")
        if not 0 < self.threshold < 1:
            raise ValueError(f"threshold must be between 0 and 1, not {self.threshold!r}")

    def make_loss(self) -> ObjectiveLoss:
        """Return a new loss (see :class:`hepneg.objectives.objective.Objective`)."""
        from hepneg.objectives.operating_point_loss import OperatingPointLoss

        return OperatingPointLoss(**parameters_of(self))

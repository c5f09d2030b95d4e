"""The objectives of regressions: means that far targets may or may not drag away, and quantiles."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from hepneg._core.parameters import require_positive
from hepneg.config import Task

if TYPE_CHECKING:
    from hepneg.objectives.objective_loss import ObjectiveLoss

__all__ = ["Huber", "LogCosh", "Quantile", "Squared", "TargetObjective"]


class TargetObjective:
    """Base of the objectives that compare a prediction p with a target t.

    Both are counted in standard deviations of the training targets, so that no parameter depends on the target's unit.
    v is the training weight.

    Attributes:
        task: regression.
        graded: it makes use of grades: how right each target is.
        bounded: predictions are held near the range of the targets; see
            :class:`hepneg.networks.regression_network.RegressionNetwork`.
        quantiles: probabilities of the quantiles that it predicts; empty for a single prediction.
    """

    task: ClassVar[Task] = "regression"
    graded: ClassVar[bool] = False
    bounded: ClassVar[bool] = False
    quantiles: tuple[float, ...] = ()


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
        from hepneg.losses import SquaredLoss
        from hepneg.objectives.target_loss import TargetLoss

        return TargetLoss(SquaredLoss())


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
        from hepneg.losses import HuberLoss
        from hepneg.objectives.target_loss import TargetLoss

        return TargetLoss(HuberLoss(self.delta))


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
        from hepneg.losses import LogCoshLoss
        from hepneg.objectives.target_loss import TargetLoss

        return TargetLoss(LogCoshLoss(self.scale))


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
        from hepneg.losses import QuantileLoss
        from hepneg.objectives.target_loss import TargetLoss

        return TargetLoss(QuantileLoss(self.quantiles, ordered=True))

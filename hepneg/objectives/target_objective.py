"""What the objectives of regressions share."""

from __future__ import annotations

from typing import ClassVar

from hepneg.objectives.objective import Task

__all__ = ["TargetObjective"]


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

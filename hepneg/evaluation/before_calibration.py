"""What the calibration of a response has done to it, on events that neither network nor spline has seen."""

from __future__ import annotations

from dataclasses import dataclass

from hepneg._core.arrays import FloatArray
from hepneg._core.estimate import Estimate
from hepneg._core.json_values import JsonResult
from hepneg._core.log_odds import sigmoid
from hepneg.metrics.auc import auc, auc_influence
from hepneg.metrics.calibration import Calibration, calibration_curve
from hepneg.metrics.proper import log_loss, log_loss_influence
from hepneg.metrics.scored import ScoredEvents

__all__ = ["BeforeCalibration"]


@dataclass(frozen=True, eq=False, slots=True)
class BeforeCalibration(JsonResult):
    """A response as the networks gave it.

    Attributes:
        auc: of the log-odds before.
        auc_change: AUC after minus before, paired on the same events.
        loss: log-loss before, in nats.
        loss_change: log-loss after minus before, paired.
        calibration: before.
    """

    auc: Estimate
    auc_change: Estimate
    loss: Estimate
    loss_change: Estimate
    calibration: Calibration

    @classmethod
    def of(cls, calibrated: ScoredEvents, before: FloatArray) -> BeforeCalibration:
        """Compare calibrated log-odds with those before, (n,) each."""
        raw = calibrated.with_score(before)
        return cls(
            auc(raw),
            (auc_influence(calibrated) - auc_influence(raw)).estimate(),
            log_loss(raw),
            (log_loss_influence(calibrated) - log_loss_influence(raw)).estimate(),
            calibration_curve(raw.with_score(sigmoid(before))),
        )

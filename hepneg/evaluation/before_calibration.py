"""What the calibration of a response has done to it, on events that neither network nor spline has seen."""

from __future__ import annotations

from dataclasses import dataclass

from hepneg._core.arrays import FloatArray
from hepneg._core.estimate import Estimate
from hepneg._core.json_values import JsonResult
from hepneg._core.log_odds import sigmoid
from hepneg.metrics.auc import auc_of
from hepneg.metrics.calibration import Calibration, calibration_curve_of
from hepneg.metrics.proper import log_loss_of
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
        area, loss = auc_of(raw), log_loss_of(raw)
        return cls(
            area.estimate(),
            (auc_of(calibrated) - area).estimate(),
            loss.estimate(),
            (log_loss_of(calibrated) - loss).estimate(),
            calibration_curve_of(raw.with_score(sigmoid(before))),
        )

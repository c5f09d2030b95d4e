"""Metrics for events with signed weights: each comes with a documented uncertainty.

The metrics of a score take ``score`` (n,), ``label`` (n,) of 0 or 1 and ``weight`` (n,) signed. Each has a form that
takes :class:`~hepneg.metrics.ScoredEvents`, which are checked, summed and sorted once for several metrics: that of
``roc_curve(score, label, weight)`` is ``roc_curve_of(events)``. Signal and background count equally whatever their sums
of weights: each is divided by its own sum. A label whose weights do not sum to a positive number has no density to
speak of, and a metric of it raises :class:`~hepneg.errors.DataError`.

The uncertainties are those of independent events in the number that the generator happened to give (a Poisson
process): the variance of a metric is Σ cᵢ², where cᵢ = wᵢ ∂metric/∂wᵢ is the contribution of event i. They are linear
in the fluctuations, so they hold where both sums of weights are many standard deviations from zero; at only two or
three standard deviations the intervals cover too much (68 % intervals some 80 to 85 %), and
:func:`~hepneg.metrics.auc_interval` and :func:`~hepneg.metrics.confidence_interval` are the better answer.

Those of a regression take ``prediction``, ``target`` and ``weight``, (n,) each, in the same way.

Calibration and correlations come as accumulators too (``fill``, ``merge`` or ``+``, ``result``).
"""

from hepneg.metrics.auc import auc, auc_influence, auc_of
from hepneg.metrics.auc_interval import auc_interval, auc_interval_of
from hepneg.metrics.bootstrap import poisson_bootstrap, poisson_multiplicity
from hepneg.metrics.calibration import Calibration, CalibrationAccumulator, calibration_curve, calibration_curve_of
from hepneg.metrics.correlation import (
    CorrelationAccumulator,
    CorrelationDifference,
    Correlations,
    PairDifference,
    correlations,
    sign_correlations,
)
from hepneg.metrics.importance import permutation_importance
from hepneg.metrics.influence import Influence, InfluenceFunction, paired_difference
from hepneg.metrics.intervals import Interval, confidence_interval
from hepneg.metrics.ks import KSTest, ks_two_sample, ks_two_sample_of
from hepneg.metrics.operating_point import OperatingPoint, operating_point, operating_point_of
from hepneg.metrics.proper import brier, brier_influence, brier_of, log_loss, log_loss_influence, log_loss_of
from hepneg.metrics.quantiles import Quantiles, quantiles
from hepneg.metrics.response_share import response_share
from hepneg.metrics.roc import RocCurve, roc_curve, roc_curve_of
from hepneg.metrics.scored import ScoredEvents, scored_events
from hepneg.metrics.significance import SignificanceScan, asimov_significance, significance_scan, significance_scan_of
from hepneg.metrics.target_errors import (
    absolute_error_influence,
    bias,
    mean_absolute_error,
    mean_squared_error,
    quantile_loss,
    residual_correlation,
    resolution,
    squared_error_influence,
)

__all__ = [
    "Calibration",
    "CalibrationAccumulator",
    "CorrelationAccumulator",
    "CorrelationDifference",
    "Correlations",
    "Influence",
    "InfluenceFunction",
    "Interval",
    "KSTest",
    "OperatingPoint",
    "PairDifference",
    "Quantiles",
    "RocCurve",
    "ScoredEvents",
    "SignificanceScan",
    "absolute_error_influence",
    "asimov_significance",
    "auc",
    "auc_influence",
    "auc_interval",
    "auc_interval_of",
    "auc_of",
    "bias",
    "brier",
    "brier_influence",
    "brier_of",
    "calibration_curve",
    "calibration_curve_of",
    "confidence_interval",
    "correlations",
    "ks_two_sample",
    "ks_two_sample_of",
    "log_loss",
    "log_loss_influence",
    "log_loss_of",
    "mean_absolute_error",
    "mean_squared_error",
    "operating_point",
    "operating_point_of",
    "paired_difference",
    "permutation_importance",
    "poisson_bootstrap",
    "poisson_multiplicity",
    "quantile_loss",
    "quantiles",
    "residual_correlation",
    "resolution",
    "response_share",
    "roc_curve",
    "roc_curve_of",
    "scored_events",
    "sign_correlations",
    "significance_scan",
    "significance_scan_of",
    "squared_error_influence",
]

"""The weight summary: sums, fractions, effective events, outliers, negative regions and the risk of a batch."""

from hepneg.weights.accumulator import WeightAccumulator
from hepneg.weights.batch_risk import batch_risk
from hepneg.weights.spectrum import WeightSpectrum
from hepneg.weights.weight_report import WeightReport, report_weights, summarize_weights
from hepneg.weights.weight_summary import WeightSummary, summarize

__all__ = [
    "WeightAccumulator",
    "WeightReport",
    "WeightSpectrum",
    "WeightSummary",
    "batch_risk",
    "report_weights",
    "summarize",
    "summarize_weights",
]

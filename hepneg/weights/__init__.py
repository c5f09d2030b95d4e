"""What signed weights cost: sums, fractions, effective events, outliers, negative regions and the risk of a batch."""

from hepneg.weights.accumulator import WeightAccumulator
from hepneg.weights.batches import batch_risk
from hepneg.weights.report import WeightReport, report_weights, summarize_weights
from hepneg.weights.spectrum import WeightSpectrum
from hepneg.weights.summary import WeightSummary, summarize

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

"""Positive against negative shapes: mergeable sums, effect sizes, valid p-values and a verdict."""

from hepneg.shapes.bins import SignedBins
from hepneg.shapes.check import check_shapes, check_sums, draw_subsample, fill_sums
from hepneg.shapes.effect import Comparison, Pull
from hepneg.shapes.feature import FeatureShape
from hepneg.shapes.plan import BinPlan, FeatureBins, plan_bins
from hepneg.shapes.regions import NegativeRegion
from hepneg.shapes.report import SampleShapes, ShapeReport
from hepneg.shapes.subsample import Subsample, SubsampleAccumulator
from hepneg.shapes.sums import SignedSums

__all__ = [
    "BinPlan",
    "Comparison",
    "FeatureBins",
    "FeatureShape",
    "NegativeRegion",
    "Pull",
    "SampleShapes",
    "ShapeReport",
    "SignedBins",
    "SignedSums",
    "Subsample",
    "SubsampleAccumulator",
    "check_shapes",
    "check_sums",
    "draw_subsample",
    "fill_sums",
    "plan_bins",
]

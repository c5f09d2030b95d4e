"""Positive against negative shapes: mergeable sums, effect sizes, valid p-values, negative regions and a verdict."""

from hepneg.shapes.bins import SignedBins
from hepneg.shapes.cells import Cut, NegativeBox, negative_boxes
from hepneg.shapes.check import check_shapes, check_sums, draw_subsample, fill_sums
from hepneg.shapes.closure import PartClosure, SignSplitClosure, check_response_shapes, sign_split_closure
from hepneg.shapes.density import SignedDensity, signed_density
from hepneg.shapes.effect import Comparison, Pull
from hepneg.shapes.feature import FeatureShape
from hepneg.shapes.joint import JointShapes
from hepneg.shapes.multivariate import MultivariateShape, check_multivariate, check_multivariate_subsample
from hepneg.shapes.negative import NegativeDensity, negative_density
from hepneg.shapes.plan import BinPlan, FeatureBins, plan_bins
from hepneg.shapes.regions import NegativeRegion
from hepneg.shapes.report import SampleShapes, ShapeReport
from hepneg.shapes.subsample import Subsample, SubsampleAccumulator
from hepneg.shapes.sums import SignedSums
from hepneg.shapes.yardstick import Yardstick, systematic_yardstick
from hepneg.shapes.yardstick_sums import YardstickBins, YardstickSums, plan_yardstick

__all__ = [
    "BinPlan",
    "Comparison",
    "Cut",
    "FeatureBins",
    "FeatureShape",
    "JointShapes",
    "MultivariateShape",
    "NegativeBox",
    "NegativeDensity",
    "NegativeRegion",
    "PartClosure",
    "Pull",
    "SampleShapes",
    "ShapeReport",
    "SignSplitClosure",
    "SignedBins",
    "SignedDensity",
    "SignedSums",
    "Subsample",
    "SubsampleAccumulator",
    "Yardstick",
    "YardstickBins",
    "YardstickSums",
    "check_multivariate",
    "check_multivariate_subsample",
    "check_response_shapes",
    "check_shapes",
    "check_sums",
    "draw_subsample",
    "fill_sums",
    "negative_boxes",
    "negative_density",
    "plan_bins",
    "plan_yardstick",
    "sign_split_closure",
    "signed_density",
    "systematic_yardstick",
]

"""Positive against negative shapes: mergeable sums, effect sizes, valid p-values, negative regions and a verdict."""

from hepneg.binning.bin_plan import BinPlan, FeatureBins, plan_bins
from hepneg.binning.binned_sums import SignedSums
from hepneg.binning.density_cells import SignedDensity, signed_density
from hepneg.binning.negative_intervals import NegativeRegion
from hepneg.binning.signed_bins import SignedBins
from hepneg.binning.subsample import Subsample, SubsampleAccumulator, draw_subsample
from hepneg.shapes.effect import Comparison, Pull
from hepneg.shapes.feature_check import FeatureShape
from hepneg.shapes.joint_check import JointShapes
from hepneg.shapes.negative.density import NegativeDensity, negative_density
from hepneg.shapes.negative.pair_cells import Cut, NegativeBox, negative_boxes
from hepneg.shapes.shape_check import check_shapes, check_sums, fill_sums
from hepneg.shapes.shape_report import SampleShapes, ShapeReport
from hepneg.shapes.shape_tests.multivariate import MultivariateShape, check_multivariate, check_multivariate_subsample
from hepneg.shapes.systematic_sums import SystematicBins, SystematicSums, plan_systematic_bins
from hepneg.shapes.systematics import SystematicComparison, compare_with_systematics

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
    "Pull",
    "SampleShapes",
    "ShapeReport",
    "SignedBins",
    "SignedDensity",
    "SignedSums",
    "Subsample",
    "SubsampleAccumulator",
    "SystematicBins",
    "SystematicComparison",
    "SystematicSums",
    "check_multivariate",
    "check_multivariate_subsample",
    "check_shapes",
    "check_sums",
    "compare_with_systematics",
    "draw_subsample",
    "fill_sums",
    "negative_boxes",
    "negative_density",
    "plan_bins",
    "plan_systematic_bins",
    "signed_density",
]

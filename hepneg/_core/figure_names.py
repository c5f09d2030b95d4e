"""File names of figures: those that the plots are written under and the report looks for."""

from __future__ import annotations

import zlib

__all__ = [
    "CLASS_CALIBRATION_STEM",
    "CLOSURE_STEM",
    "CLOSURE_TESTS_STEM",
    "CONFUSION_STEM",
    "CORRELATED_RESIDUALS_STEM",
    "MULTIVARIATE_STEM",
    "YARDSTICK_STEM",
    "boxes_stem",
    "by_sign_stem",
    "class_response_stem",
    "closure_response_stem",
    "components_stem",
    "correlations_stem",
    "overtraining_stem",
    "overview_stem",
    "shape_stem",
    "stack_stem",
    "target_stem",
]

MULTIVARIATE_STEM = "shapes_multivariate"
"""Name of the figure of the multivariate check of all samples."""
YARDSTICK_STEM = "shapes_yardstick"
"""Name of the figure of sign effects against systematic variations."""
CLOSURE_STEM = "closure"
"""Name of the figure of the calibration of classifiers of each sign, and of both."""
CLOSURE_TESTS_STEM = "closure_tests"
"""Name of the figure of their residuals by feature."""
CONFUSION_STEM = "confusion"
"""Name of the figure of where the events of each class go."""
CLASS_CALIBRATION_STEM = "class_calibration"
"""Name of the figure of the calibration of each class."""
CORRELATED_RESIDUALS_STEM = "residual_correlations"
"""Name of the figure of the correlations between the residuals of several targets."""

_LONGEST = 50
"""Bytes of a name; a file name has 255, of a sample and two features, and of what the temporary one adds."""


def stack_stem(quantity: str, region: str = "") -> str:
    """Return the name, without suffix, of the stack of a quantity, in a region if one is named."""
    return "_".join(("stack", *([_safe(region)] if region else []), _safe(quantity)))


def shape_stem(sample: str, feature: str) -> str:
    """Return the name, without suffix, of the figure of one feature."""
    return f"shape_{_safe(sample)}_{_safe(feature)}"


def overview_stem(sample: str) -> str:
    """Return the name, without suffix, of the figure of a sample's features without one of their own."""
    return f"overview_{_safe(sample)}"


def boxes_stem(sample: str, x: str, y: str) -> str:
    """Return the name, without suffix, of the figure of boxes of negative density in two features."""
    return f"negative_{_safe(sample)}_{_safe(x)}_{_safe(y)}"


def correlations_stem(sample: str) -> str:
    """Return the name, without suffix, of the figure of a sample's correlations by sign."""
    return f"correlations_{_safe(sample)}"


def closure_response_stem(sample: str) -> str:
    """Return the name, without suffix, of the figure of a sample's response by sign when trained with \\|w\\|."""
    return f"closure_response_{_safe(sample)}"


def _safe(feature: str) -> str:
    """Replace by ``_`` what does not belong into a file name, and cut; a checksum keeps features apart that would
    look alike."""
    safe = "".join(letter if letter.isalnum() or letter in "_-+." else "_" for letter in feature)
    safe = safe.encode()[:_LONGEST].decode(errors="ignore")
    tail = "" if safe == feature else f"_{zlib.crc32(feature.encode()):08x}"
    return f"{safe}{tail}"


def components_stem(sample: str) -> str:
    """Return the name, without suffix, of the figure with the positive and negative parts of a sample's response."""
    return f"response_{_safe(sample)}_components"


def class_response_stem(name: str, *, logarithmic: bool = False) -> str:
    """Return the name, without suffix, of the figure of the response of one class."""
    return f"response_of_{_safe(name)}{'_log' if logarithmic else ''}"


def overtraining_stem(name: str) -> str:
    """Return the name, without suffix, of the figure of overtraining in the response of one class."""
    return f"overtraining_of_{_safe(name)}"


def by_sign_stem(sample: str) -> str:
    """Return the name, without suffix, of the figure that overlays a sample's response by sign."""
    return f"response_{_safe(sample)}_by_sign"


def target_stem(kind: str, target: str = "") -> str:
    """Return the name, without suffix, of a figure of a regression's target; that of a single one is its kind."""
    return "_".join((kind, *([_safe(target)] if target else [])))

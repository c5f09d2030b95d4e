"""The calibration as it was before the response was calibrated, behind the one after."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer

from hepneg.evaluation.before_calibration import BeforeCalibration
from hepneg.plots.style import NEUTRAL


def draw_before_calibration(axes: Axes, panel: Axes, before: BeforeCalibration) -> list[ErrorbarContainer]:
    """Draw open points: the signed share of signal against the uncalibrated response, and the difference below."""
    part = before.calibration
    style: dict[str, Any] = {"fmt": "o", "ms": 4, "mfc": "white", "lw": 0.9, "color": NEUTRAL, "zorder": 2}
    label = f"before: χ² / bins = {part.chi2:.1f} / {part.degrees}"
    return [
        axes.errorbar(part.expected, part.observed, yerr=part.error, label=label, **style),
        panel.errorbar(part.expected, part.observed - part.expected, yerr=part.difference_error, **style),
    ]

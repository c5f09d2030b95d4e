"""Figures. Each function takes a result object, computes nothing, and returns the figure, its axes and its artists."""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "new_figure": "style",
    "save": "style",
    "plot_response": "response_plot",
    "plot_response_by_sign": "response_plot",
    "plot_response_components": "response_plot",
    "plot_overtraining": "training_curves",
    "plot_learning_curves": "training_curves",
    "plot_roc": "merit_plots",
    "plot_calibration": "merit_plots",
    "plot_significance": "merit_plots",
    "plot_comparison": "comparison_plot",
    "plot_feature_shape": "shape_plots",
    "plot_effect_sizes": "shape_plots",
    "plot_yardsticks": "systematics_plot",
    "plot_closure_curves": "sign_split_plot",
    "plot_closure_tests": "sign_split_plot",
    "plot_weights": "weight_plots",
    "plot_sign_correlations": "correlation_plot",
    "plot_multivariate": "multivariate_plot",
    "plot_negative_boxes": "negative_regions",
    "plot_residuals": "regression_plots",
    "plot_pulls": "regression_plots",
    "plot_response_matrix": "regression_plots",
    "plot_bias": "regression_plots",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(_HOMES)

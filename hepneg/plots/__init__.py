"""Figures. Each function takes a result object, computes nothing, and returns the figure, its axes and its artists."""

from __future__ import annotations

import importlib
from typing import Any

_FUNCTIONS = {
    "style": ("new_figure",),
    "save_figure": ("save",),
    "response_plot": ("plot_response", "plot_response_by_sign", "plot_response_components"),
    "stack_plot": ("plot_stack",),
    "training_curves": ("plot_overtraining", "plot_learning_curves"),
    "merit_plots": ("plot_roc", "plot_calibration", "plot_significance"),
    "class_plots": ("plot_class_response", "plot_confusion", "plot_class_calibration"),
    "comparison_plot": ("plot_comparison",),
    "shape_plots": ("plot_feature_shape", "plot_effect_sizes"),
    "feature_overview": ("plot_feature_overview",),
    "systematics_plot": ("plot_yardsticks",),
    "sign_split_plot": ("plot_closure_curves", "plot_closure_tests"),
    "weight_plots": ("plot_weights",),
    "correlation_plot": ("plot_sign_correlations",),
    "multivariate_plot": ("plot_multivariate",),
    "negative_regions": ("plot_negative_boxes",),
    "running_rates": ("plot_running_rates",),
    "regression_plots": (
        "plot_residuals",
        "plot_pulls",
        "plot_response_matrix",
        "plot_bias",
        "plot_residual_correlations",
    ),
}
_HOMES = {name: module for module, names in _FUNCTIONS.items() for name in names}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(_HOMES)

"""Figures. Each function takes a result object, computes nothing, and returns the figure, its axes and its artists."""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "new_figure": "style",
    "save": "style",
    "plot_response": "response",
    "plot_response_by_sign": "response",
    "plot_response_components": "response",
    "plot_overtraining": "training",
    "plot_learning_curves": "training",
    "plot_roc": "roc",
    "plot_calibration": "calibration",
    "plot_significance": "significance",
    "plot_comparison": "comparison",
    "plot_feature_shape": "shapes",
    "plot_effect_sizes": "shapes",
    "plot_yardsticks": "yardstick",
    "plot_closure_curves": "closure",
    "plot_closure_tests": "closure",
    "plot_weights": "weights",
    "plot_sign_correlations": "correlation",
    "plot_multivariate": "multivariate",
    "plot_density": "regions",
    "plot_negative_boxes": "regions",
    "plot_residuals": "regression",
    "plot_pulls": "regression",
    "plot_response_matrix": "regression",
    "plot_bias": "regression",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(_HOMES)

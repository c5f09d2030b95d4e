"""Classifiers, shape checks and response plots for Monte Carlo events with negative weights.

The public names are imported when they are first used: ``import hepneg`` loads neither torch nor matplotlib.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hepneg import columnar, metrics, plots
    from hepneg.classifier import Classifier
    from hepneg.comparison import Comparison, compare
    from hepneg.config import Config, load_config
    from hepneg.errors import HepnegError, HepnegWarning
    from hepneg.estimate import Estimate
    from hepneg.evaluation import Evaluation, evaluate
    from hepneg.events import EventTable
    from hepneg.export import export_onnx
    from hepneg.friends import Friends, apply_model
    from hepneg.loading import load_model
    from hepneg.model import ModelInputs
    from hepneg.ntuples import read
    from hepneg.refinement import Refinement, refine
    from hepneg.regression_evaluation import RegressionEvaluation, evaluate_regression
    from hepneg.regressor import Regressor
    from hepneg.response import response_histogram
    from hepneg.shapes import ShapeReport, check_shapes
    from hepneg.sklearn import SignedClassifier as SignedClassifier
    from hepneg.training import train, train_regressor
    from hepneg.weights import WeightReport, summarize_weights

__version__ = "0.1.0"

_HOMES = {
    "Classifier": "hepneg.classifier",
    "Comparison": "hepneg.comparison",
    "Config": "hepneg.config",
    "Estimate": "hepneg.estimate",
    "Evaluation": "hepneg.evaluation",
    "EventTable": "hepneg.events",
    "Friends": "hepneg.friends",
    "HepnegError": "hepneg.errors",
    "HepnegWarning": "hepneg.errors",
    "ModelInputs": "hepneg.model",
    "Refinement": "hepneg.refinement",
    "RegressionEvaluation": "hepneg.regression_evaluation",
    "Regressor": "hepneg.regressor",
    "ShapeReport": "hepneg.shapes",
    "SignedClassifier": "hepneg.sklearn",
    "WeightReport": "hepneg.weights",
    "apply_model": "hepneg.friends",
    "check_shapes": "hepneg.shapes",
    "compare": "hepneg.comparison",
    "evaluate": "hepneg.evaluation",
    "evaluate_regression": "hepneg.regression_evaluation",
    "export_onnx": "hepneg.export",
    "load_config": "hepneg.config",
    "load_model": "hepneg.loading",
    "read": "hepneg.ntuples",
    "refine": "hepneg.refinement",
    "response_histogram": "hepneg.response",
    "summarize_weights": "hepneg.weights",
    "train": "hepneg.training",
    "train_regressor": "hepneg.training",
}
_ROOMS = ("columnar", "metrics", "plots")
_WITH_EXTRAS = ("SignedClassifier",)  # not in __all__: a star import must work without them

__all__ = [
    "Classifier",
    "Comparison",
    "Config",
    "Estimate",
    "Evaluation",
    "EventTable",
    "Friends",
    "HepnegError",
    "HepnegWarning",
    "ModelInputs",
    "Refinement",
    "RegressionEvaluation",
    "Regressor",
    "ShapeReport",
    "WeightReport",
    "__version__",
    "apply_model",
    "check_shapes",
    "columnar",
    "compare",
    "evaluate",
    "evaluate_regression",
    "export_onnx",
    "load_config",
    "load_model",
    "metrics",
    "plots",
    "read",
    "refine",
    "response_histogram",
    "summarize_weights",
    "train",
    "train_regressor",
]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f"hepneg.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'hepneg' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, *_WITH_EXTRAS])

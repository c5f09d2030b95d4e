"""Classifiers, shape checks and response plots for Monte Carlo events with negative weights.

The public names are imported when they are first used: ``import hepneg`` loads neither torch nor matplotlib.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hepneg import columnar, metrics, plots
    from hepneg import sklearn as sklearn
    from hepneg._core.estimate import Estimate
    from hepneg.config import Config, FigureLook, load_config
    from hepneg.errors import HepnegError, HepnegWarning
    from hepneg.evaluation.class_evaluation import ClassEvaluation
    from hepneg.evaluation.classification import Evaluation
    from hepneg.evaluation.evaluation import evaluate
    from hepneg.evaluation.histograms import response_histogram
    from hepneg.evaluation.regression import RegressionEvaluation
    from hepneg.evaluation.several_targets import SeveralTargets
    from hepneg.evaluation.stack import Stack, make_stack
    from hepneg.events import Collection, EventTable, grade_of_distance
    from hepneg.friends import Friends, apply_model
    from hepneg.learning.history import EpochRecord
    from hepneg.models.classifier import Classifier
    from hepneg.models.loading import load_model
    from hepneg.models.model import ModelInputs
    from hepneg.models.onnx import export_onnx
    from hepneg.models.regressor import Regressor
    from hepneg.models.training import train, train_regressor
    from hepneg.ntuples import read
    from hepneg.shapes import ShapeReport, check_shapes
    from hepneg.signs.refinement import Refinement, refine
    from hepneg.sklearn import SignedClassifier as SignedClassifier
    from hepneg.studies.scheme_comparison import Comparison, compare
    from hepneg.weights import WeightReport, summarize_weights

__version__ = "0.1.0"

_HOMES = {
    "ClassEvaluation": "hepneg.evaluation.class_evaluation",
    "Classifier": "hepneg.models.classifier",
    "Collection": "hepneg.events",
    "Comparison": "hepneg.studies.scheme_comparison",
    "Config": "hepneg.config",
    "EpochRecord": "hepneg.learning.history",
    "Estimate": "hepneg._core.estimate",
    "Evaluation": "hepneg.evaluation.classification",
    "EventTable": "hepneg.events",
    "FigureLook": "hepneg.config",
    "Friends": "hepneg.friends",
    "HepnegError": "hepneg.errors",
    "HepnegWarning": "hepneg.errors",
    "ModelInputs": "hepneg.models.model",
    "Refinement": "hepneg.signs.refinement",
    "RegressionEvaluation": "hepneg.evaluation.regression",
    "SeveralTargets": "hepneg.evaluation.several_targets",
    "Regressor": "hepneg.models.regressor",
    "ShapeReport": "hepneg.shapes",
    "SignedClassifier": "hepneg.sklearn",
    "Stack": "hepneg.evaluation.stack",
    "WeightReport": "hepneg.weights",
    "apply_model": "hepneg.friends",
    "check_shapes": "hepneg.shapes",
    "compare": "hepneg.studies.scheme_comparison",
    "evaluate": "hepneg.evaluation.evaluation",
    "export_onnx": "hepneg.models.onnx",
    "grade_of_distance": "hepneg.events",
    "load_config": "hepneg.config",
    "load_model": "hepneg.models.loading",
    "read": "hepneg.ntuples",
    "make_stack": "hepneg.evaluation.stack",
    "refine": "hepneg.signs.refinement",
    "response_histogram": "hepneg.evaluation.histograms",
    "summarize_weights": "hepneg.weights",
    "train": "hepneg.models.training",
    "train_regressor": "hepneg.models.training",
}
_ROOMS = ("columnar", "losses", "metrics", "plots", "sklearn")
_WITH_EXTRAS = ("SignedClassifier",)  # not in __all__: a star import must work without them

__all__ = [
    "ClassEvaluation",
    "Classifier",
    "Collection",
    "Comparison",
    "Config",
    "EpochRecord",
    "Estimate",
    "Evaluation",
    "EventTable",
    "FigureLook",
    "Friends",
    "HepnegError",
    "HepnegWarning",
    "ModelInputs",
    "Refinement",
    "RegressionEvaluation",
    "Regressor",
    "SeveralTargets",
    "ShapeReport",
    "Stack",
    "WeightReport",
    "__version__",
    "apply_model",
    "check_shapes",
    "columnar",
    "compare",
    "evaluate",
    "export_onnx",
    "grade_of_distance",
    "load_config",
    "load_model",
    "losses",
    "make_stack",
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

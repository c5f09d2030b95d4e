"""The configuration: ``analysis.yaml`` and the settings of the training, as frozen models."""

from hepneg.config.analysis import (
    PB_TO_FB,
    REGRESSION_SCHEME,
    Config,
    config_schema,
    load_config,
    ungraded_message,
)
from hepneg.config.samples import Feature, Folds, Sample
from hepneg.config.training_settings import Activity, Network, ObjectiveChoice, Output, SchemeChoice, Training

__all__ = [
    "PB_TO_FB",
    "REGRESSION_SCHEME",
    "Activity",
    "Config",
    "Feature",
    "Folds",
    "Network",
    "ObjectiveChoice",
    "Output",
    "Sample",
    "SchemeChoice",
    "Training",
    "config_schema",
    "load_config",
    "ungraded_message",
]

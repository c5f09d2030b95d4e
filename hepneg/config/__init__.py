"""The configuration: ``analysis.yaml`` and the settings of the training, as frozen models."""

from hepneg.config.analysis import (
    PB_TO_FB,
    REGRESSION_SCHEME,
    Config,
)
from hepneg.config.collection_settings import CollectionSettings
from hepneg.config.config_file import load_config
from hepneg.config.figure_look import FigureLook, Variable
from hepneg.config.json_schema import config_schema
from hepneg.config.plot_settings import FigureFormat, Plots
from hepneg.config.samples import Feature, Folds, Sample
from hepneg.config.target_settings import ungraded_message
from hepneg.config.training_settings import (
    DEFAULT_OBJECTIVES,
    Activity,
    NetworkChoice,
    ObjectiveChoice,
    Output,
    SchemeChoice,
    Settings,
    Task,
    Training,
)

__all__ = [
    "DEFAULT_OBJECTIVES",
    "PB_TO_FB",
    "REGRESSION_SCHEME",
    "Activity",
    "CollectionSettings",
    "Config",
    "Feature",
    "FigureFormat",
    "FigureLook",
    "Folds",
    "NetworkChoice",
    "ObjectiveChoice",
    "Output",
    "Plots",
    "Sample",
    "SchemeChoice",
    "Settings",
    "Task",
    "Training",
    "Variable",
    "config_schema",
    "load_config",
    "ungraded_message",
]

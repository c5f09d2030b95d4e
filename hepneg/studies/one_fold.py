"""One fold of a training or of a comparison as a job of its own, from a configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hepneg._core.job_folder import fold_folder
from hepneg._core.json_values import JsonResult
from hepneg._core.progress import SILENT, Progress
from hepneg._core.timing import timed
from hepneg.config import Config
from hepneg.errors import TrainingError
from hepneg.events import EventTable
from hepneg.ntuples import read
from hepneg.schemes.fold_jobs import train_fold
from hepneg.schemes.fold_training import FoldTraining, pose_training
from hepneg.studies.scheme_comparison import make_schemes, pose_comparison

__all__ = ["TrainedFold", "compared_schemes", "pose_analysis", "train_one_fold"]


@dataclass(frozen=True)
class TrainedFold(JsonResult):
    """A fold that was trained alone.

    Attributes:
        command: ``train`` or ``compare``.
        fold: which, from 0.
        folds: how many there are.
        failures: why a scheme of a comparison gave no network, by scheme.
    """

    command: str
    fold: int
    folds: int
    failures: Mapping[str, str]


@timed("fold")
def train_one_fold(
    config: Config, fold: int, schemes: Sequence[str] | None = None, *, progress: Progress = SILENT
) -> TrainedFold:
    """Train one fold and leave its networks under ``checkpoint/``, for a step that collects them.

    Jobs for other folds may run at the same time, on other machines that share the folder of results. A job that was
    killed goes on when it is started again.

    Args:
        config: the analysis.
        fold: which, from 0.
        schemes: of a comparison; None for the training under the configured one.
        progress: bars for reading and for the fold.

    Raises:
        HepnegError: there is no such fold, another job trains it, the events cannot train a network, or the results
            cannot be written.
        KeyboardInterrupt: on Ctrl-C; what is trained is kept.
    """
    config.training.require_fold(fold)
    if schemes is not None:
        compared_schemes(config, schemes)
    command, failures = "train" if schemes is None else "compare", {}
    with fold_folder(config.output, command, fold) as folder:
        with progress:
            events = read(config, progress=progress)
        trainings = pose_analysis(config, events, schemes)
        for name, posed in trainings.items():
            try:
                train_fold(posed, fold, folder / name, progress=progress)
            except TrainingError as error:
                failures[name] = str(error)
        if len(failures) == len(trainings):
            raise TrainingError(next(iter(failures.values())))
    return TrainedFold(command, fold, config.training.folds, failures)


def pose_analysis(config: Config, events: EventTable, schemes: Sequence[str] | None = None) -> dict[str, FoldTraining]:
    """Return what an analysis trains, by the folder of its checkpoints: one training, or one for each scheme.

    Raises:
        ConfigError: an unknown scheme, or one that is not for the task.
    """
    settings = config.training.model_dump(exclude={"scheme"})
    if schemes is None:
        return {"": pose_training(events, config.training.scheme.make(), config.task, **settings)}
    return pose_comparison(events, schemes, parameters=compared_schemes(config, schemes), **settings)


def compared_schemes(config: Config, schemes: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
    """Return the parameters that an analysis gives for schemes that are compared, by their name.

    Raises:
        ConfigError: an unknown scheme or parameter, or an analysis that is no classification.
    """
    config.require_classification("`hepneg compare`")
    own = config.training.scheme
    parameters = {own.name: own.parameters} if own.name in schemes else {}
    make_schemes(schemes, parameters)
    return parameters

"""A model folder, whatever it holds."""

from __future__ import annotations

from pathlib import Path

from hepneg.errors import DataError
from hepneg.models.classifier import Classifier
from hepneg.models.model import read_model_json
from hepneg.models.regressor import Regressor

__all__ = ["load_model"]


def load_model(folder: str | Path) -> Classifier | Regressor:
    """Read a model folder of either task. Nothing in it is executed.

    Raises:
        DataError: a file is missing, damaged, of another model or of a newer format.
    """
    task = read_model_json(Path(folder)).get("task", "classification")
    kinds: dict[str, type[Classifier | Regressor]] = {kind.task: kind for kind in (Classifier, Regressor)}
    if task not in kinds:
        raise DataError(f"the model in {folder} is for {task!r}, which this hepneg does not know")
    return kinds[task].load(folder)

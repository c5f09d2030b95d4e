"""A model folder, whatever it holds."""

from __future__ import annotations

from pathlib import Path

from hepneg.models.classifier import Classifier
from hepneg.models.model_file import read_model_file
from hepneg.models.regressor import Regressor

__all__ = ["load_model"]


def load_model(folder: str | Path) -> Classifier | Regressor:
    """Read a model folder of either task. Nothing in it is executed.

    Raises:
        DataError: a file is missing, damaged, of another model or of a newer format.
    """
    content, _ = read_model_file(Path(folder))
    kinds: dict[str, type[Classifier | Regressor]] = {kind.task: kind for kind in (Classifier, Regressor)}
    return kinds[content.task].load(folder)

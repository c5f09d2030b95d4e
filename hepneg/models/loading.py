"""A model folder, whatever it holds."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from hepneg.models.classifier import Classifier
from hepneg.models.model_file import read_model_file
from hepneg.models.regressor import Regressor

__all__ = ["kept_classifier", "load_model"]


def load_model(folder: str | Path) -> Classifier | Regressor:
    """Read a model folder of either task. Nothing in it is executed.

    Raises:
        DataError: a file is missing, damaged, of another model or of a newer format.
    """
    content, _ = read_model_file(Path(folder))
    kinds: dict[str, type[Classifier | Regressor]] = {kind.task: kind for kind in (Classifier, Regressor)}
    return kinds[content.task].load(folder)


def kept_classifier(folder: str | Path) -> Classifier:
    """Return the classifier of a model folder; a process reads it once, until the folder holds another model.

    Raises:
        DataError: a file is missing, damaged, of another model or of a newer format.
    """
    path = Path(folder) / "model.json"
    return _loaded(str(folder), sha256(path.read_bytes()).digest() if path.is_file() else b"")


@lru_cache(maxsize=4)
def _loaded(folder: str, checksum: bytes) -> Classifier:  # noqa: ARG001  (tells one model from the next in a folder)
    return Classifier.load(folder)

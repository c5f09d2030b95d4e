"""A model folder on disk: ``model.json`` and ``weights.safetensors``, tied by a digest. Nothing is executed.

``model.json`` is replaced last and by a rename, so it decides which model the folder holds. While it still names the
former weights, these lie beside the new ones under a name of their own: a kill between the two leaves the old model,
and whoever reads meanwhile gets the one or the other.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from hepneg._core.class_names import TWO_CLASSES, class_names
from hepneg._core.collection_limits import MOST_OBJECTS, category_values
from hepneg._core.output import atomic_path, json_ready, make_folder, write_json
from hepneg.config import Task
from hepneg.config.validation import one_line
from hepneg.errors import DataError, TrainingError
from hepneg.events import InputLayout
from hepneg.events.input_layout import MOST_COLLECTIONS, MOST_FEATURES
from hepneg.models.model_inputs import ModelInputs
from hepneg.networks.fold_network import FoldNetwork, rebuild
from hepneg.networks.inference import network_logits
from hepneg.networks.weights_file import read_tensors, write_networks

__all__ = ["SCHEMA_VERSION", "ModelFile", "model_digest", "read_model_file", "read_networks", "write_model"]

SCHEMA_VERSION = 2
_LARGEST_JSON, _LARGEST_WEIGHTS = 64 << 20, 4 << 30  # bytes; a model of hepneg has a few MB
_TRIES = 3  # of reading both files of one model while another process replaces them


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, allow_inf_nan=False)


class _Collection(_Part):
    features: list[Annotated[list[str], Field(min_length=2, max_length=2)]] = Field(
        min_length=1, max_length=MOST_FEATURES
    )
    most: int = Field(ge=1, le=MOST_OBJECTS)
    categories: dict[str, list[int]]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [name for name, _ in self.features]
        if len(set(names)) < len(names):
            raise ValueError("features of a collection repeat")
        _require_known(self.categories, names)
        return self


class _Inputs(_Part):
    features: dict[str, str] = Field(min_length=1)
    selection: str | None
    event_id: list[str]
    tree: str | None
    weight: str | None
    files: list[dict[str, str | int | None]]
    targets: list[dict[str, str]]
    collections: dict[str, _Collection] = Field(default={}, max_length=MOST_COLLECTIONS)
    categories: dict[str, list[int]] = {}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        _require_known(self.categories, list(self.features))
        return self


def _require_known(categories: Mapping[str, Sequence[int]], names: Sequence[str]) -> None:
    for name, values in categories.items():
        if name not in names:
            raise ValueError(f"categories of {name!r}, which is no feature")
        category_values(values)


class _Folds(_Part):
    number: int = Field(ge=1, le=127)
    seed: int = Field(ge=0)


class _Named(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow", strict=True)
    name: str


class _Training(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow", strict=True)
    objective: _Named | None = None


class _Epoch(_Part):
    epoch: int = Field(ge=1)
    train_loss: float | None
    validation_loss: float | None
    validation_error: float | None
    learning_rate: float


class _History(_Part):
    fold: int = Field(ge=0)
    epochs: list[_Epoch]
    best_epoch: int = Field(ge=0)
    stopped: str
    message: str = ""


class ModelFile(_Part):
    """The content of ``model.json``, checked."""

    schema_version: Literal[2]
    task: Task
    inputs: _Inputs
    feature_names: list[str]
    scheme: _Named
    folds: _Folds
    networks: list[dict[str, Any]]
    training: _Training
    samples: dict[str, dict[str, Any]]
    health: dict[str, Any]
    choice: dict[str, Any]
    histories: list[_History]
    weights_sha256: str
    digest: str
    classes: list[str] = list(TWO_CLASSES)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = self.feature_names
        if len(set(names)) < len(names) or set(names) != set(self.inputs.features):
            raise ValueError("feature_names and inputs.features do not name the same features")
        if len(self.networks) != self.folds.number:
            raise ValueError(f"there are {len(self.networks)} networks for {self.folds.number} folds")
        if class_names(self.classes) != tuple(self.classes) or len(self.classes) < 2:
            raise ValueError(f"classes are names of two classes or more, not {self.classes}")
        if not all(isinstance(self.choice.get(key, ""), str) for key in ("scheme", "reason")):
            raise ValueError("choice.scheme and choice.reason are texts")
        return self


def write_model(folder: Path, content: Mapping[str, Any], networks: Sequence[FoldNetwork]) -> None:
    """Write both files of a model; until the last step the folder holds the former one.

    Args:
        folder: is created.
        content: of ``model.json``, without checksum and digest.
        networks: of the folds.

    Raises:
        OutputError: it cannot be written.
    """
    weights, former = make_folder(folder) / "weights.safetensors", _kept_weights(folder)
    with atomic_path(weights) as temporary:
        write_networks(temporary, networks)
        checksum = _sha256(temporary)
        if former is not None and not former.exists():
            shutil.copyfile(weights, former)
    content = json_ready({**content, "weights_sha256": checksum})
    write_json(folder / "model.json", {**content, "digest": _digest(content)})
    for leftover in folder.glob(".weights.*.safetensors"):
        leftover.unlink(missing_ok=True)


def _kept_weights(folder: Path) -> Path | None:
    """Return where the weights of the model in a folder are kept while they are replaced; None if there is none."""
    try:
        checksum = json.loads((folder / "model.json").read_text(encoding="utf-8"))["weights_sha256"]
        known = isinstance(checksum, str) and checksum.isalnum() and (folder / "weights.safetensors").is_file()
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return folder / f".weights.{checksum[:16]}.safetensors" if known else None


def read_model_file(folder: Path) -> tuple[ModelFile, dict[str, Any]]:
    """Read and check ``model.json``.

    Returns:
        The checked content, and all of it as it stands there.

    Raises:
        DataError: it is missing, damaged, changed since it was written, or of another version of the format.
    """
    path = folder / "model.json"
    data = _read_json(path)
    if not isinstance(data, dict) or "schema_version" not in data:
        raise DataError(f"{path} is not a hepneg model: it has no schema_version")
    if data["schema_version"] != SCHEMA_VERSION:
        version = data["schema_version"]
        raise DataError(f"{path} has schema version {version!r}; this hepneg reads version {SCHEMA_VERSION}")
    try:
        content = ModelFile.model_validate(data)
    except ValidationError as error:
        raise DataError(f"{path} is not a hepneg model: {one_line(error, 'model.json')}") from None
    if content.digest != _digest(data):
        raise DataError(f"{path} was changed after it was written: train or copy the model again")
    return content, data


def model_digest(folder: Path) -> str:
    """Return the digest of the model in a folder, by which results say which model they are about.

    Raises:
        DataError: there is no model, or it cannot be read.
    """
    return read_model_file(folder)[0].digest


def read_networks(folder: Path, content: ModelFile) -> list[FoldNetwork]:
    """Rebuild the networks of a model and load their parameters.

    Raises:
        DataError: the weights are missing, damaged or of another model, or do not fit the networks.
    """
    weights = _weights(folder, content.weights_sha256)
    tensors = read_tensors(weights)
    networks = []
    layout = ModelInputs.from_dict(content.inputs.model_dump()).layout
    for number, description in enumerate(content.networks):
        prefix = f"fold_{number}/"
        own = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
        network, outputs = _network(description, own, layout, f"the network of fold {number}")
        others = len(content.classes) - 1
        if content.task == "classification" and outputs.shape[1:] != ((others,) if others > 1 else ()):
            raise DataError(f"model.json: the network of fold {number} has other classes than the model")
        networks.append(network)
    return networks


def _network(
    description: Mapping[str, Any], own: Mapping[str, torch.Tensor], layout: InputLayout, what: str
) -> tuple[FoldNetwork, NDArray[np.float64]]:
    """Rebuild one network, and return it with what it gives for two rows of zeros.

    It is rebuilt without memory first, so that no description can ask for more than the file holds.
    """
    try:
        with torch.device("meta"):
            shapes = {name: tensor.shape for name, tensor in rebuild(description).state_dict().items()}
        if shapes != {name: tensor.shape for name, tensor in own.items()}:
            raise DataError(f"the weights do not fit {what} in model.json")
        network = rebuild(description)
        network.load_state_dict(own)
        network.eval()
        outputs = network_logits(network, np.zeros((2, layout.width), np.float32))
    except (LookupError, TypeError, ValueError, AttributeError, RuntimeError, TrainingError) as error:
        raise DataError(f"model.json: {what} cannot be rebuilt: {' '.join(str(error).split())}") from None
    if not np.isfinite(outputs).all():
        raise DataError(f"{what} gives NaN or infinite outputs: train or copy the model again")
    return network, outputs


def _weights(folder: Path, checksum: str) -> Path:
    """Return the file with the weights of this checksum.

    Raises:
        DataError: there is none, or it is damaged.
    """
    path = folder / "weights.safetensors"
    for candidate in (path, folder / f".weights.{checksum[:16]}.safetensors"):
        if candidate.is_file() and candidate.stat().st_size <= _LARGEST_WEIGHTS and _sha256(candidate) == checksum:
            return candidate
    if not path.is_file():
        raise DataError(f"no weights.safetensors in the model folder {folder}")
    raise DataError(f"{path} does not belong to model.json beside it, or is damaged: train or copy the model again")


def _read_json(path: Path) -> Any:
    """Read a file that should be ``model.json``.

    Raises:
        DataError: it cannot be read.
    """
    if path.parent.is_file():
        raise DataError(
            f"{path.parent} is a file, not a model folder; give the folder with the model.json that `hepneg train` "
            "wrote"
        )
    try:
        if path.exists() and not path.is_file():
            raise DataError(f"{path} is no regular file")
        if path.stat().st_size > _LARGEST_JSON:
            raise DataError(f"{path} is not a hepneg model: it has {path.stat().st_size} bytes")
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_constant)
    except FileNotFoundError:
        raise DataError(f"no model at {path.parent}: it has no model.json; `hepneg train` writes one") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is damaged: {error}; train or copy the model again") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None


def _digest(data: Mapping[str, Any]) -> str:
    """Hash ``model.json``, checksum of the weights included, whatever the order of keys and the digits."""
    content = {key: value for key, value in data.items() if key != "digest"}
    return hashlib.sha256(json.dumps(_plain(content), sort_keys=True).encode()).hexdigest()


def _plain(value: Any) -> Any:
    """Return the same with all numbers as floating-point ones, which JSON tools write in several ways."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    small = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53
    return float(value) if small else value

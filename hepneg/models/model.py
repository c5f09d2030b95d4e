"""What a classifier and a regressor share: k networks of a cross-validated training, and their files."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hepneg.config import Task
from hepneg.errors import DataError
from hepneg.events import CollectionLayout, EventInputs, EventTable, InputLayout, Rows
from hepneg.learning.history import FoldHistory
from hepneg.models.model_file import SCHEMA_VERSION, read_model_file, read_networks, write_model
from hepneg.models.model_inputs import ModelInputs
from hepneg.networks.fold_network import FoldNetwork
from hepneg.networks.inference import mean_logits, network_logits, output_by_fold

__all__ = ["Model", "ModelInputs"]

Float = NDArray[np.float64]
NetworkFunction = Callable[[FoldNetwork, Rows], Float]


@dataclass(frozen=True, eq=False)
class Model:
    """k networks of a cross-validated training, one for each fold.

    Attributes:
        networks: network i has not seen fold i.
        inputs: names and expressions of the features.
        scheme: name of the weight scheme that was asked for.
        scheme_parameters: its parameters.
        seed: of the fold rule and of the training.
        histories: learning curve of each fold.
        training: all settings of the training, JSON-ready.
        samples: what it was trained on, per sample: entries, Σw and share of negative events.
        health: of the scheme on held-out events, JSON-ready; see :class:`hepneg.signs.sign_health.SchemeHealth`.
        choice: what the scheme ``auto`` has chosen, and why, JSON-ready; see :class:`hepneg.schemes.choice.Choice`.
            Empty for any other scheme.
    """

    task: ClassVar[Task]
    noun: ClassVar[str]
    networks: tuple[FoldNetwork, ...]
    inputs: ModelInputs
    scheme: str
    scheme_parameters: Mapping[str, Any]
    seed: int
    histories: tuple[FoldHistory, ...] = ()
    training: Mapping[str, Any] = field(default_factory=dict)
    samples: Mapping[str, Any] = field(default_factory=dict)
    health: Mapping[str, Any] = field(default_factory=dict)
    choice: Mapping[str, Any] = field(default_factory=dict)

    @property
    def chosen(self) -> str:
        """Name of the scheme that the networks are of: the choice of ``auto``, or the scheme itself."""
        return str(self.choice.get("scheme", self.scheme))

    @property
    def reason(self) -> str:
        """Why ``auto`` has chosen that scheme, in one sentence; empty for any other scheme."""
        return str(self.choice.get("reason", ""))

    @property
    def folds(self) -> int:
        """Number of folds k."""
        return len(self.networks)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the features, in order."""
        return tuple(self.inputs.features)

    def __repr__(self) -> str:
        chosen, features = f" ({self.chosen})" if self.choice else "", ", ".join(self.feature_names)
        return f"{type(self).__name__}(scheme={self.scheme!r}{chosen}, {self.folds} folds, features: {features})"

    def output(self, features: ArrayLike | EventTable) -> Float:
        """Return the mean of the k networks' outputs for events that the model was not trained on.

        Args:
            features: (n, F) in the order of ``feature_names``, or a table of events, which may have collections.

        Returns:
            (n,) log-odds of a classifier, (n, M) predictions of a regressor.

        Raises:
            DataError: the number of columns differs, or there are NaN or infinite features.
        """
        return mean_logits(self.networks, self._rows(features))

    def output_of_fold(self, events: EventTable, shift: int = 0) -> Float:
        """Return for each event the output of one network, (n,) or (n, M).

        Args:
            events: with the model's features.
            shift: 0 for the network that has not seen the event, 1 for one that was trained on it.

        Raises:
            DataError: the table's features are not those of the model.
        """
        return self._of_fold(events, network_logits, shift)

    def _of_fold(self, events: EventTable, function: NetworkFunction, shift: int) -> Float:
        rows = self._rows(events)
        if self.inputs.folds and events.fold is None:
            by = self.inputs.folds["by"]
            raise DataError(f"the {self.noun} was trained in folds by {by!r}, which the events do not have; give fold=")
        network_of = (events.folds(self.folds, self.seed) + shift) % self.folds
        return output_by_fold(self.networks, rows, network_of, function)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of the output of one event: empty for one number."""
        return ()

    def columns(self, output: Float) -> dict[str, Float]:
        """Return what a friend file holds, by the names of its branches, (n,) each, from outputs of :meth:`output`."""
        raise NotImplementedError

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the branches of :meth:`columns`."""
        return tuple(self.columns(np.empty((0, *self.output_shape))))

    @property
    def layout(self) -> InputLayout:
        """How the inputs of the networks are laid out."""
        return self.inputs.layout

    def _rows(self, features: ArrayLike | EventTable) -> Rows:
        """Return what the networks take of events, checked.

        Raises:
            DataError: other features or collections than those of the model, or NaN or infinite features.
        """
        if not isinstance(features, EventTable):
            return self._matrix(features)
        if features.feature_names != self.feature_names:
            raise DataError(
                f"the events have the features {', '.join(features.feature_names)}, "
                f"but the {self.noun} takes {', '.join(self.feature_names)}"
            )
        mine, theirs = self.layout.collections, features.layout.collections
        if {name: part.features for name, part in mine.items()} != {
            name: part.features for name, part in theirs.items()
        }:
            raise DataError(f"the events have {_described(theirs)}, but the {self.noun} takes {_described(mine)}")
        if any(part.most != theirs[name].most for name, part in mine.items()):
            raise DataError(
                f"the events' collections are cut at other numbers of objects than the {self.noun}'s (`most`)"
            )
        return EventInputs(features.features, features.collections, self.layout) if mine else features.features

    def _matrix(self, features: ArrayLike) -> NDArray[np.float32]:
        if self.layout.collections:
            raise DataError(
                f"the {self.noun} takes the collections {', '.join(self.layout.collections)} beside features: give an "
                "EventTable"
            )
        with np.errstate(over="ignore"):  # what is infinite in float32 is refused below
            matrix = np.asarray(features, dtype=np.float32)
        if matrix.ndim != 2 or matrix.shape[1] != len(self.feature_names):
            raise DataError(
                f"features have shape {matrix.shape}, but the {self.noun} takes (n, {len(self.feature_names)}): "
                + ", ".join(self.feature_names)
            )
        bad = ~np.isfinite(matrix).all(axis=1)
        if bad.any():
            raise DataError(f"{int(bad.sum())} events have NaN or infinite features, the first is {int(bad.argmax())}")
        return matrix

    def to_dict(self) -> dict[str, Any]:
        """Return what ``model.json`` holds, except for the checksum of the weights."""
        return {
            "schema_version": SCHEMA_VERSION,
            "task": self.task,
            "inputs": self.inputs.to_dict(),
            "feature_names": list(self.feature_names),
            "scheme": {"name": self.scheme, **self.scheme_parameters},
            "folds": {
                "number": self.folds,
                "seed": self.seed,
                "rule": "SplitMix64 over the event_id columns, stream 'fold', modulo number",
            },
            "networks": [network.to_dict() for network in self.networks],
            "training": dict(self.training),
            "samples": dict(self.samples),
            "health": dict(self.health),
            "choice": dict(self.choice),
            "histories": [history.to_dict() for history in self.histories],
            "versions": {
                "python": platform.python_version(),
                **{name: version(name) for name in ("hepneg", "numpy", "torch")},
            },
        }

    def save(self, folder: str | Path) -> Path:
        """Write ``weights.safetensors`` and ``model.json`` and return the folder.

        Raises:
            OutputError: it cannot be written.
        """
        write_model(Path(folder), self.to_dict(), self.networks)
        return Path(folder)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a model folder. Nothing in it is executed.

        Raises:
            DataError: a file is missing, damaged, changed, of another model, another task or another format.
        """
        folder = Path(folder)
        content, data = read_model_file(folder)
        if content.task != cls.task:
            raise DataError(f"the model in {folder} is for {content.task}: a {cls.noun} cannot be loaded from it")
        try:
            return cls._from_dict(data, read_networks(folder, content))
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise DataError(f"{folder / 'model.json'} is not a hepneg model: {error!r}") from None

    @classmethod
    def _from_dict(cls, data: Mapping[str, Any], networks: Sequence[FoldNetwork]) -> Self:
        scheme, inputs = dict(data["scheme"]), dict(data["inputs"])
        inputs["features"] = {name: inputs["features"][name] for name in data["feature_names"]}  # in their order
        return cls(
            networks=tuple(networks),
            inputs=ModelInputs.from_dict(inputs),
            scheme=scheme.pop("name"),
            scheme_parameters=scheme,
            seed=int(data["folds"]["seed"]),
            histories=tuple(FoldHistory.from_dict(history) for history in data["histories"]),
            training=data["training"],
            samples=data["samples"],
            health=data["health"],
            choice=data["choice"],
        )


def _described(collections: Mapping[str, CollectionLayout]) -> str:
    parts = (f"{name} ({', '.join(part.features)})" for name, part in collections.items())
    return f"the collections {'; '.join(parts)}" if collections else "no collections"

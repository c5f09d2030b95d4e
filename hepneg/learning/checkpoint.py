"""The state of an unfinished training, on disk after every epoch, so that it can be resumed bit for bit.

A fold's checkpoint holds the network, its best state so far, the optimiser's moments, the
objective's running state and the history. The random
numbers of an epoch follow from (seed, fold, epoch), so there is no generator to keep. Format: safetensors with one JSON
string of metadata; nothing is executed on reading.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError, safe_open

from hepneg._core.input import read_small_text
from hepneg._core.output import atomic_path, write_json
from hepneg.learning.history import Callback, EpochRecord, FoldHistory
from hepneg.networks.weights_file import save_tensors

__all__ = ["FoldCheckpoint", "FoldFiles", "FoldState", "Tensors"]

Tensors = dict[str, torch.Tensor]

_PARTS = ("network", "average", "best", "optimizer", "objective")


@dataclass(frozen=True, eq=False)
class FoldState:
    """Where the training of one fold stands.

    Attributes:
        network: parameters and scaling after the last epoch.
        average: the running average of the parameters, by number.
        best: parameters of the best epoch.
        optimizer: moments, by ``<parameter number>.<name>``.
        objective: running state of the loss; empty where it has none.
        history: the epochs so far; ``stopped`` is empty while there are more to come.
    """

    network: Tensors
    average: Tensors
    best: Tensors
    optimizer: Tensors
    objective: Tensors
    history: FoldHistory


@dataclass(frozen=True)
class FoldCheckpoint:
    """The file that keeps one fold.

    Args:
        path: the file.
        fingerprint: of the events and settings; a checkpoint of others is ignored.
    """

    path: Path
    fingerprint: str

    def save(self, state: FoldState) -> None:
        """Write the state, atomically.

        Raises:
            OutputError: it cannot be written.
        """
        tensors = {f"{part}/{name}": tensor for part in _PARTS for name, tensor in getattr(state, part).items()}
        meta = {"fingerprint": self.fingerprint, "history": asdict(state.history)}
        with atomic_path(self.path) as temporary:
            save_tensors(temporary, tensors, {"hepneg": json.dumps(meta)})

    def load(self) -> FoldState | None:
        """Read the state back; None if there is none for these events and settings."""
        if not self.path.is_file():
            return None
        try:
            with safe_open(self.path, framework="pt") as file:
                meta: Any = json.loads((file.metadata() or {}).get("hepneg", "{}"))
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        except (SafetensorError, ValueError, OSError):
            return None  # a damaged checkpoint is as good as none: that fold starts anew
        if not isinstance(meta, dict) or meta.get("fingerprint") != self.fingerprint:
            return None
        try:
            return _state(tensors, meta)
        except (LookupError, TypeError, ValueError):
            return None


def _state(tensors: Tensors, meta: Mapping[str, Any]) -> FoldState:
    """Sort the contents of a checkpoint.

    Raises:
        LookupError: a part that is not known, or no history.
        TypeError: a history of another shape.
    """
    groups: dict[str, Tensors] = {part: {} for part in _PARTS}
    for name, tensor in tensors.items():
        part, _, key = name.partition("/")
        groups[part][key] = tensor
    return FoldState(**groups, history=FoldHistory.from_dict(meta["history"]))


@dataclass(frozen=True)
class FoldFiles:
    """The checkpoints of one fold's networks: called with a network's name, gives its file.

    Args:
        folder: of all checkpoints; None to keep none.
        fold: which.
        fingerprint: of the events and settings.
        callback: is told of the epochs; None for nobody.
    """

    folder: Path | None
    fold: int
    fingerprint: str = ""
    callback: Callback | None = None

    def __call__(self, name: str) -> FoldCheckpoint | None:
        """Return the checkpoint of a network; the fold's main one has the empty name."""
        if self.folder is None:
            return None
        stem = f"fold_{self.fold}_{name}" if name else f"fold_{self.fold}"
        return FoldCheckpoint(self.folder / f"{stem}.safetensors", self.fingerprint)

    def report(self, network: str) -> Callable[[EpochRecord], bool] | None:
        """Return what takes the epochs of a network, and says whether its training is to end."""
        callback = self.callback
        if callback is None:
            return None
        return lambda record: bool(callback(self.fold, network, record))

    @property
    def standing(self) -> Literal["done", "changed", "unfinished"]:
        """Whether the fold was finished, for these events and settings or for others."""
        mark = self._read_mark()
        if not mark:
            return "unfinished"
        return "done" if mark.get("fingerprint") == self.fingerprint else "changed"

    @property
    def seconds(self) -> float:
        """What the fold took as a job of its own; 0 if it was none."""
        seconds = self._read_mark().get("seconds")
        return float(seconds) if isinstance(seconds, (int, float)) else 0.0

    def finish(self, seconds: float) -> None:
        """Note that there is nothing left to train, and how long it took.

        Raises:
            OutputError: it cannot be written.
        """
        if self.folder is not None:
            write_json(self.folder / self._mark, {"fingerprint": self.fingerprint, "seconds": seconds})

    @property
    def _mark(self) -> str:
        return f"fold_{self.fold}.done.json"

    def _read_mark(self) -> dict[str, Any]:
        try:
            content = json.loads(read_small_text(self.folder / self._mark)) if self.folder else None
        except (OSError, ValueError, RecursionError):
            return {}
        return content if isinstance(content, dict) else {}

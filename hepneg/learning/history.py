"""What happened while a network was trained, epoch by epoch."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol, Self

__all__ = ["Callback", "EpochRecord", "FoldHistory", "in_turn"]


@dataclass(frozen=True, slots=True)
class EpochRecord:
    """One pass over the training events.

    Attributes:
        epoch: counted from 1.
        train_loss: the scheme's own objective, averaged over the batches of the epoch.
        validation_loss: cross-entropy of the validation events, classes balanced, in nats: signed, or with the
            scheme's own weights where it learns the signs apart. An objective may judge by something else of its own;
            those of a regression judge by themselves, the target counted in its standard deviations.
        validation_error: its standard error.
        learning_rate: of the optimiser in this epoch.
        running: what the objective follows, at the end of the epoch: of ``balanced_cross_entropy`` the low-pass
            filtered ``sensitivity`` and ``specificity`` of the training batches and ``price``, of false negatives to
            false positives; of ``response_preference`` the ``share`` and its ``price``. Empty for any other.
    """

    epoch: int
    train_loss: float
    validation_loss: float
    validation_error: float
    learning_rate: float
    running: Mapping[str, float] = field(default_factory=dict)


class Callback(Protocol):
    """What is told of every epoch of every network, one call at a time, after the epoch."""

    def __call__(self, fold: int, network: str, record: EpochRecord) -> object:
        """Take an epoch; what counts as true ends the training of this network, whose best epoch is kept.

        What it raises ends the whole training, once the other folds' running epochs are over.

        Args:
            fold: which fold's network it is.
            network: ``"refined"`` on refined weights, ``"signs_label_0"``, ``"signs_sample_1"`` and so on of the local
                mean sign, ``"main"`` on other weights; a scheme has some of them.
            record: losses and learning rate.
        """


def in_turn(callbacks: Sequence[Callback]) -> Callback | None:
    """Return one callback for all, which folds that train side by side call one after the other; None for none."""
    lock = threading.Lock()

    def call(fold: int, network: str, record: EpochRecord) -> bool:
        with lock:
            asked = [bool(callback(fold, network, record)) for callback in callbacks]  # all are told
        return any(asked)

    return call if callbacks else None


@dataclass(frozen=True, slots=True)
class FoldHistory:
    """The learning curve of one fold's network.

    Attributes:
        fold: the fold that the network has not seen.
        epochs: the records in order.
        best_epoch: the epoch whose state was kept, by the validation loss.
        stopped: why training ended: ``"patience"``, ``"epochs"``, ``"callback"``, ``"interrupted"`` or
            ``"diverged"``.
        seconds: wall-clock time.
        message: what the user should know (an honest account of a divergence), or an empty string.
    """

    fold: int
    epochs: tuple[EpochRecord, ...]
    best_epoch: int
    stopped: str
    seconds: float
    message: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the history as plain dictionaries and lists, without the time, which no two trainings share."""
        content = {key: value for key, value in asdict(self).items() if key != "seconds"}
        epochs = [{key: value for key, value in one.items() if key != "running" or value} for one in content["epochs"]]
        return {**content, "epochs": tuple(epochs)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Rebuild a history from :meth:`to_dict`."""
        records = tuple(EpochRecord(**record) for record in data["epochs"])
        return cls(**{"seconds": 0.0, **data, "epochs": records})

"""What happened while a network was trained, epoch by epoch."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self

__all__ = ["EpochRecord", "FoldHistory"]


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
    """

    epoch: int
    train_loss: float
    validation_loss: float
    validation_error: float
    learning_rate: float


@dataclass(frozen=True, slots=True)
class FoldHistory:
    """The learning curve of one fold's network.

    Attributes:
        fold: the fold that the network has not seen.
        epochs: the records in order.
        best_epoch: the epoch whose state was kept, by the validation loss.
        stopped: why training ended: ``"patience"``, ``"epochs"``, ``"interrupted"`` or ``"diverged"``.
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
        return {key: value for key, value in asdict(self).items() if key != "seconds"}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Rebuild a history from :meth:`to_dict`."""
        records = tuple(EpochRecord(**record) for record in data["epochs"])
        return cls(**{"seconds": 0.0, **data, "epochs": records})

"""What networks minimise: sums over the rows of a batch, each row an event with its features first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hepneg.events import EventInputs, Rows
from hepneg.losses import CrossEntropyLoss
from hepneg.networks.packed_rows import PackedRows

__all__ = ["DirectLoss", "EventRows", "Loss", "LossGradient", "balanced_weight", "event_table", "label_loss"]

Loss = Callable[[nn.Module, torch.Tensor], torch.Tensor]
"""From a network and the rows of a batch to the sum of the loss over these rows."""

LossGradient: TypeAlias = Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]
"""From what M networks give, (M, n, outputs), and the columns behind the features, (n, C), to the sum of the loss and
its gradient by what they give."""


@runtime_checkable
class DirectLoss(Protocol):
    """A loss whose gradient may be known without torch's tape."""

    def __call__(self, network: nn.Module, rows: torch.Tensor, /) -> torch.Tensor:
        """Return the sum over the rows of a batch (see :data:`Loss`)."""

    def direct(self) -> LossGradient | None:
        """Return the same as a function of the outputs, with its gradient; None where it is more than that."""


EventRows: TypeAlias = torch.Tensor | PackedRows
"""All rows of a training, (n, W + …), from which ``index_select`` and slices make batches."""

_cross_entropy = CrossEntropyLoss()


def event_table(features: Rows, *columns: NDArray[np.generic]) -> EventRows:
    """Lay inputs, (n, F) or with collections, and further columns, (n,) each, side by side in single precision."""
    if isinstance(features, EventInputs):
        return PackedRows.of(features, *columns)
    table = np.empty((len(features), features.shape[1] + len(columns)), dtype=np.float32)
    table[:, : features.shape[1]] = features
    for number, column in enumerate(columns, start=features.shape[1]):
        table[:, number] = column
    return torch.from_numpy(table)


def balanced_weight(
    train_weight: NDArray[np.float64], target: NDArray[np.int8], classes: int = 2
) -> NDArray[np.float32]:
    """Scale the weights of each of K labels to the same sum, n/K: the log-odds are then those of equal priors."""
    balanced = np.empty(len(target), dtype=np.float32)
    for code in range(classes):
        members = target == code
        balanced[members] = train_weight[members] * (len(target) / classes / train_weight[members].sum())
    return balanced


def label_loss(network: nn.Module, rows: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of the label; the columns behind the features are label and weight."""
    return _cross_entropy.terms(network(rows[:, :-2]), rows[:, -2], rows[:, -1]).sum()

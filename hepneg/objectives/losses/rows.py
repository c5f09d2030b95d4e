"""What networks minimise: sums over the rows of a batch, each row an event with its features first."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

__all__ = [
    "Loss",
    "balanced_weight",
    "event_table",
    "label_and_sign_loss",
    "label_loss",
    "sign_loss",
    "signed_target_loss",
]

Loss = Callable[[nn.Module, torch.Tensor], torch.Tensor]
"""From a network and the rows of a batch to the sum of the loss over these rows."""

_bce = nn.functional.binary_cross_entropy_with_logits


def event_table(features: NDArray[np.float32], *columns: NDArray[np.generic]) -> torch.Tensor:
    """Lay features, (n, F), and further columns, (n,) each, side by side in single precision."""
    table = np.empty((len(features), features.shape[1] + len(columns)), dtype=np.float32)
    table[:, : features.shape[1]] = features
    for number, column in enumerate(columns, start=features.shape[1]):
        table[:, number] = column
    return torch.from_numpy(table)


def balanced_weight(train_weight: NDArray[np.float64], target: NDArray[np.int8]) -> NDArray[np.float32]:
    """Scale the weights of each label to the same sum, n/2: the log-odds are then those of equal priors."""
    balanced = np.empty(len(target), dtype=np.float32)
    for code in (0, 1):
        members = target == code
        balanced[members] = train_weight[members] * (0.5 * len(target) / train_weight[members].sum())
    return balanced


def label_loss(network: nn.Module, rows: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of the label; the columns behind the features are label and weight."""
    return _bce(network(rows[:, :-2]), rows[:, -2], weight=rows[:, -1], reduction="sum")


def sign_loss(network: nn.Module, rows: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of the sign, summed over the members of an ensemble.

    The columns behind the features are the sign (1 for w > 0, 0 for w < 0) and, for each member, the weight.
    The network gives one log-odds for each event and member, (n, M).
    """
    features = cast(torch.Tensor, network.mean).numel()
    log_odds = network(rows[:, :features])
    positive = rows[:, features, None].expand_as(log_odds)
    return _bce(log_odds, positive, weight=rows[:, features + 1 :], reduction="sum")


def label_and_sign_loss(network: nn.Module, rows: torch.Tensor) -> torch.Tensor:
    """Cross-entropy over the four classes (label, sign); the columns behind the features are label, sign and weight.

    P(label, sign | x) = P(label | x) P(sign | x, label), so its logarithm is a sum of two binary terms. The network's
    ``outputs`` are three log-odds: label, sign among background, sign among signal.
    """
    label, positive, weight = rows[:, -3], rows[:, -2], rows[:, -1]
    log_odds = network.outputs(rows[:, :-3])  # type: ignore[operator]
    of_label = torch.where(label > 0.5, log_odds[:, 2], log_odds[:, 1])
    return _bce(log_odds[:, 0], label, weight=weight, reduction="sum") + _bce(
        of_label, positive, weight=weight, reduction="sum"
    )


def signed_target_loss(network: nn.Module, rows: torch.Tensor) -> torch.Tensor:
    """Squared errors of label, sign among background and sign among signal; the columns are those of the four classes.

    The targets are 0 for events of the other label. Minimised by conditional means, whatever their sign: convex in the
    network's ``outputs``, never below 0.
    """
    label, weight = rows[:, -3], rows[:, -1]
    sign = 2 * rows[:, -2] - 1
    targets = torch.stack([label, sign * (1 - label), sign * label], dim=1)
    outputs: torch.Tensor = network.outputs(rows[:, :-3])  # type: ignore[operator]
    errors = outputs - targets
    return (weight[:, None] * errors**2).sum()

"""Outputs of networks, in cache-sized pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hepneg._core.by_fold import by_fold
from hepneg.events import Rows, selected
from hepneg.networks.calibrated_network import mean_output
from hepneg.networks.fused import packed_weights
from hepneg.networks.packed_rows import dense_rows

__all__ = [
    "PIECE",
    "in_pieces",
    "mean_logits",
    "network_logits",
    "one_thread",
    "output_by_fold",
    "use_one_thread",
]

Network = TypeVar("Network", bound=nn.Module)

PIECE = 8192
"""Events at a time: few enough for a core's caches, many enough that the calls behind them cost little."""


ROWS = 64
"""Small batches are filled up to so many events: other sizes take other instructions, which round otherwise."""


def network_logits(network: nn.Module, features: Rows) -> NDArray[np.float64]:
    """Return the log-odds of each event.

    Args:
        network: on any device; takes rows, (n, W), gives (n,) or (n, M).
        features: (n, F), in any memory order, or with collections.

    Returns:
        (n,) or (n, M) float64.
    """
    return in_pieces(network, features, next(network.parameters()).device)


def output_by_fold(
    networks: Sequence[Network],
    features: Rows,
    network_of: NDArray[np.integer],
    function: Callable[[Network, Rows], NDArray[np.float64]] = network_logits,
) -> NDArray[np.float64]:
    """Return of each event what one of several networks says of it.

    Args:
        networks: K of them.
        features: of n events.
        network_of: number of the network that each event is asked of, (n,): its fold's, which has not seen it.
        function: from a network and the features of its events to their values, (m, …).

    Returns:
        (n, …) in the order of the events.
    """
    return by_fold(
        network_of, len(networks), lambda number, members: function(networks[number], selected(features, members))
    )


def mean_logits(networks: Sequence[nn.Module], features: Rows) -> NDArray[np.float64]:
    """Return the mean output of several networks, (n,) or (n, M), in one pass over the features.

    See :func:`network_logits` and :func:`hepneg.networks.calibrated_network.mean_output`.
    """

    def mean(rows: torch.Tensor) -> torch.Tensor:
        return mean_output(networks, rows, torch.float64)

    return in_pieces(mean, features, next(networks[0].parameters()).device)


def in_pieces(
    function: Callable[[torch.Tensor], torch.Tensor], features: Rows, device: torch.device
) -> NDArray[np.float64]:
    """Apply a function of tensors, (n, F), to arrays of any length, and return its values in float64."""
    piece = PIECE if device.type == "cpu" else 1 << 20
    parts = []
    with torch.inference_mode(), packed_weights(piece):
        for start in range(0, max(len(features), 1), piece):
            rows = dense_rows(features, start, start + piece)
            parts.append(function(_filled(rows).to(device))[: len(rows)].cpu().numpy())
    return np.concatenate(parts).astype(np.float64)


def _filled(rows: torch.Tensor) -> torch.Tensor:
    """Append copies of the last row up to a multiple of ROWS; how a row is rounded then hardly depends on others."""
    missing = -len(rows) % ROWS
    return torch.cat([rows, rows[-1:].expand(missing, -1)]) if missing and len(rows) else rows


def use_one_thread() -> None:
    """Let torch use one thread an operation, here and in threads and processes that call this."""
    torch.set_num_threads(1)


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread an operation for a while.

    Networks this small lose time to more, and the last bits of a result depend on their number.
    """
    before = torch.get_num_threads()
    use_one_thread()
    try:
        yield
    finally:
        torch.set_num_threads(before)

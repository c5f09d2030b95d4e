"""Responses of networks, in cache-sized pieces."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray

from hepneg.learning.network import ResponseNetwork

__all__ = ["network_logits", "one_thread"]

# Activations of 2048 events fit into a core's second-level cache; larger pieces are two to three times slower.
PIECE = 2048


def network_logits(network: ResponseNetwork, features: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the log-odds of each event.

    Args:
        network: on any device.
        features: (n, F), in any memory order.

    Returns:
        (n,) float64.
    """
    device = network.mean.device
    piece = PIECE if device.type == "cpu" else 1 << 20
    logit = np.empty(len(features))
    with torch.inference_mode():
        for start in range(0, len(features), piece):
            rows = torch.from_numpy(
                np.array(features[start : start + piece], order="C")
            )  # a copy: torch wants it writable
            logit[start : start + piece] = network(rows.to(device)).cpu().numpy()
    return logit


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread: the last bits of a result depend on their number."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)

"""A small network that classifies the sign of the weight from x, for the multivariate shape check."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from hepneg._core.progress import SILENT
from hepneg.config import Training
from hepneg.events import EventTable, InputLayout
from hepneg.learning.batches import ShuffledBatches
from hepneg.learning.loop import Fit, train_network
from hepneg.networks.inference import network_logits
from hepneg.networks.perceptron import Perceptron
from hepneg.networks.response_network import ResponseNetwork
from hepneg.objectives.rows import balanced_weight, event_table
from hepneg.objectives.validation_loss import label_validation_loss

__all__ = ["learn_sign"]

_VALIDATION_SHARE = 0.2
_HIDDEN = (32, 32)
_LOGIT_BOUND = 8.0
_SMALLEST_BATCH, _LARGEST_BATCH = 32, 512
_BATCHES_AN_EPOCH = 24


def learn_sign(
    features: NDArray[np.float32], negative: NDArray[np.bool_], magnitude: NDArray[np.float64], seed: int
) -> Callable[[NDArray[np.float32]], NDArray[np.float64]]:
    """Train a network to classify positive against negative events, weighted with \\|w\\|, the two signs balanced.

    A fifth of the events is used for the validation loss of early stopping only. One thread; the same seed gives the
    same network.

    Args:
        features: (n, F), of similar spread in every column.
        negative: (n,) true where the weight is negative.
        magnitude: (n,) \\|w\\|, positive.
        seed: of the initial network, the part held aside and the batches.

    Returns:
        A function from features (m, F) to the log-odds (m,) of a positive sign. It is constant where one sign has
        fewer than two events.
    """
    rng = np.random.default_rng(seed)
    aside = _held_aside(negative, rng)
    if aside is None:
        return lambda x: np.zeros(len(x))
    events = EventTable.from_arrays(features, magnitude, ~negative)  # the sign is the label
    part, validation = events.select(~aside), events.select(aside)
    batch = int(np.clip(len(part) // _BATCHES_AN_EPOCH, _SMALLEST_BATCH, _LARGEST_BATCH))
    training = Training.of(epochs=25, patience=5, batch_size=batch, learning_rate=3e-3, weight_decay=1e-2, seed=seed)
    network = ResponseNetwork(Perceptron(_HIDDEN), InputLayout(features.shape[1]), _LOGIT_BOUND)
    network.initialise(torch.Generator().manual_seed(seed), part.features)
    fit = Fit(
        fold=0,
        table=event_table(part.features, part.label, balanced_weight(part.weight, part.label)),
        batches=ShuffledBatches(part.weight, batch),
        validation_loss=label_validation_loss(validation, validation.weight),
    )
    train_network(network, fit, training, task=SILENT.task("sign"), stop=threading.Event())
    return lambda x: network_logits(network, x)


def _held_aside(negative: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_] | None:
    """Draw a fifth of the events of each sign, at least one of each; None where a sign has fewer than two."""
    aside = np.zeros(len(negative), np.bool_)
    for sign in (negative, ~negative):
        members = np.flatnonzero(sign)
        if len(members) < 2:
            return None
        aside[rng.choice(members, max(1, int(_VALIDATION_SHARE * len(members))), replace=False)] = True
    return aside

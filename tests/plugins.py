"""A scheme and a network as a package of its own would bring them: nothing here reaches into hepneg."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.spatial import KDTree
from torch import nn

from hepneg.events import EventTable
from hepneg.networks import Standardise


@dataclass(frozen=True)
class Neighbours:
    """Train on |w| times the mean sign of the nearest events of the same label."""

    name: ClassVar[str] = "neighbours"
    count: int = 100

    def fit(self, context):
        """Train the networks of one fold."""
        seen, scale = context.seen, context.seen.features.std(axis=0)
        members = [seen.select(seen.label == code) for code in (0, 1)]
        trees = [KDTree(table.features / scale) for table in members]

        def sign(events: EventTable, raw: bool) -> np.ndarray:
            local = np.ones(len(events))
            for code in (0, 1):
                own = events.label == code
                if own.any():
                    near = trees[code].query(events.features[own] / scale, min(self.count, len(members[code])))[1]
                    weight = members[code].weight[near]
                    local[own] = weight.sum(axis=1) / np.abs(weight).sum(axis=1)
            return local if raw else np.maximum(local, 1e-3)

        return context.train_refined(sign)


@dataclass(frozen=True)
class Residual:
    """A block with a short cut."""

    name: ClassVar[str] = "residual"
    width: int = 16

    def build(self, inputs: int, outputs: int) -> nn.Module:
        """Return a new module."""
        return _Residual(inputs, self.width, outputs)


class _Residual(nn.Module):
    def __init__(self, inputs: int, width: int, outputs: int) -> None:
        super().__init__()
        self.into = nn.Sequential(Standardise(inputs), nn.Linear(inputs, width))
        self.block, self.out = nn.Sequential(nn.ReLU(), nn.Linear(width, width)), nn.Linear(width, outputs)

    def forward(self, features):
        hidden = self.into(features)
        return self.out(hidden + self.block(hidden))

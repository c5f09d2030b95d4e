"""The inputs of events with collections as tensors: kept without padding, padded in the rows of a batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from hepneg.events import Collection, EventInputs, Rows

__all__ = ["PackedRows", "dense_rows"]


@dataclass(frozen=True, eq=False)
class _PackedObjects:
    """The objects of n events on a device.

    Attributes:
        contents: features of all objects and, last, of none: zeros, (N + 1, m).
        first: number of the first object of each event, (n,).
        counts: objects of each event, (n,).
        most: objects of an event in a row.
    """

    contents: torch.Tensor
    first: torch.Tensor
    counts: torch.Tensor
    most: int

    @classmethod
    def of(cls, collection: Collection) -> Self:
        contents = np.zeros((len(collection.contents) + 1, len(collection.feature_names)), dtype=np.float32)
        contents[:-1] = collection.contents
        first, counts = (np.array(part) for part in (collection.offsets[:-1], collection.counts))
        return cls(torch.from_numpy(contents), torch.from_numpy(first), torch.from_numpy(counts), collection.most)

    def to(self, device: torch.device) -> _PackedObjects:
        return _PackedObjects(self.contents.to(device), self.first.to(device), self.counts.to(device), self.most)

    def rows(self, index: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the numbers of objects, (b, 1), and their features, (b, most · m), of some events."""
        counts = self.counts.index_select(0, index)[:, None]
        place = torch.arange(self.most, device=index.device)
        objects = torch.where(
            place < counts, self.first.index_select(0, index)[:, None] + place, len(self.contents) - 1
        )
        return counts.float(), self.contents.index_select(0, objects.flatten()).reshape(len(index), -1)


@dataclass(frozen=True, eq=False)
class PackedRows:
    """Inputs of n events, and what a loss needs beside them, from which rows are made as they are asked for.

    Stands where a tensor of all rows, (n, W + …), stands for events without collections.

    Attributes:
        features: (n, F).
        parts: the collections, in the order of the layout.
        columns: of the loss, (n, C).
    """

    features: torch.Tensor
    parts: tuple[_PackedObjects, ...]
    columns: torch.Tensor

    @classmethod
    def of(cls, inputs: EventInputs, *columns: NDArray[np.generic]) -> Self:
        """Copy inputs and the loss's columns, (n,) each."""
        beside = np.empty((len(inputs), len(columns)), dtype=np.float32)
        for number, column in enumerate(columns):
            beside[:, number] = column
        parts = tuple(_PackedObjects.of(inputs.collections[name]) for name in inputs.layout.collections)
        return cls(torch.from_numpy(np.array(inputs.features, order="C")), parts, torch.from_numpy(beside))

    def __len__(self) -> int:
        return len(self.features)

    def __getitem__(self, rows: slice) -> torch.Tensor:
        return self.index_select(0, torch.arange(*rows.indices(len(self)), device=self.device))

    @property
    def device(self) -> torch.device:
        """Where it is."""
        return self.features.device

    def to(self, device: torch.device) -> PackedRows:
        """Return the same on a device."""
        parts = tuple(part.to(device) for part in self.parts)
        return PackedRows(self.features.to(device), parts, self.columns.to(device))

    def index_select(self, dim: int, index: torch.Tensor) -> torch.Tensor:  # noqa: ARG002 - as a tensor has it
        """Return the rows of some events, (b, W + C): features, each collection padded with zeros, and the columns."""
        objects = [tensor for part in self.parts for tensor in part.rows(index)]
        return torch.cat([self.features.index_select(0, index), *objects, self.columns.index_select(0, index)], dim=1)


def dense_rows(inputs: Rows, start: int, stop: int) -> torch.Tensor:
    """Return the rows of neighbouring events, (b, W)."""
    if isinstance(inputs, EventInputs):
        return PackedRows.of(inputs.piece(start, stop))[:]
    return torch.from_numpy(np.array(inputs[start:stop], order="C"))  # a copy: torch wants it writable

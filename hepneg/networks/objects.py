"""The objects of a batch as networks take them: padded, with a mask that says which are there."""

from __future__ import annotations

from typing import NamedTuple

import torch

from hepneg.events import CollectionLayout, InputLayout

__all__ = ["Objects", "object_rows", "unpacked"]


class Objects(NamedTuple):
    """The objects of one collection in a batch.

    Attributes:
        values: features, (n, L, m), 0 where there is no object; L is that of the event with most, and ``most`` at most.
        mask: which are there, (n, L) booleans.
    """

    values: torch.Tensor
    mask: torch.Tensor


def unpacked(rows: torch.Tensor, layout: InputLayout) -> tuple[torch.Tensor, dict[str, Objects]]:
    """Take rows, (n, W), apart into features, (n, F), and objects by collection.

    Raises:
        ValueError: rows of another width.
    """
    if rows.shape[1] != layout.width:
        raise ValueError(f"rows have {rows.shape[1]} columns, not {layout.width}")
    objects, start = {}, layout.scalars
    for name, part in layout.collections.items():
        objects[name] = _objects(rows[:, start : start + part.width], part)
        start += part.width
    return rows[:, : layout.scalars], objects


def _objects(columns: torch.Tensor, layout: CollectionLayout) -> Objects:
    counts, values = columns[:, :1], columns[:, 1:].view(-1, layout.most, len(layout.features))
    length = _longest(counts, layout.most)
    place = torch.arange(length, device=columns.device)
    return Objects(values[:, :length], place < counts)


def _longest(counts: torch.Tensor, most: int) -> int:
    """Return how many objects of an event are worth looking at; of a graph, and on a GPU, all that there may be."""
    if counts.device.type != "cpu" or torch.compiler.is_exporting() or not len(counts):
        return most
    return min(most, max(1, int(counts.max())))


def object_rows(objects: Objects, most: int) -> torch.Tensor:
    """Return columns of a row, (n, 1 + most · m), from objects: the inverse of :func:`unpacked`."""
    values, mask = objects
    missing = most - values.shape[1]
    padded = torch.nn.functional.pad(values, (0, 0, 0, missing)) if missing else values
    return torch.cat([mask.sum(dim=1, keepdim=True).to(values.dtype), padded.flatten(1)], dim=1)

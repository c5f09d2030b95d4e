"""The objects of a batch as networks take them: padded, with a mask that says which are there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch

from hepneg.events import CollectionLayout, InputLayout

__all__ = ["Objects", "in_groups", "object_rows", "unpacked"]

_GROUPS, _GROUP = 4, 128
"""Groups of a batch with about as many objects in each event: at most so many, of so many events at least."""


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


def in_groups(
    layers: Callable[[torch.Tensor, Mapping[str, Objects]], torch.Tensor],
    features: torch.Tensor,
    objects: Mapping[str, Objects],
) -> torch.Tensor:
    """Return what layers make of events, (n, O), those with few objects without the padding up to those with many.

    The outputs are those of all events at once, to rounding; a graph, and a GPU, take all at once.

    Args:
        layers: give outputs, (g, O), for each event by itself.
        features: (n, F).
        objects: of the same events, by collection.
    """
    if features.device.type != "cpu" or torch.compiler.is_exporting():
        return layers(features, objects)
    groups = min(_GROUPS, len(features) // _GROUP)
    if groups < 2:
        return layers(features, objects)
    number = torch.stack([one.mask.sum(dim=1) for one in objects.values()]).sum(dim=0)
    order = torch.argsort(number, stable=True)
    parts = [
        layers(features.index_select(0, rows), {name: _shorter(one, rows) for name, one in objects.items()})
        for rows in order.tensor_split(groups)
    ]
    return torch.cat(parts).index_select(0, torch.argsort(order))


def _shorter(objects: Objects, rows: torch.Tensor) -> Objects:
    """Return the objects of some events, of which one has as many as there are places."""
    mask = objects.mask.index_select(0, rows)
    length = max(1, int(mask.sum(dim=1).max()))
    return Objects(objects.values[:, :length].index_select(0, rows), mask[:, :length])


def object_rows(objects: Objects, most: int) -> torch.Tensor:
    """Return columns of a row, (n, 1 + most · m), from objects: the inverse of :func:`unpacked`."""
    values, mask = objects
    missing = most - values.shape[1]
    padded = torch.nn.functional.pad(values, (0, 0, 0, missing)) if missing else values
    return torch.cat([mask.sum(dim=1, keepdim=True).to(values.dtype), padded.flatten(1)], dim=1)

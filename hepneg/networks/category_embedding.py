"""Inputs that are categories as learnt vectors, in front of the layers of any network."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hepneg.events import Collection, CollectionLayout, EventInputs, InputLayout, Rows
from hepneg.networks.body import Body
from hepneg.networks.objects import Objects, object_rows, unpacked

__all__ = ["CategoryBody", "embedded_layout"]

_LARGEST = 8  # numbers that stand for one value


def _size(values: tuple[int, ...]) -> int:
    """Return how many numbers stand for a value: more for more of them."""
    return min(_LARGEST, 1 + math.ceil(math.sqrt(len(values))))


def _width(features: int, categories: Mapping[int, tuple[int, ...]]) -> int:
    return features - len(categories) + sum(_size(values) for values in categories.values())


def embedded_layout(layout: InputLayout) -> InputLayout:
    """Return the layout behind the embedding: numbers first, in their order, then those that stand for categories."""
    parts = {name: _embedded_part(part) for name, part in layout.collections.items()}
    return InputLayout(_width(layout.scalars, layout.categories), {}, parts)


def _embedded_part(layout: CollectionLayout) -> CollectionLayout:
    numbers = tuple(name for place, name in enumerate(layout.features) if place not in layout.categories)
    added = tuple(
        f"{layout.features[place]}[{part}]"
        for place, values in layout.categories.items()
        for part in range(_size(values))
    )
    return CollectionLayout(numbers + added, layout.most)


class _Embedding(nn.Module):
    """Puts a vector in the place of each category among the features, (…, m) to (…, m′).

    A value that is none of the known ones has a vector of its own, which starts at zero, the mean of the others.
    """

    def __init__(self, features: int, categories: Mapping[int, tuple[int, ...]]) -> None:
        super().__init__()
        self.places = tuple(categories)
        self.numbers = [place for place in range(features) if place not in categories]
        self.vectors = nn.ParameterList(
            nn.Parameter(torch.zeros(len(values) + 1, _size(values))) for values in categories.values()
        )
        for number, values in enumerate(categories.values()):
            self.register_buffer(f"values_{number}", torch.tensor(values, dtype=torch.float32))

    def initialise(self, generator: torch.Generator) -> None:
        """Draw the vectors of the known values anew."""
        with torch.no_grad():
            for vectors in self.vectors:
                vectors.normal_(generator=generator)
                vectors[-1].zero_()

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the features with vectors in the place of categories."""
        parts = [features[..., self.numbers]]
        for number, (place, vectors) in enumerate(zip(self.places, self.vectors, strict=True)):
            known = (features[..., place, None] == getattr(self, f"values_{number}")).to(features.dtype)
            unknown = 1 - known.sum(dim=-1, keepdim=True)
            parts.append(torch.cat([known, unknown], dim=-1) @ vectors)
        return torch.cat(parts, dim=-1)


class CategoryBody(Body):
    """Embeds the categories among the inputs of another body.

    Args:
        layout: of the raw inputs.
        body: takes the inputs of :func:`embedded_layout`.
    """

    def __init__(self, layout: InputLayout, body: Body) -> None:
        super().__init__()
        self.layout, self.body = layout, body
        self.features = _Embedding(layout.scalars, layout.categories)
        self.objects = nn.ModuleDict(
            {name: _Embedding(len(part.features), part.categories) for name, part in layout.collections.items()}
        )

    def initialise(self, generator: torch.Generator, features: Rows) -> None:
        """Draw the vectors, and initialise the other body with what comes of them."""
        for embedding in (self.features, *self.objects.values()):
            cast(_Embedding, embedding).initialise(generator)
        with torch.no_grad():
            self.body.initialise(generator, self._embedded(features))

    def start(self, values: torch.Tensor) -> None:
        """Begin the other body."""
        self.body.start(values)

    def shift(self, amount: float) -> None:
        """Shift the other body."""
        self.body.shift(amount)

    @property
    def hidden(self) -> list[nn.Module]:
        """The activations of the other body's hidden layers."""
        return cast(list[nn.Module], self.body.hidden)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the outputs, (n, O)."""
        features, objects = unpacked(rows, self.layout)
        parts = [self.features(features)]
        for name, (values, mask) in objects.items():
            made = Objects(self.objects[name](values) * mask[..., None], mask)
            parts.append(object_rows(made, self.layout.collections[name].most))
        outputs: torch.Tensor = self.body(torch.cat(parts, dim=1))
        return outputs

    def _embedded(self, inputs: Rows) -> Rows:
        """Embed the inputs of a training, for what is fitted to them."""
        if not isinstance(inputs, EventInputs):
            return _of_arrays(self.features, inputs)
        layout, parts = embedded_layout(self.layout), {}
        for name, part in inputs.collections.items():
            contents = _of_arrays(self.objects[name], part.contents)
            names = layout.collections[name].features
            parts[name] = Collection(names, contents, part.offsets, part.most)
        return replace(inputs, features=_of_arrays(self.features, inputs.features), collections=parts, layout=layout)


def _of_arrays(embedding: nn.Module, features: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(embedding(torch.from_numpy(np.array(features, order="C"))).numpy())

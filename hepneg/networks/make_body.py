"""From a network of the registry, or of one's own, to layers that training can use."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hepneg._core.plugins import require_collections
from hepneg.errors import TrainingError
from hepneg.events import EventInputs, InputLayout, Rows
from hepneg.networks.body import Body, Standardise
from hepneg.networks.category_embedding import CategoryBody, embedded_layout
from hepneg.networks.encoding import Encoding
from hepneg.networks.network import Network
from hepneg.networks.objects import unpacked
from hepneg.networks.packed_rows import dense_rows

__all__ = ["make_body", "make_members"]

_ROWS = 256  # events that a module of another package is tried on
_global_generator = threading.Lock()  # folds are trained in threads, which share torch's generator


class _AnyBody(Body):
    """A module that knows nothing of this package, with a constant that is added to its outputs."""

    offset: torch.Tensor

    def __init__(self, network: Network, layout: InputLayout, outputs: int, module: nn.Module) -> None:
        super().__init__()
        self.network, self.layout, self.outputs, self.module = network, layout, outputs, module
        self.register_buffer("offset", torch.zeros(outputs))

    def initialise(self, generator: torch.Generator, features: Rows) -> None:
        """Build the module anew under the generator's seed, fit its scaling, and try it."""
        self.module = _built(self.network, self.layout, self.outputs, generator.initial_seed())
        for part in self.module.modules():
            if isinstance(part, Standardise | Encoding):
                part.fit(_scaled_by(part, features, self.network.name))
        self._tried = dense_rows(features, 0, _ROWS)
        self.start(torch.zeros(self.outputs))

    def start(self, values: torch.Tensor) -> None:
        """Set the constant so that the mean output over some events is as wanted."""
        with torch.no_grad():
            self.offset.copy_(values - self._checked(self._tried).mean(dim=0))

    def shift(self, amount: float) -> None:
        """Shift the constant."""
        self.offset += amount

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the module's outputs and the constant, (n, O)."""
        values: torch.Tensor = self._called(rows)
        return values + self.offset

    def _called(self, rows: torch.Tensor) -> Any:
        if not self.layout.collections:
            return self.module(rows)
        return self.module(*unpacked(rows, self.layout))

    def _checked(self, rows: torch.Tensor) -> torch.Tensor:
        name, shape = self.network.name, (len(rows), self.layout.scalars)
        beside = f" and {', '.join(self.layout.collections)}" if self.layout.collections else ""
        self.module.eval()
        try:
            with torch.no_grad():
                values = self._called(rows)
        except (RuntimeError, TypeError, ValueError, LookupError, AttributeError) as error:
            reason = " ".join(str(error).split())
            raise TrainingError(f"network {name!r} fails on inputs of shape {shape}{beside}: {reason}") from None
        wanted = (len(rows), self.outputs)
        if not isinstance(values, torch.Tensor) or tuple(values.shape) != wanted:
            given = tuple(values.shape) if isinstance(values, torch.Tensor) else type(values).__name__
            raise TrainingError(f"network {name!r} gives {given} for inputs {shape}{beside}, not {wanted}")
        if not torch.isfinite(values).all():
            raise TrainingError(f"network {name!r} gives NaN or infinite outputs before any training")
        self.module.train()
        return values


def _scaled_by(part: Standardise | Encoding, inputs: Rows, network: str) -> NDArray[np.float32]:
    """Return what a scaling is fitted to: features of the events, or of the objects of a collection.

    Raises:
        TrainingError: there is no such collection.
    """
    collections = inputs.collections if isinstance(inputs, EventInputs) else {}
    if part.of is None:
        return inputs.features if isinstance(inputs, EventInputs) else inputs
    if part.of not in collections:
        raise TrainingError(
            f"network {network!r} scales a collection {part.of!r}, which is none of: {', '.join(collections) or 'none'}"
        )
    return collections[part.of].contents


class _Members(Body):
    """Networks with one output each, one after the other."""

    def __init__(self, bodies: list[Body]) -> None:
        super().__init__()
        self.bodies = bodies
        self.listed = nn.ModuleList(self.bodies)

    def initialise(self, generator: torch.Generator, features: Rows) -> None:
        """Initialise each member by a seed of its own."""
        for body in self.bodies:
            seed = int(torch.randint(2**62, (1,), generator=generator))
            body.initialise(torch.Generator().manual_seed(seed), features)

    def start(self, values: torch.Tensor) -> None:
        """Begin each member at its value."""
        for body, value in zip(self.bodies, values, strict=True):
            body.start(value[None])

    def shift(self, amount: float) -> None:
        """Shift all members."""
        for body in self.bodies:
            body.shift(amount)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the output of each member, (n, M)."""
        return torch.cat([body(features) for body in self.bodies], dim=1)


def make_body(network: Network, layout: InputLayout, outputs: int) -> Body:
    """Return the layers of a network, not yet initialised.

    Raises:
        TrainingError: the network cannot be built.
        ConfigError: it takes no collections where there are some, or the other way round.
    """
    return _behind_categories(network, layout, partial(_plain_body, network, outputs=outputs))


def make_members(network: Network, layout: InputLayout, members: int) -> Body:
    """Return several networks with one output each as one, (n, members), not yet initialised.

    Raises:
        TrainingError: the network cannot be built.
        ConfigError: it takes no collections where there are some, or the other way round.
    """
    return _behind_categories(network, layout, partial(_plain_members, network, members=members))


def _behind_categories(network: Network, layout: InputLayout, make: Callable[[InputLayout], Body]) -> Body:
    """Return layers that see categories as numbers, where there are any."""
    require_collections(network, tuple(layout.collections))
    return CategoryBody(layout, make(embedded_layout(layout))) if layout.has_categories else make(layout)


def _plain_body(network: Network, layout: InputLayout, outputs: int) -> Body:
    module = _built(network, layout, outputs, seed=0)
    return module if isinstance(module, Body) else _AnyBody(network, layout, outputs, module)


def _plain_members(network: Network, layout: InputLayout, members: int) -> Body:
    packed = getattr(network, "build_members", None)
    if packed is None:
        smoother = getattr(network, "for_signs", None)
        single = smoother() if smoother else network
        return _Members([_plain_body(single, layout, 1) for _ in range(members)])
    body: Body = packed(layout.scalars, members)
    return body


def _built(network: Network, layout: InputLayout, outputs: int, seed: int) -> nn.Module:
    """Call a network's ``build`` with torch's global generator seeded, and say in one line what fails."""
    more = {"collections": layout.collections} if layout.collections else {}
    try:
        with _seeded(seed):
            module = network.build(layout.scalars, outputs, **more)
    except (RuntimeError, TypeError, ValueError, LookupError, AttributeError) as error:
        raise TrainingError(f"network {network.name!r} cannot be built: {' '.join(str(error).split())}") from error
    if not isinstance(module, nn.Module):
        raise TrainingError(f"network {network.name!r} builds {type(module).__name__}, not a torch.nn.Module")
    return module


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed torch's global generator for a while, for modules that draw from it, and put it back as it was."""
    with _global_generator, torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield

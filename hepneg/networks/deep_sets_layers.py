"""The layers of the network ``deep_sets``."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from hepneg.events import CollectionLayout
from hepneg.networks.encoding import Encoding
from hepneg.networks.objects import Objects
from hepneg.networks.perceptron_body import Multilayer

__all__ = ["DeepSetsLayers"]

_TYPICAL = 4.0
"""Sums over objects are divided by so much, to be of order one."""


class DeepSetsLayers(nn.Module):
    """Outputs, (n, O), from features, (n, F), and objects.

    Args:
        inputs: F.
        outputs: O.
        collections: layouts by name.
        width: of all layers.
        summed: numbers of each object that are summed up.
        bins: of the encoding.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        collections: Mapping[str, CollectionLayout],
        width: int,
        summed: int,
        bins: int,
    ) -> None:
        super().__init__()
        self.event = Encoding(inputs, bins)
        scale = {name: Encoding(len(one.features), bins, of=name) for name, one in collections.items()}
        self.scale = nn.ModuleDict(scale)
        # Layers over [object, event] are sums of layers over either: the event's share is computed once.
        self.of_object = nn.ModuleDict({name: nn.Linear(one.width, width) for name, one in scale.items()})
        self.of_event = nn.ModuleDict({name: nn.Linear(self.event.width, width) for name in collections})
        self.inner = nn.ModuleDict({name: Multilayer([width, width, summed], "silu") for name in collections})
        behind = self.event.width + (summed + 1) * len(collections)
        self.outer = Multilayer([behind, width, width, outputs], "silu")
        self.outer.end_at_zero()

    def forward(self, features: torch.Tensor, objects: Mapping[str, Objects]) -> torch.Tensor:
        """Return the outputs."""
        event = self.event(features)
        parts = [event]
        for name, (values, mask) in objects.items():
            there = mask.to(values.dtype)
            hidden = self.of_object[name](self.scale[name](values)) + self.of_event[name](event)[:, None]
            each = self.inner[name](nn.functional.silu(hidden))
            parts += [(each * there[..., None]).sum(dim=1) / _TYPICAL, there.sum(dim=1, keepdim=True) / _TYPICAL]
        outputs: torch.Tensor = self.outer(torch.cat(parts, dim=1))
        return outputs

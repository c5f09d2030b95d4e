"""The network ``particle_transformer``: objects that attend to one another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from hepneg._core.parameters import require_whole
from hepneg.networks.tabular import MOST_BINS

if TYPE_CHECKING:
    from torch import nn

    from hepneg.events import CollectionLayout

__all__ = ["ParticleTransformer"]

_WIDEST, _DEEPEST = 2048, 64


@dataclass(frozen=True)
class ParticleTransformer:
    """Objects of all collections attend to one another, with what pairs of them tell as a bias, and the event to them.

    Where transverse momentum and angles are named (``pt``, ``eta``, ``phi``, and ``mass`` or ``m``, alone or behind a
    ``_``), kT, momentum fraction, distance and mass of each pair are added to the attention of its objects
    (arXiv:2202.03772). A class token that begins with the features of the event gathers what they say.

    Args:
        width: of each object inside.
        heads: of the attention; they share the width.
        layers: in which objects attend to one another.
        bins: between quantiles of each feature, from 0 to 256, as ``tabular`` has them; networks of signs have none.
    """

    name: ClassVar[str] = "particle_transformer"
    width: int = 32
    heads: int = 4
    layers: int = 2
    bins: int = 8

    def __post_init__(self) -> None:
        require_whole(1, _WIDEST, width=self.width, heads=self.heads)
        require_whole(1, _DEEPEST, layers=self.layers)
        require_whole(0, MOST_BINS, bins=self.bins)
        if self.width % self.heads:
            raise ValueError(f"width must be a multiple of heads, not {self.width} and {self.heads}")

    def for_signs(self) -> ParticleTransformer:
        """Return the network that learns signs: these fluctuate more than densities, and bins let it follow noise."""
        return replace(self, bins=0)

    def build(self, inputs: int, outputs: int, collections: Mapping[str, CollectionLayout]) -> nn.Module:
        """Return a new module (see :class:`hepneg.networks.Network`)."""
        from hepneg.networks.attention import TransformerLayers

        return TransformerLayers(inputs, outputs, collections, self.width, self.heads, self.layers, self.bins)

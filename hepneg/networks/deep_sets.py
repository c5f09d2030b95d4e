"""The network ``deep_sets``: each object through the same layers, their sum through others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from hepneg._core.parameters import require_whole
from hepneg.networks.tabular import MOST_BINS

if TYPE_CHECKING:
    from torch import nn

    from hepneg.events import CollectionLayout

__all__ = ["DeepSets"]

WIDEST = 4096


@dataclass(frozen=True)
class DeepSets:
    """Layers that see one object and the features of the event, summed over the objects, and layers behind the sum.

    The order of the objects does not matter (arXiv:1703.06114; energy flow networks, arXiv:1810.05165).

    Args:
        width: of all layers.
        summed: numbers of each object that are summed up, by collection.
        bins: between quantiles of each feature, from 0 to 256, as ``tabular`` has them; networks of signs have none.
    """

    name: ClassVar[str] = "deep_sets"
    width: int = 64
    summed: int = 32
    bins: int = 8

    def __post_init__(self) -> None:
        require_whole(1, WIDEST, width=self.width, summed=self.summed)
        require_whole(0, MOST_BINS, bins=self.bins)

    def for_signs(self) -> DeepSets:
        """Return the network that learns signs: these fluctuate more than densities, and bins let it follow noise."""
        return replace(self, bins=0)

    def build(self, inputs: int, outputs: int, collections: Mapping[str, CollectionLayout]) -> nn.Module:
        """Return a new module (see :class:`hepneg.networks.Network`)."""
        from hepneg.networks.deep_sets_layers import DeepSetsLayers

        return DeepSetsLayers(inputs, outputs, collections, self.width, self.summed, self.bins)

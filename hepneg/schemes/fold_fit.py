"""What the training of one fold gave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from hepneg.learning.history import FoldHistory
from hepneg.networks.fold_network import FoldNetwork
from hepneg.signs.local_signs import SignReader

__all__ = ["FoldFit"]


@dataclass(frozen=True, eq=False)
class FoldFit:
    """What the training of one fold gave.

    Attributes:
        network: of the fold, on the CPU.
        history: of its label network.
        signs: gives the local mean sign as the fold's networks see it; None for a scheme that learns none.
        signs_of: what has a local mean sign of its own: each ``"sample"`` or each ``"label"``.
        negative_batches: share of the batches in which the training weights of a label sum to zero or less.
        parts: what other schemes would have taken of the same networks, by scheme.
    """

    network: FoldNetwork
    history: FoldHistory
    signs: SignReader | None = None
    negative_batches: float = 0.0
    parts: Mapping[str, FoldFit] = field(default_factory=dict)
    signs_of: str = "sample"

    def only(self, scheme: str) -> FoldFit:
        """Return the fit with the network of one of its parts alone; itself for a scheme that is none of them."""
        part = self.parts.get(scheme, self)
        return replace(self, network=part.network, history=part.history, parts={})

"""The scheme ``paired``: the signed weight goes into the loss, in batches whose sums are always positive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from hepneg._core.parameters import require_positive
from hepneg.events import EventTable
from hepneg.learning.batches import Batches, CellBatches, StratifiedBatches
from hepneg.schemes.paired_cells import nearest_cells

if TYPE_CHECKING:
    from hepneg.schemes.context import FoldContext
    from hepneg.schemes.fold_fit import FoldFit

__all__ = ["Paired"]

FLAVOURS = ("nearest", "stratified")


@dataclass(frozen=True)
class Paired:
    """Train on the signed w in batches made of cells: every negative event travels with positive ones of its label.

    Every batch has a positive Σw for each label, whatever the weights. In flavour ``nearest`` a negative event and the
    positive events that outweigh it are neighbours in feature space, so that their gradients cancel at once and not
    several batches apart; ``stratified`` only gives each batch the sample's own share of negative events.

    Args:
        flavour: ``"nearest"`` or ``"stratified"``.
        logit_bound: largest \\|logit\\|; the loss of a finite signed sample needs a bound in any batches.
        clip_norm: largest norm of the gradient.
    """

    name: ClassVar[str] = "paired"
    flavour: str = "nearest"
    logit_bound: float = 10.0
    clip_norm: float = 1.0

    def __post_init__(self) -> None:
        if self.flavour not in FLAVOURS:
            raise ValueError(f"flavour must be one of {', '.join(FLAVOURS)}, not {self.flavour!r}")
        require_positive(logit_bound=self.logit_bound, clip_norm=self.clip_norm)

    def fit(self, context: FoldContext) -> FoldFit:
        """Train the networks of one fold (see :class:`hepneg.schemes.scheme.Scheme`)."""
        events, size = context.events, context.training.batch_size
        batches: Batches
        if self.flavour == "stratified":
            batches = StratifiedBatches(events.weight, events.label, size)
        else:
            batches = CellBatches(_cells_by_label(events), events.label, size)
        return context.train(events.weight, batches=batches, logit_bound=self.logit_bound, clip_norm=self.clip_norm)


def _cells_by_label(events: EventTable) -> NDArray[np.int64]:
    cell = np.full(len(events), -1, dtype=np.int64)
    for code in np.unique(events.label):
        members = np.flatnonzero(events.label == code)
        local = nearest_cells(events.features[members], events.weight[members])
        cell[members] = np.where(local >= 0, members[local], -1)
    return cell

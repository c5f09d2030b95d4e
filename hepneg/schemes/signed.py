"""The scheme ``signed``: the signed weight goes into the loss, with guards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hepneg._core.parameters import require_positive
from hepneg.events import EventTable
from hepneg.learning.batches import StratifiedBatches
from hepneg.schemes.scheme import TrainingProblem

__all__ = ["Signed"]


@dataclass(frozen=True)
class Signed:
    """Train on the signed w: right on average; guarded, because the loss of a finite sample has no lower bound.

    An isolated event of negative weight lowers the loss for ever as its logit runs away. Three guards hold it: the
    logits are squashed into ±``logit_bound``, which bounds the loss; the batches are stratified, so that every label's
    sum is positive in each; the gradient's norm is clipped. Early stopping on the signed validation loss does the rest.

    Args:
        logit_bound: largest \\|logit\\|; 10 is a purity of 1 − 5e-5.
        clip_norm: largest norm of the gradient.
    """

    name: ClassVar[str] = "signed"
    tasks: ClassVar[tuple[str, ...]] = ("classification", "regression")
    logit_bound: float = 10.0
    clip_norm: float = 1.0

    def __post_init__(self) -> None:
        require_positive(logit_bound=self.logit_bound, clip_norm=self.clip_norm)

    def problem(self, events: EventTable, batch_size: int) -> TrainingProblem:
        """Pose the training problem (see :class:`hepneg.schemes.scheme.Scheme`)."""
        batches = StratifiedBatches(events.weight, events.label, batch_size)
        return TrainingProblem(events.weight.copy(), batches, self.logit_bound, self.clip_norm)

"""The schemes whose weights stand in the sample: \\|w\\|, w where it is positive, and the signed w."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from hepneg._core.parameters import require_positive
from hepneg.learning.batches import StratifiedBatches

if TYPE_CHECKING:
    from hepneg.schemes.context import FoldContext
    from hepneg.schemes.fold_fit import FoldFit

__all__ = ["Absolute", "Positive", "Signed"]


@dataclass(frozen=True)
class Absolute:
    """Train on \\|w\\|: the least variance; biased where the two labels' mean signs depend differently on x.

    The network learns h_1/h_0 instead of p_1/p_0, off by the factor s_0(x)/s_1(x) up to a constant. Where that ratio
    is constant no scheme does better: the variance is smaller than that of signed training by (1 − 2f)².
    """

    name: ClassVar[str] = "absolute"
    several_classes: ClassVar[bool] = True
    tasks: ClassVar[tuple[str, ...]] = ("classification", "regression")

    def fit(self, context: FoldContext) -> FoldFit:
        """Train the networks of one fold (see :class:`hepneg.schemes.scheme.Scheme`)."""
        return context.train(np.abs(context.events.weight))


@dataclass(frozen=True)
class Positive:
    """Train on the events with w > 0 alone: biased towards h(1 + s) wherever P(w > 0 | x) depends on x."""

    name: ClassVar[str] = "positive"
    several_classes: ClassVar[bool] = True
    tasks: ClassVar[tuple[str, ...]] = ("classification", "regression")

    def fit(self, context: FoldContext) -> FoldFit:
        """Train the networks of one fold (see :class:`hepneg.schemes.scheme.Scheme`)."""
        return context.train(np.maximum(context.events.weight, 0.0))


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
    several_classes: ClassVar[bool] = True
    tasks: ClassVar[tuple[str, ...]] = ("classification", "regression")
    logit_bound: float = 10.0
    clip_norm: float = 1.0

    def __post_init__(self) -> None:
        require_positive(logit_bound=self.logit_bound, clip_norm=self.clip_norm)

    def fit(self, context: FoldContext) -> FoldFit:
        """Train the networks of one fold (see :class:`hepneg.schemes.scheme.Scheme`)."""
        events = context.events
        batches = StratifiedBatches(events.weight, events.label, context.training.batch_size, events.classes)
        return context.train(events.weight, batches=batches, logit_bound=self.logit_bound, clip_norm=self.clip_norm)

"""The schemes ``mixture`` and ``signed_target``: label and sign learnt by one network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from hepneg.events import EventTable
from hepneg.learning.batches import ShuffledBatches
from hepneg.signs.sign_plan import SignPlan

if TYPE_CHECKING:
    from hepneg.objectives.rows import EventRows
    from hepneg.schemes.context import FoldContext
    from hepneg.schemes.fold_fit import FoldFit
    from hepneg.schemes.shared_network import SharedNetwork

__all__ = ["Mixture", "SignedTarget"]


@dataclass(frozen=True)
class _OneNetwork:
    """Learns label and sign by one network, and stops on its own bounded loss."""

    name: ClassVar[str]
    floor: float = 0.02

    def __post_init__(self) -> None:
        SignPlan(floor=self.floor)

    def _fit(self, context: FoldContext, kind: type[SharedNetwork]) -> FoldFit:
        from hepneg.learning.loop import Fit
        from hepneg.objectives.rows import balanced_weight, event_table
        from hepneg.objectives.validation_loss import row_validation_loss
        from hepneg.schemes.fold_fit import FoldFit
        from hepneg.signs.fit_signs import mean_sign

        context.require_plain_response(self.name)
        events = context.events
        classes = len(events.classes)
        network = kind(context.training.network.make(), events.layout, self.floor, classes)
        mean_signs = [mean_sign(events.weight[events.label == code]) for code in range(classes)]
        network.initialise(context.generator(), events.inputs, mean_signs)
        network.to(context.device)

        def rows(table: EventTable) -> EventRows:
            balanced = balanced_weight(np.abs(table.weight), table.label, classes)
            return event_table(table.inputs, table.label, table.weight > 0, balanced).to(context.device)

        batches = ShuffledBatches.several(np.abs(events.weight), context.training.batch_size)
        validation_loss = row_validation_loss(kind.loss, rows(context.validation))
        history = context.optimise(network, Fit(context.fold, rows(events), batches, validation_loss, kind.loss))
        network.cpu()
        network.set_floors(context.validation)
        network.set_norm(events)
        return FoldFit(network, history, network.read_signs)


@dataclass(frozen=True)
class Mixture(_OneNetwork):
    """Train on \\|w\\| to tell the four classes (label, sign) apart, and combine them with their signs.

    r = (p₁₊ − p₁₋)/(p₀₊ − p₀₋)·s̄₀/s̄₁: the four-class cross-entropy is bounded. The differences are noisy near 0, where
    they are floored. Of K labels there are 2K such classes.

    Args:
        floor: smallest ĝ in the logarithm; held-out events may ask for a higher floor.
    """

    name: ClassVar[str] = "mixture"
    several_classes: ClassVar[bool] = True

    def fit(self, context: FoldContext) -> FoldFit:
        """Train the networks of one fold (see :class:`hepneg.schemes.scheme.Scheme`)."""
        from hepneg.schemes.shared_network import MixtureNetwork

        return self._fit(context, MixtureNetwork)


@dataclass(frozen=True)
class SignedTarget(_OneNetwork):
    """Train on \\|w\\|, with the sign as a target: squared errors, whose minimum is a signed density.

    With t₁ = sign(w) for signal and 0 for background, and t₀ the other way round, the least Σ\\|w\\|(f − t)² at equal
    priors has f₁/f₀ = (p₁ s̄₁)/(p₀ s̄₀), of either sign: the sum is convex in f and never below 0, and unlike a
    cross-entropy it puts no bound on the sign of the outcome (arXiv:2410.10216 and 2512.19913 discuss such losses).
    :meth:`hepneg.Classifier.density_ratio` gives the ratio with its sign. A response must lie in (0, 1): for it, a
    density below ``floor`` of that of \\|w\\| is raised to that; the health report counts the share.

    Args:
        floor: smallest ĝ in the logarithm; held-out events may ask for a higher floor.
    """

    name: ClassVar[str] = "signed_target"

    def fit(self, context: FoldContext) -> FoldFit:
        """Train the networks of one fold (see :class:`hepneg.schemes.scheme.Scheme`)."""
        from hepneg.schemes.shared_network import SignedTargetNetwork

        return self._fit(context, SignedTargetNetwork)

"""The schemes ``factorised`` and ``combined``: densities of \\|w\\| and local mean signs, each learnt on its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, cast

import numpy as np

from hepneg.signs.sign_plan import SignPlan

if TYPE_CHECKING:
    from hepneg.networks.response_network import ResponseNetwork
    from hepneg.schemes.context import FoldContext
    from hepneg.schemes.fold_fit import FoldFit
    from hepneg.signs.local_signs import LocalSigns

__all__ = ["Combined", "Factorised"]


@dataclass(frozen=True)
class _SignTerms:
    """Adds the logarithm of ĝ, learnt by networks of its own, to log-odds."""

    members: int = 2
    patience: int = 4
    floor: float = 0.02

    def __post_init__(self) -> None:
        self._plan()

    def _plan(self) -> SignPlan:
        return SignPlan(self.members, self.patience, self.floor)


@dataclass(frozen=True)
class Factorised(_SignTerms):
    """Train on \\|w\\|, and add the logarithm of each label's local mean sign to the log-odds.

    r = (h₁/h₀)·(s₁/s̄₁)/(s₀/s̄₀): three bounded problems, so that the signs can be smoothed more strongly than the
    densities. Noisy where ĝ → 0, where it is floored.

    Args:
        members: sign networks in each ensemble.
        patience: epochs without a better loss before the sign networks' training stops.
        floor: smallest ĝ in the logarithm; held-out events may ask for a higher floor.
    """

    name: ClassVar[str] = "factorised"
    several_classes: ClassVar[bool] = True

    def fit(self, context: FoldContext) -> FoldFit:
        """Train the networks of one fold (see :class:`hepneg.schemes.scheme.Scheme`)."""
        context.require_plain_response(self.name)
        signs = context.train_signs("label", self._plan())
        return _factorised(context, signs, self.floor, share=1.0)


@dataclass(frozen=True)
class Combined(_SignTerms):
    """Train on \\|w\\| with sign terms and on \\|w\\|·max(ĝ, 0), and take the mean of the two log-odds.

    The two share their sign networks but not their faults: sign terms are noisy where ĝ → 0, and refined weights
    leave few effective events where ĝ varies much.

    Args:
        members: sign networks in each ensemble.
        patience: epochs without a better loss before the sign networks' training stops.
        floor: smallest ĝ in the logarithm; held-out events may ask for a higher floor.
    """

    name: ClassVar[str] = "combined"
    several_classes: ClassVar[bool] = True

    def fit(self, context: FoldContext) -> FoldFit:
        """Train the networks of one fold (see :class:`hepneg.schemes.scheme.Scheme`)."""
        from hepneg.schemes.term_networks import MeanNetwork

        context.require_plain_response(self.name)
        by_label = context.train_signs("label", self._plan())
        factorised = _factorised(context, by_label, self.floor, share=0.5)
        by_sample = by_label.of_samples(context.seen) or context.train_signs("sample", self._plan())
        refined = context.train_refined(context.reader(by_sample), share=0.5)
        mean = MeanNetwork([factorised.network, refined.network])
        parts = {**factorised.parts, "factorised": factorised, "refined": refined}
        combined = replace(factorised, network=mean, parts={})
        return replace(combined, parts={**parts, "combined": combined})


def _factorised(context: FoldContext, signs: LocalSigns, floor: float, share: float) -> FoldFit:
    """Train the label network on \\|w\\|, and add sign terms to it; alone it is what ``absolute`` would have taken."""
    from hepneg.schemes.term_networks import FactorisedNetwork

    absolute = context.train(
        np.abs(context.events.weight), validation_weight=np.abs(context.validation.weight), share=share
    )
    network = FactorisedNetwork(cast("ResponseNetwork", absolute.network), signs.networks, floor)
    network.set_norm(signs.read(context.seen, False), context.seen)
    return replace(
        absolute, network=network.cpu(), signs=signs.cpu().read, signs_of="label", parts={"absolute": absolute}
    )

"""The scheme ``refined``: every weight replaced by what its neighbourhood says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from hepneg.signs.refined_weight import LEAST_SIGN
from hepneg.signs.sign_plan import SignPlan

if TYPE_CHECKING:
    from hepneg.schemes.context import FoldContext
    from hepneg.schemes.fold_fit import FoldFit

__all__ = ["Refined"]


@dataclass(frozen=True)
class Refined:
    """Train on \\|w\\|·max(ĝ, 0): the local mean sign ĝ, learnt separately, takes the place of the event's own sign.

    The idea is that of neural refinement (Nachman, Thaler, arXiv:2505.03724). Weights are non-negative and keep the
    density, as far as ĝ converges; regions of truly negative density are clipped. Each sample has its own ĝ and keeps
    its Σw; where Σw of a sample is not significantly positive, as that of interference terms, all samples of its label
    are taken as one (:mod:`hepneg.signs.pooling`). :func:`hepneg.refine` bends the same ĝ by a curve over the held-out
    events of all folds: better calibrated, and worth nothing to a classifier (analysis/ttbar_wjets/curve.py).

    Args:
        members: sign networks in each ensemble.
        patience: epochs without a better loss before the sign networks' training stops.
    """

    name: ClassVar[str] = "refined"
    several_classes: ClassVar[bool] = True
    tasks: ClassVar[tuple[str, ...]] = ("classification", "regression")
    members: int = 2
    patience: int = 4

    def __post_init__(self) -> None:
        self._plan()

    def _plan(self) -> SignPlan:
        return SignPlan(self.members, self.patience, LEAST_SIGN)

    def fit(self, context: FoldContext) -> FoldFit:
        """Train the networks of one fold (see :class:`hepneg.schemes.scheme.Scheme`)."""
        signs = context.train_signs("sample", self._plan())
        fit = context.train_refined(context.reader(signs))
        signs.cpu()
        return fit

"""The scheme ``auto``: train what ``combined`` is made of, and keep what held-out events speak for."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from hepneg.errors import HepnegWarning
from hepneg.events import EventTable
from hepneg.schemes.choice import choose
from hepneg.schemes.sign_terms import Combined

if TYPE_CHECKING:
    from hepneg.schemes.context import FoldContext
    from hepneg.schemes.crossfit import CrossFit
    from hepneg.schemes.fold_fit import FoldFit

__all__ = ["Auto"]


@dataclass(frozen=True)
class Auto(Combined):
    """Train on \\|w\\| and on \\|w\\|·max(ĝ, 0), as ``combined`` does, and keep what held-out events speak for.

    That may be ``absolute``, ``refined``, ``factorised`` or ``combined``, which are made of the same networks.
    :func:`hepneg.schemes.choice.choose` says how the choice is made; the classifier keeps the networks of the chosen
    scheme alone, with the reason. Without negative weights only ``absolute`` is trained.

    Args:
        members: sign networks in each ensemble.
        patience: epochs without a better loss before the sign networks' training stops.
        floor: smallest ĝ in the logarithm; held-out events may ask for a higher floor.
    """

    name: ClassVar[str] = "auto"
    several_classes: ClassVar[bool] = True

    def fit(self, context: FoldContext) -> FoldFit:
        """Train the networks of one fold (see :class:`hepneg.schemes.scheme.Scheme`)."""
        if (context.events.weight < 0).any():
            return super().fit(context)
        return context.train(np.abs(context.events.weight))

    def finish(self, events: EventTable, fits: CrossFit) -> CrossFit:
        """Keep the networks of the scheme that the held-out events of all folds speak for.

        Raises:
            TrainingError: no candidate gives finite log-odds.
        """
        logits = fits.held_out_logits(events)
        sign, raw = (fits.signs.sign, fits.signs.raw) if logits and fits.signs else (None, None)
        choice = choose(events, logits, sign, raw, differs=lambda: _difference_of_shapes(events))
        return fits.only(choice.scheme, choice.to_dict(), logits.get(choice.scheme))


def _difference_of_shapes(events: EventTable) -> str:
    """Say which sample's shapes the shape check calls different between the signs, and why; empty for none."""
    from hepneg.shapes import check_shapes

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HepnegWarning)  # of samples that cannot be checked
        report = check_shapes(events)
    reasons = [f"in {name} {one.reason}" for name, one in report.samples.items() if one.verdict == "different"]
    return "the shape check sees a dependence: " + "; ".join(reasons) if reasons else ""

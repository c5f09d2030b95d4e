"""The scheme ``refined``: every weight replaced by what its neighbourhood says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hepneg.events import EventTable
from hepneg.schemes.scheme import SignPlan
from hepneg.schemes.sign_networks import SignScheme

__all__ = ["Refined", "clipped", "refined_weight", "sum_factors"]


LEAST_SIGN = 1e-3
"""Smallest local mean sign: refined weights are never quite zero."""


@dataclass(frozen=True)
class Refined(SignScheme):
    """Train on \\|w\\|·max(ĝ, 0): the local mean sign ĝ, learnt separately, takes the place of the event's own sign.

    The idea is that of neural refinement (Nachman, Thaler, arXiv:2505.03724). Weights are non-negative and keep the
    density, as far as ĝ converges; regions of truly negative density are clipped. Each sample has its own ĝ and keeps
    its Σw; where Σw of a sample is not significantly positive, as that of interference terms, all samples of its label
    are taken as one (:mod:`hepneg.signs.pooling`).

    Args:
        members: sign networks in each ensemble.
        patience: epochs without a better loss before the sign networks' training stops.
    """

    name: ClassVar[str] = "refined"
    tasks: ClassVar[tuple[str, ...]] = ("classification", "regression")
    members: int = 2
    patience: int = 4

    def _plan(self) -> SignPlan:
        return SignPlan("weights", self.members, self.patience, LEAST_SIGN)


def refined_weight(events: EventTable, sign: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return \\|w\\|·max(ĝ, 0), scaled to the Σw of each sample, (n,).

    Args:
        events: n signed events.
        sign: ĝ of each event, (n,).
    """
    return np.asarray(clipped(events, sign) * sum_factors(events, sign)[events.sample])


def clipped(events: EventTable, sign: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return \\|w\\|·max(ĝ, 0), (n,)."""
    return np.asarray(np.abs(events.weight) * np.maximum(sign, 0.0))


def sum_factors(events: EventTable, sign: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Σw / Σ\\|w\\|max(ĝ, 0) of each sample, (samples,); 0 where one of the two sums is not positive."""
    count = len(events.sample_names)
    wanted = np.bincount(events.sample, weights=events.weight, minlength=count)
    found = np.bincount(events.sample, weights=clipped(events, sign), minlength=count)
    usable = (wanted > 0) & (found > 0)
    return np.where(usable, wanted / np.where(usable, found, 1.0), 0.0)

"""How well a local mean sign ĝ describes the signs that events have: residuals of w against |w|ĝ, binned.

Signed and refined weights belong to the same events, so their difference fluctuates with the signs alone: given x and
\\|w\\|, the variance of w is w²(1 − ĝ²). Treating the two as independent samples would overstate the errors. What ĝ
itself is uncertain by adds to that where several ensembles tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepneg._core.estimate import Estimate
from hepneg.events import EventTable
from hepneg.metrics.negative_share import NegativeShare, negative_share

__all__ = ["Agreement", "SignClosure", "sign_closure"]

BINS = 10

Float = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Agreement:
    """χ² of a binned residual and its degrees of freedom: the bins but one, as the sums are made equal.

    Attributes:
        chi2: of the residuals.
        ndf: degrees of freedom.
        edges: inner edges of the bins, which hold equal numbers of events.
        closure: Σ|w|ĝ / Σw of each bin, before the sums are made equal, with the error that it has from the signs.
    """

    chi2: float
    ndf: int
    edges: tuple[float, ...]
    closure: tuple[Estimate, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the test, and the bins as lists."""
        return {
            "chi2": self.chi2,
            "ndf": self.ndf,
            "edges": self.edges,
            "closure": [ratio.value for ratio in self.closure],
            "closure_error": [ratio.error for ratio in self.closure],
        }


@dataclass(frozen=True)
class SignClosure:
    """What a sign network does to the events of one sample.

    Attributes:
        clipped: the events where ĝ as learnt is < 0: the density is negative there, or nearly zero. Non-negative
            weights lose their Σw.
        floored_share: share of Σ|w| where ĝ as learnt is below its floor.
        inclusive: Σ|w|ĝ / Σw, and the error that it has from the signs.
        calibration: signs against ĝ in bins of ĝ, with Σ|w|ĝ scaled to Σw.
        features: signed against refined distribution of each feature, likewise.
    """

    clipped: NegativeShare
    floored_share: float
    inclusive: Estimate
    calibration: Agreement
    features: Mapping[str, Agreement]

    @property
    def clipped_share(self) -> float:
        """Share of Σ|w| where ĝ as learnt is < 0."""
        return self.clipped.share

    def to_dict(self) -> dict[str, Any]:
        """Return the closure as plain numbers."""
        return {
            "clipped_share": self.clipped.share,
            "clipped_sum": self.clipped.sum_weights.value,
            "clipped_sum_error": self.clipped.sum_weights.error,
            "clipped_p_value": self.clipped.p_value,
            "floored_share": self.floored_share,
            "inclusive": self.inclusive.value,
            "inclusive_error": self.inclusive.error,
            "calibration": self.calibration.to_dict(),
            "features": {name: agreement.to_dict() for name, agreement in self.features.items()},
        }


def sign_closure(events: EventTable, sign: Float, raw: Float, ensembles: Float | None = None) -> dict[str, SignClosure]:
    """Compare the signs of events with their local mean sign, sample by sample.

    Args:
        events: n signed events.
        sign: ĝ of each event by networks that have not seen it, (n,).
        raw: the same without its floor, (n,).
        ensembles: ĝ of each event by each of K ensembles, (n, K). The variance of a bin's content over them, at equal
            sums, joins the errors of the χ². They share most of their events, so that it is a rough measure. Left out,
            the χ² knows the fluctuation of the signs alone.

    Returns:
        By name of the sample; samples without events or without weight are left out.
    """
    found = {}
    each = sign[:, None] if ensembles is None else ensembles
    for code, name in enumerate(events.sample_names):
        members = np.flatnonzero((events.sample == code) & (events.weight != 0))
        if len(members):
            found[name] = _of_sample(events.select(members), sign[members], raw[members], each[members])
    return found


def _of_sample(events: EventTable, sign: Float, raw: Float, ensembles: Float) -> SignClosure:
    size = np.abs(events.weight)
    variance = size**2 * np.maximum(1 - sign**2, 0.0)
    total, refined = float(events.weight.sum()), float((size * sign).sum())
    ratio = refined / total if total else float("nan")
    scale = ratio if total > 0 and refined > 0 else 1.0
    each = _at_equal_sums(size[:, None] * ensembles, refined / scale)
    binned = _Binned(events.weight, size * sign, scale, variance, each)
    return SignClosure(
        clipped=negative_share(events.weight, raw < 0, events.clusters(), folds=max(2, ensembles.shape[1])),
        floored_share=float(size[raw < sign].sum() / size.sum()),
        inclusive=Estimate(ratio, float(np.sqrt(variance.sum())) / abs(total) if total else float("nan")),
        calibration=binned.agreement(sign),
        features={name: binned.agreement(events.feature(name).astype(np.float64)) for name in events.feature_names},
    )


def _at_equal_sums(refined: Float, total: float) -> Float:
    """Scale each column to the sum ``total``."""
    sums = refined.sum(axis=0)
    return np.asarray(refined * np.where(sums > 0, total / np.where(sums > 0, sums, 1.0), 1.0))


@dataclass(frozen=True, eq=False)
class _Binned:
    """w, |w|ĝ, the variance of w from its sign, (n,) each, and the refined weights of the ensembles, (n, K)."""

    weight: Float
    refined: Float
    scale: float
    variance: Float
    ensembles: Float

    def agreement(self, axis: Float) -> Agreement:
        """Compare w with |w|ĝ in bins of equal numbers of events; a bin without fluctuation cannot be tested."""
        edges = np.unique(np.quantile(axis, np.linspace(0, 1, BINS + 1)[1:-1]))
        place = np.searchsorted(edges, axis, side="right")

        def filled(column: Float) -> Float:
            return np.asarray(np.bincount(place, weights=column, minlength=len(edges) + 1), dtype=np.float64)

        signed, learnt, noise = (filled(column) for column in (self.weight, self.refined, self.variance))
        spread = np.stack([filled(one) for one in self.ensembles.T])
        expected = noise + (spread.var(axis=0, ddof=1) if len(spread) > 1 else 0.0)
        tested = expected > 0
        chi2 = float(((signed - learnt / self.scale)[tested] ** 2 / expected[tested]).sum())
        known = np.where(signed == 0, np.nan, signed)
        ratios = zip((learnt / known).tolist(), (np.sqrt(noise) / np.abs(known)).tolist(), strict=True)
        closure = tuple(Estimate(*ratio) for ratio in ratios)
        return Agreement(chi2, max(0, int(tested.sum()) - 1), tuple(edges.tolist()), closure)

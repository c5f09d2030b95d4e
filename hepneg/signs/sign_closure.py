"""How well a local mean sign ĝ describes the signs that events have: residuals of w against |w|ĝ, binned.

Signed and refined weights belong to the same events, so their difference fluctuates with the signs alone: given x and
\\|w\\|, the variance of w is w²(1 − ĝ²), and candidates of one event share their sign. Treating the two as independent
samples would overstate the errors. What ĝ itself is uncertain by adds to that where several ensembles tell.

In cross-validation the sums are made equal within each fold: ĝ of a fold is learnt from the others, so where the mean
sign of a fold is high by chance its ĝ is low. Taken over all folds, in bins of ĝ, that alone gives χ²/ndf of 2.3 for
two folds and 1.5 for five where nothing is wrong (analysis/closure/health.py has the rates as they are).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepneg._core.estimate import Estimate
from hepneg.events import EventTable, cluster_squares, cluster_sums
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


def sign_closure(
    events: EventTable,
    sign: Float,
    raw: Float,
    ensembles: Float | None = None,
    fold_of: NDArray[np.integer] | None = None,
) -> dict[str, SignClosure]:
    """Compare the signs of events with their local mean sign, sample by sample.

    Args:
        events: n signed events.
        sign: ĝ of each event by networks that have not seen it, (n,).
        raw: the same without its floor, (n,).
        ensembles: ĝ of each event by the ensemble of each of K folds, (n, K). What a bin's content varies by over
            them, at equal sums, joins the errors of the χ², added up over the folds linearly: where a fold's ĝ is too
            steep, its own events are the ones that show it. They share most of their events, so that it is a rough
            measure. Left out, the χ² knows the fluctuation of the signs alone.
        fold_of: the fold of each event, (n,); left out, all are of one.

    Returns:
        By name of the sample; samples without events or without weight are left out.
    """
    found = {}
    each = sign[:, None] if ensembles is None else ensembles
    folds = np.zeros(len(events), dtype=np.int64) if fold_of is None else fold_of
    for code, name in enumerate(events.sample_names):
        members = np.flatnonzero((events.sample == code) & (events.weight != 0))
        if len(members):
            found[name] = _of_sample(
                events.select(members), sign[members], raw[members], each[members], folds[members].astype(np.intp)
            )
    return found


def _of_sample(events: EventTable, sign: Float, raw: Float, ensembles: Float, fold: NDArray[np.intp]) -> SignClosure:
    size, cluster = np.abs(events.weight), events.clusters()
    noise = size * np.sqrt(np.maximum(1 - sign**2, 0.0))
    total, refined = float(events.weight.sum()), float((size * sign).sum())
    ratio = refined / total if total else float("nan")
    error = float(np.sqrt(np.sum(cluster_sums(noise, cluster) ** 2)))
    own = _at_equal_sums(size[:, None] * sign[:, None], events.weight, fold)[:, 0]
    each = _at_equal_sums(size[:, None] * ensembles, events.weight, fold)
    binned = _Binned(events.weight, size * sign, own, noise, each, fold, cluster)
    return SignClosure(
        floored_share=float(size[raw < sign].sum() / size.sum()),
        inclusive=Estimate(ratio, error / abs(total) if total else float("nan")),
        calibration=binned.agreement(sign, by_fold=True),
        features={name: binned.agreement(events.feature(name).astype(np.float64)) for name in events.feature_names},
        clipped=negative_share(events.weight, raw < 0, cluster, folds=max(2, ensembles.shape[1])),
    )


def _at_equal_sums(refined: Float, weight: Float, fold: NDArray[np.intp]) -> Float:
    """Scale each column, (n, K), to Σw within each fold, where both sums are positive."""
    wanted = np.bincount(fold, weight)
    sums = np.stack([np.bincount(fold, column) for column in refined.T], axis=1)
    usable = (sums > 0) & (wanted[:, None] > 0)
    return np.asarray(refined * np.where(usable, wanted[:, None] / np.where(usable, sums, 1.0), 1.0)[fold])


@dataclass(frozen=True, eq=False)
class _Binned:
    """The columns of one sample's events.

    Attributes:
        weight: w, (n,).
        refined: \\|w\\|ĝ, (n,).
        scaled: the same at equal sums, (n,).
        noise: what w fluctuates by from its sign, (n,).
        ensembles: refined weights of each ensemble at equal sums, (n, K).
        fold: (n,).
        cluster: (n,) the event of each row; None where each row is an event of its own.
    """

    weight: Float
    refined: Float
    scaled: Float
    noise: Float
    ensembles: Float
    fold: NDArray[np.intp]
    cluster: NDArray[np.intp] | None

    def agreement(self, axis: Float, *, by_fold: bool = False) -> Agreement:
        """Compare w with |w|ĝ in bins of equal numbers of events; a bin without fluctuation cannot be tested.

        With ``by_fold`` each fold is cut by quantiles of its own, as where the axis is ĝ.
        """
        levels = np.linspace(0, 1, BINS + 1)[1:-1]
        edges = np.unique(np.quantile(axis, levels))
        bins = len(edges) + 1
        place = np.searchsorted(edges, axis, side="right")
        if by_fold and self.fold.any():
            bins = BINS
            for fold in np.unique(self.fold).tolist():
                own = self.fold == fold
                place[own] = np.searchsorted(np.quantile(axis[own], levels), axis[own], side="right")

        def filled(column: Float) -> Float:
            return np.asarray(np.bincount(place, weights=column, minlength=bins), dtype=np.float64)

        signed, learnt, scaled = (filled(column) for column in (self.weight, self.refined, self.scaled))
        noise = cluster_squares(self.noise, place, bins, self.cluster)
        expected = noise + self._spread(place, bins) ** 2
        tested = expected > 0
        chi2 = float(((signed - scaled)[tested] ** 2 / expected[tested]).sum())
        known = np.where(signed == 0, np.nan, signed)
        ratios = zip((learnt / known).tolist(), (np.sqrt(noise) / np.abs(known)).tolist(), strict=True)
        closure = tuple(Estimate(*ratio) for ratio in ratios)
        return Agreement(chi2, max(0, int(tested.sum()) - 1), tuple(edges.tolist()), closure)

    def _spread(self, place: NDArray[np.intp], bins: int) -> Float:
        """Return the standard deviation of each bin's content over the ensembles, (bins,), the folds' added up."""
        if self.ensembles.shape[1] < 2:
            return np.zeros(bins)
        folds = int(self.fold.max(initial=0)) + 1
        cell = self.fold * bins + place
        sums = np.stack([np.bincount(cell, column, folds * bins) for column in self.ensembles.T])
        return np.asarray(sums.std(axis=0, ddof=1).reshape(folds, bins).sum(axis=0))

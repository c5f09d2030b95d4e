"""The difference between the shapes of the two signs in one feature: what every test statistic is a function of.

The events themselves, permutations of them and draws of normal fluctuations all come as :class:`Differences`, so one
set of them gives the joint null distribution of all tests.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from hepneg.binning.rebin import LEAST_EFFECTIVE, comparison_starts, statistic_starts
from hepneg.binning.signed_bins import NEGATIVE, SignedBins
from hepneg.shapes.shape_tests.normal_moments import NormalMoments

__all__ = ["CommonBins", "Differences", "observed_gap", "standardised_gap", "weighted_sum"]

Floats = NDArray[np.float64]


def standardised_gap(total: Floats, part: Floats, square_total: float | Floats, square_part: Floats) -> Floats:
    """Return the difference of the two normalised shapes in units of its scale under no difference.

    Args:
        total: Σ|w| of both signs in each bin, (B,) or (P, B).
        part: Σ|w| of one sign in each bin, (P, B).
        square_total: Σw² of all events.
        square_part: Σw² of that sign, (P,).

    Returns:
        (part − rest)/√(1/n_eff(part) + 1/n_eff(rest)), each normalised to 1, (P, B).

    So studentised, a permutation test holds for large samples also where |w| itself depends on the sign (Janssen, Stat.
    Probab. Lett. 36 (1997) 9).
    """
    of_part = part.sum(axis=1)
    of_rest = total.sum(axis=-1) - of_part
    scale = np.sqrt(square_part / of_part**2 + (square_total - square_part) / of_rest**2)
    gap = part * ((1.0 / of_part + 1.0 / of_rest) / scale)[:, None]
    gap -= total * (1.0 / (of_rest * scale))[:, None]
    return np.asarray(gap)


def observed_gap(bins: SignedBins) -> Floats:
    """Return the standardised difference, negative less positive, of events in bins, (1, B)."""
    square = bins.square.sum(axis=1)
    return standardised_gap(bins.total, bins.magnitude[NEGATIVE:], float(square.sum()), square[NEGATIVE:])


def weighted_sum(values: Floats, weights: Floats) -> Floats:
    """Return Σ values · weights over the bins, (P,).

    Args:
        values: (P, B).
        weights: (B,), or (P, B) where they differ between the permutations.
    """
    return np.asarray(values @ weights if weights.ndim == 1 else np.einsum("pb,pb->p", values, weights))


@dataclass(frozen=True, eq=False)
class CommonBins:
    """The bins of one feature, and what both signs together have in them.

    Attributes:
        starts: the first fine bin of each bin, (B,).
        total: Σ|w| in each bin, none empty: (B,), or (P, B) where permutations change it.
        square: Σw², of the same shape.
        first: the first bin of each coarse bin, those of the χ², (C,).
    """

    starts: NDArray[np.intp]
    total: Floats
    square: Floats
    first: NDArray[np.intp]

    @classmethod
    def of(cls, bins: SignedBins) -> Self:
        """Choose the bins, blind to where each sign sits, from fine bins with events of both signs."""
        comparison = comparison_starts(bins)
        return cls._chosen(bins, statistic_starts(bins.total, comparison), comparison)

    @classmethod
    def by_counts(cls, bins: SignedBins) -> Self:
        """Choose the bins by numbers of events, not Σ|w|, so that no permutation of the weights changes them."""
        counted = replace(bins, magnitude=bins.count.astype(np.float64), square=bins.count.astype(np.float64))
        events_per_effective = counted.total.sum() * bins.square.sum() / bins.total.sum() ** 2
        comparison = comparison_starts(counted, least=LEAST_EFFECTIVE * float(events_per_effective))
        return cls._chosen(bins, statistic_starts(counted.total, comparison), comparison)

    @classmethod
    def _chosen(cls, bins: SignedBins, starts: NDArray[np.intp], comparison: NDArray[np.intp]) -> Self:
        total, square = (np.add.reduceat(part, starts) for part in (bins.total, bins.square.sum(axis=0)))
        return cls(starts, total, square, np.searchsorted(starts, comparison))

    def __len__(self) -> int:
        return len(self.starts)

    @cached_property
    def content(self) -> Floats:
        """Share of Σ|w| in each bin."""
        return np.asarray(self.total / self.total.sum(axis=-1, keepdims=True))

    @cached_property
    def moments(self) -> NormalMoments:
        """The moments of the normal scores and their covariance."""
        return NormalMoments.of(self.total, self.square)


@dataclass(frozen=True, eq=False)
class Differences:
    """Standardised differences of the shapes of the two signs, of P permutations or draws.

    Attributes:
        gap: negative less positive in each bin, each shape normalised, over its scale under no difference, (P, B).
        bins: the bins.
    """

    gap: Floats
    bins: CommonBins

    @cached_property
    def cumulative(self) -> Floats:
        """Σ gap up to the end of each bin but the last, (P, B − 1)."""
        return np.asarray(np.cumsum(self.gap, axis=1)[:, :-1])

    @cached_property
    def moments(self) -> Floats:
        """The standardised moments of the normal scores, (k, P), k ≤ 4: uncorrelated under no difference."""
        return self.bins.moments.components(self.gap)

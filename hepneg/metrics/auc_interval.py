"""A confidence interval of the area under the ROC curve that holds where Σw is barely significant."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from hepneg.events import clustering, excess
from hepneg.metrics.auc import area_and_placements
from hepneg.metrics.intervals import Interval, chi2_quantile
from hepneg.metrics.scored import ScoredEvents, scored_events

__all__ = ["auc_interval", "auc_interval_of"]

_ROUNDING = 1e-9


def auc_interval(score: ArrayLike, label: ArrayLike, weight: ArrayLike, *, level: float = 0.6827) -> Interval:
    """Return a confidence interval of the area under the ROC curve.

    It holds all areas a for which T(a) = Σᵢⱼ wᵢwⱼ(kᵢⱼ − a), a sum over pairs of a signal and a background event with
    the kernel kᵢⱼ of :func:`~hepneg.metrics.auc`, is compatible with 0: T² ≤ z²V. V is the unbiased variance of T at a,
    that of each event with the other label as measured, less what counts the fluctuations of both labels at once twice:

    V(a) = Σᵢ wᵢ²(Σⱼ wⱼ(kᵢⱼ − a))² + Σⱼ wⱼ²(Σᵢ wᵢ(kᵢⱼ − a))² − Σᵢⱼ wᵢ²wⱼ²(kᵢⱼ − a)²

    So no small sum of weights is divided by (Fieller, J. R. Stat. Soc. B 16 (1954) 175). Far from zero the interval is
    that of the symmetric error.

    Args:
        score: (n,), higher for signal; only its order matters.
        label: (n,) of 0 and 1.
        weight: (n,) signed weights.
        level: between 0 and 1.

    Returns:
        The interval, kept within [0, 1]: from the lowest to the highest area that agrees with the events, a single
        point where none does.

    Raises:
        DataError: unusable columns, or a label with Σw ≤ 0.
        ValueError: the level is not between 0 and 1.

    Measured coverage at f = 0.45 with 500 events of each label (Σw some two standard deviations from zero): 66 % and 97
    % to 99 % at nominal 68 % and 95 %, where the symmetric error covers 84 % and 99.5 %.
    """
    return auc_interval_of(scored_events(score, label, weight), level=level)


def auc_interval_of(events: ScoredEvents, *, level: float = 0.6827) -> Interval:
    """Return a confidence interval of the area under the ROC curve of scored events; see :func:`auc_interval`.

    Raises:
        DataError: a label with Σw ≤ 0.
        ValueError: the level is not between 0 and 1.
    """
    moments = _Moments.of(events)
    low, high = moments.solutions(chi2_quantile(level))
    return Interval(low, high, level)


@dataclass(frozen=True, slots=True)
class _Moments:
    """V(a)/(W₁W₀)² = square − 2·cross·a + inverse·a², and the area."""

    area: float
    square: float
    cross: float
    inverse: float

    @classmethod
    def of(cls, events: ScoredEvents) -> Self:
        area, placement = area_and_placements(events)
        squares, placed = events.share**2, events.share * placement
        codes, share = events.cluster, events.share
        sums = [float(squares[mask].sum()) for mask in (events.signal, ~events.signal)]
        # The same kernel with squared weights: its square is itself less a quarter of the ties.
        pairs, tied = sums[0] * sums[1], events.ranks.tied(squares)
        kernel = float(squares[events.signal] @ events.ranks.placement(squares)[events.signal])
        # What is counted twice is small, and for candidates of one event taken in proportion.
        twice = _clustering(events)
        return cls(
            area=area,
            square=float(squares @ placement**2) + excess(placed, placed, codes) - twice * (kernel - 0.25 * tied),
            cross=float(squares @ placement) + excess(placed, share, codes) - twice * kernel,
            inverse=sum(sums) + excess(share, share, codes) - twice * pairs,
        )

    def solutions(self, chi2: float) -> tuple[float, float]:
        """Return the lowest and the highest a in [0, 1] with T² ≤ χ²V."""
        leading, linear = 1.0 - chi2 * self.inverse, self.area - chi2 * self.cross
        constant = self.area**2 - chi2 * self.square
        root = math.sqrt(max(linear**2 - leading * constant, 0.0))
        ends = [(linear + side * root) / leading for side in (-1, 1)] if leading else []
        areas = np.array([a for a in (0.0, 1.0, *ends) if 0.0 <= a <= 1.0])
        agrees = areas[leading * areas**2 - 2.0 * linear * areas + constant <= _ROUNDING]
        if not len(agrees):
            point = min(max(self.area, 0.0), 1.0)
            return point, point
        return float(agrees.min()), float(agrees.max())


def _clustering(events: ScoredEvents) -> float:
    """Return by how much the product of both labels' Σs² grows where rows of one event are added up before."""
    if events.cluster is None:
        return 1.0
    parts = (np.where(mask, events.share, 0.0) for mask in (events.signal, ~events.signal))
    return math.prod(clustering(part, events.cluster) for part in parts)

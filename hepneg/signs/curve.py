"""What held-out events of all folds say about learnt local mean signs together: a curve from learnt to true ones.

A sign network knows a few thousand held-out events and can correct a slope with them. The folds together have every
event held out once, enough to see where ĝ bends away from the signs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hepneg._core.linear_spline import IDENTITY, LinearSpline, fit_logistic_spline
from hepneg.events import EventTable
from hepneg.signs.local_signs import LocalSigns, held_out_sign

__all__ = ["SignCurve", "best_curve", "straightened"]

_LIMIT = 0.9999  # of |ĝ|: beyond, its log-odds are rounding
_KNOTS = 8  # inner knots, at quantiles
_ENDS = (0.01, 0.99)  # quantiles of the outer ones
# Standard deviations about the identity of offset and slope, and of the change of slope at each knot: wide enough for
# what is seen, narrow enough that a few thousand events make no steps.
_PRIOR, _PRIOR_OF_KINKS = 1.0, 0.25
_FEWEST = 50.0  # effective events of a sign: fewer bend nothing
_CELLS = 4096  # more events are added up in cells of ĝ, so many that lines hardly bend within one

Float = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SignCurve:
    """From the log-odds of w > 0 that ĝ says to better ones; never falling.

    Attributes:
        spline: of log-odds.
    """

    spline: LinearSpline = IDENTITY

    def __call__(self, sign: Float) -> Float:
        """Return the corrected local mean sign, (n,), from the learnt one, (n,)."""
        return np.asarray(np.tanh(0.5 * self.spline(_log_odds(sign))))


def best_curve(learnt: Float, weight: Float) -> SignCurve:
    """Fit the curve to signs: a logistic regression on a linear spline, tied to the identity where events tell little.

    Args:
        learnt: ĝ of events that its networks have not seen, (n,).
        weight: signed, (n,).

    Returns:
        The curve; the identity where there are too few events or only one sign.
    """
    size = np.abs(weight)
    effective = size * (size.sum() / (size @ size)) if size.any() else size
    if min(effective[weight > 0].sum(), effective[weight < 0].sum()) < _FEWEST:
        return SignCurve()
    z = _log_odds(learnt)
    centre = float(_log_odds(weight.sum() / size.sum()))
    knots = np.unique(np.quantile(z, np.linspace(*_ENDS, _KNOTS + 2)))
    if len(knots) < 2:
        knots = knots[0] + np.array([-1.0, 1.0])  # the same ĝ everywhere: there is an offset to find
    cells, positive, both = _in_cells(z, effective * (weight > 0), effective)
    return SignCurve(
        fit_logistic_spline(cells, positive, both, knots, centre=centre, prior=_PRIOR, prior_of_kinks=_PRIOR_OF_KINKS)
    )


def straightened(
    signs: Sequence[LocalSigns], events: EventTable, fold_of: NDArray[np.integer]
) -> tuple[LocalSigns, ...]:
    """Give the signs of each fold a curve for each sample, fitted to the events of the *other* folds.

    Networks that the others were read from have seen the events that the curve is for; of that, ten parameters carry
    next to nothing.

    Args:
        signs: of each fold, by sample.
        events: what they were learnt from.
        fold_of: the fold of each event, (n,).
    """
    learnt = held_out_sign([local.read for local in signs], events, fold_of, raw=True)
    corrected = []
    for fold, local in enumerate(signs):
        groups = {group: np.flatnonzero((events.sample == group) & (fold_of != fold)) for group in local.networks}
        curves = {group: best_curve(learnt[used], events.weight[used]) for group, used in groups.items()}
        corrected.append(replace(local, curves=curves))
    return tuple(corrected)


def _in_cells(z: Float, positive: Float, both: Float) -> tuple[Float, Float, Float]:
    """Return mean log-odds and the sums of both columns in cells of equal numbers of events, without empty ones."""
    if len(z) <= _CELLS:
        return z, positive, both
    place = np.searchsorted(np.quantile(z, np.linspace(0, 1, _CELLS + 1)[1:-1]), z, side="right")

    def summed(column: Float) -> Float:
        return np.asarray(np.bincount(place, weights=column, minlength=_CELLS), dtype=np.float64)

    of_z, of_positive, of_both = summed(both * z), summed(positive), summed(both)
    filled = of_both > 0
    return of_z[filled] / of_both[filled], of_positive[filled], of_both[filled]


def _log_odds(sign: Float | float) -> Float:
    return np.asarray(2 * np.arctanh(np.clip(sign, -_LIMIT, _LIMIT)))

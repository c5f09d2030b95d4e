"""What held-out events of all folds say about learnt local mean signs together: a curve from learnt to true ones.

A sign network knows a few thousand held-out events and can correct a slope with them. The folds together have every
event held out once, enough to see where ĝ bends away from the signs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hepneg.events import EventTable
from hepneg.learning.signs import LocalSigns

__all__ = ["SignCurve", "best_curve", "straightened"]

_LIMIT = 0.9999  # of |ĝ|: beyond, its log-odds are rounding
_PRIOR = 1.0  # standard deviation of the three parameters about the identity
_FEWEST = 50.0  # effective events: fewer bend nothing
_STEPS = 50

Float = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SignCurve:
    """A parabola between log-odds of w > 0: centre + offset + slope·d + bend·d² with d = z − centre, z those of ĝ.

    Constant beyond its vertex, so that it never falls.
    """

    centre: float
    offset: float
    slope: float
    bend: float

    def __call__(self, sign: Float) -> Float:
        """Return the corrected local mean sign, (n,), from the learnt one, (n,)."""
        d = _log_odds(sign) - self.centre
        if self.bend:
            vertex = -self.slope / (2 * self.bend)
            d = np.maximum(d, vertex) if self.bend > 0 else np.minimum(d, vertex)
        return np.asarray(np.tanh(0.5 * (self.centre + self.offset + d * (self.slope + self.bend * d))))


def best_curve(learnt: Float, weight: Float) -> SignCurve:
    """Fit the curve to signs by maximum likelihood, each parameter within some 1 of the identity.

    Args:
        learnt: ĝ of events that its networks have not seen, (n,).
        weight: signed, (n,).

    Returns:
        The curve: the identity where there are too few events or only one sign, the mean sign where the fit would fall
        with ĝ.
    """
    size = np.abs(weight)
    effective = size * (size.sum() / (size @ size)) if size.any() else size
    centre = float(_log_odds(np.array([weight.sum() / size.sum()]))[0]) if size.any() else 0.0
    rarer = min(effective[weight > 0].sum(), effective[weight < 0].sum())
    if rarer < _FEWEST:
        return SignCurve(centre, 0.0, 1.0, 0.0)
    d = _log_odds(learnt) - centre
    offset, slope, bend = _logistic(np.stack([np.ones_like(d), d, d * d], axis=1), centre, weight > 0, effective)
    return SignCurve(centre, offset, slope, bend) if slope > 0 else SignCurve(centre, 0.0, 0.0, 0.0)


def straightened(
    signs: Sequence[LocalSigns], events: EventTable, fold_of: NDArray[np.integer]
) -> tuple[LocalSigns, ...]:
    """Give the signs of each fold a curve for each sample, fitted to the events of the *other* folds.

    Networks that the others were read from have seen the events that the curve is for; of that, three parameters
    carry next to nothing.

    Args:
        signs: of each fold, by sample.
        events: what they were learnt from.
        fold_of: the fold of each event, (n,).
    """
    code = events.sample.astype(np.int64)
    learnt = np.ones(len(events))
    for fold, local in enumerate(signs):
        chosen = np.flatnonzero(fold_of == fold)
        learnt[chosen] = local.at(events.features.T[:, chosen].T, code[chosen], raw=True)
    corrected = []
    for fold, local in enumerate(signs):
        groups = {group: np.flatnonzero((code == group) & (fold_of != fold)) for group in local.networks}
        curves = {group: best_curve(learnt[used], events.weight[used]) for group, used in groups.items()}
        corrected.append(replace(local, curves=curves))
    return tuple(corrected)


def _log_odds(sign: Float) -> Float:
    return np.asarray(2 * np.arctanh(np.clip(sign, -_LIMIT, _LIMIT)))


def _logistic(design: Float, centre: float, positive: NDArray[np.bool_], weight: Float) -> tuple[float, float, float]:
    """Maximise the likelihood of a logistic regression with a normal prior about (0, 1, 0), by Newton's method."""
    prior = np.array([0.0, 1.0, 0.0])
    found = prior.copy()

    def loss(parameters: Float) -> float:
        z = centre + design @ parameters
        return float(
            weight @ (np.logaddexp(0.0, z) - positive * z) + 0.5 * ((parameters - prior) ** 2).sum() / _PRIOR**2
        )

    for _ in range(_STEPS):
        probability = 0.5 * (1 + np.tanh(0.5 * (centre + design @ found)))
        gradient = design.T @ (weight * (probability - positive)) + (found - prior) / _PRIOR**2
        curvature = (design.T * (weight * probability * (1 - probability))) @ design + np.eye(3) / _PRIOR**2
        step = np.linalg.solve(curvature, gradient)
        while loss(found - step) > loss(found) and np.abs(step).max() > 1e-9:
            step = 0.5 * step
        found = found - step
        if np.abs(step).max() < 1e-7:
            break
    return float(found[0]), float(found[1]), float(found[2])

"""A response that is a probability: a spline of the log-odds, cross-fitted on signed weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from hepneg._core.arrays import FloatArray
from hepneg._core.by_fold import by_fold
from hepneg._core.linear_spline import IDENTITY, LinearSpline, fit_logistic_spline, spline_basis
from hepneg._core.log_odds import sigmoid
from hepneg.config import Output, Training
from hepneg.events import EventTable, clustering
from hepneg.metrics import ScoredEvents
from hepneg.metrics.class_scores import ClassScores, scored_output
from hepneg.metrics.class_separation import against_rest
from hepneg.networks.calibrated_classes import CalibratedClassesNetwork
from hepneg.networks.calibrated_network import CalibratedNetwork
from hepneg.networks.fold_network import FoldNetwork
from hepneg.objectives import Objective

__all__ = ["adjusted", "calibrated", "calibrated_classes", "calibration_spline", "is_probability"]

KNOTS = 6
_ENDS = (0.02, 0.98)  # quantiles of the outer knots
_CELLS = 400  # of equal Σ|w| before they are merged
_SIGNIFICANT = 2.0  # a cell's Σw exceeds so many times its standard error
_FEWEST = 50.0  # effective events of a label: fewer bend nothing
_LEAST_SLOPE = 0.1
# Standard deviations about the identity of offset and slope, and of the change of slope at each knot.
_PRIOR, _PRIOR_OF_KINKS = 1.0, 0.25
_CAREFUL = 2.0  # times the noise; chosen on toys of the seeds 101 to 103


def is_probability(objective: Objective, output: Output | None) -> bool:
    """Tell whether a response estimates the probability of signal: others are moved on purpose.

    Args:
        objective: what was minimised.
        output: the range of the network's output, if one was asked for.
    """
    return bool(getattr(objective, "probability", False)) and not (output and output.restricts)


def adjusted(
    networks: tuple[FoldNetwork, ...],
    events: EventTable,
    logit: FloatArray,
    fold_of: NDArray[np.integer],
    training: Training,
    objective: Objective,
) -> tuple[tuple[FoldNetwork, ...], str]:
    """Return networks behind which the response is a probability, or what their objective asks for.

    Args:
        networks: of the folds.
        events: of the training.
        logit: of each event by the network that has not seen it, (n,), or log-ratios of K > 2 classes, (n, K − 1).
        fold_of: the fold of each event, (n,).
        training: the settings.
        objective: what was minimised.

    Returns:
        The networks, as they are where nothing is to be adjusted, and what the objective has to say of held-out events
        afterwards; empty for nothing.

    Raises:
        DataError: log-odds that are not finite.
    """
    fit = moving = getattr(objective, "adjustment", None)
    if is_probability(objective, training.network.output) and training.calibration.name != "none":
        fit = calibration_spline
    if fit is None:
        return networks, ""
    held_out = scored_output(events, logit)
    if isinstance(held_out, ClassScores):
        return calibrated_classes(networks, held_out, fold_of), ""
    behind = calibrated(networks, held_out, fold_of, fit, moves=fit is moving)
    if not hasattr(objective, "missed"):
        return behind, ""
    moved = by_fold(fold_of, len(behind), lambda fold, members: behind[fold].spline(held_out.score[members]))
    return behind, str(objective.missed(held_out.with_score(moved)))


def calibrated(
    networks: Sequence[FoldNetwork],
    events: ScoredEvents,
    fold_of: NDArray[np.integer],
    fit: Callable[[ScoredEvents], LinearSpline],
    *,
    moves: bool = False,
) -> tuple[CalibratedNetwork, ...]:
    """Give the network of each fold a spline that is fitted to the held-out log-odds of the *other* folds.

    So the response of an event comes from a network and a spline that have both not seen it. The other folds' networks
    have; of that, eight parameters carry next to nothing.

    Args:
        networks: of the folds.
        events: with the log-odds of the network that has not seen them.
        fold_of: the fold of each event, (n,).
        fit: from events with log-odds to a spline that rises.
        moves: it moves the response on purpose: the mean of the networks, for events that none has seen, gets a spline
            that is fitted to all events.
    """
    splines = (fit(events.select(fold_of != fold)) for fold in range(len(networks)))
    common = fit(events) if moves else None
    pairs = zip(networks, splines, strict=True)
    return tuple(CalibratedNetwork.of(network, spline, common) for network, spline in pairs)


def calibrated_classes(
    networks: Sequence[FoldNetwork], events: ClassScores, fold_of: NDArray[np.integer]
) -> tuple[CalibratedClassesNetwork, ...]:
    """Give the network of each fold a spline for each class, fitted to held-out events of the *other* folds.

    Each is the spline of two classes (:func:`calibration_spline`): of the log-odds of one class
    against all others together, which share their prior equally; the probabilities are brought to the sum 1 afterwards
    (Zadrozny, Elkan, KDD (2002) 694). What the signed weights cannot tell from chance changes nothing.

    Args:
        networks: of the folds.
        events: with the probabilities that the network gives which has not seen the event.
        fold_of: the fold of each event, (n,).
    """
    of_class = [against_rest(events, code) for code in range(len(events.classes))]

    def splines(fold: int) -> list[LinearSpline]:
        return [calibration_spline(scored.select(fold_of != fold)) for scored in of_class]

    return tuple(CalibratedClassesNetwork.of(network, splines(fold)) for fold, network in enumerate(networks))


def calibration_spline(events: ScoredEvents) -> LinearSpline:
    """Fit better log-odds at equal priors to signed weights: a logistic regression on a linear spline with six knots.

    The events are added up in cells along the log-odds. Neighbours are merged until no label has a negative sum and
    the cell's sum exceeds twice its standard error; so the loss has a minimum whatever the signs. A normal prior about
    the identity holds what the events say little about, and the spline always rises. Its distance from the identity is
    then shrunk by 1 − 2·noise/gain, not below 0: gain is the quadratic fall of the loss that it promises, noise the
    part of it that chance would give, from the spread of the signed weights (James, Stein, 4th Berkeley Symposium
    (1961) 361, twice as careful). Where the events show no fault, nothing is changed. Candidates of one event count as
    one, by how they raise the variance of Σw.

    Args:
        events: with log-odds of networks that have not seen them.

    Returns:
        The spline; the identity where a label has less than 50 effective events or Σw ≤ 0.
    """
    logit, label, weight = events.score, events.code, events.weight
    sums = np.array([weight[label == code].sum() for code in (0, 1)])
    shared = clustering(weight, events.cluster)
    squares = shared * np.array([np.square(weight[label == code]).sum() for code in (0, 1)])
    if not ((sums > 0) & (sums**2 >= _FEWEST * squares)).all():
        return IDENTITY
    balanced = weight * (0.5 / sums)[label]
    order = np.argsort(logit, kind="stable")
    reached = np.cumsum(np.abs(balanced[order]))
    knots = np.unique(np.quantile(logit, np.linspace(*_ENDS, KNOTS)))
    knots = np.concatenate([knots[:1] - 1.0, knots, knots[-1:] + 1.0])  # the slope may change at the outer ones too
    place = np.empty(len(logit), np.intp)
    place[order] = np.minimum((reached * (_CELLS / reached[-1])).astype(np.intp), _CELLS - 1)
    cells = _cells(place, logit, balanced, label)
    cells[:, 4:] *= shared
    effective = float(1 / cells[:, 4:].sum())
    z, positive, both = _merged(cells)
    spline = fit_logistic_spline(
        z,
        positive * effective,
        both * effective,
        knots,
        prior=_PRIOR,
        prior_of_kinks=_PRIOR_OF_KINKS,
        least_slope=_LEAST_SLOPE,
    )
    return _shrunk(spline, cells, effective)


def _cells(place: NDArray[np.intp], logit: FloatArray, weight: FloatArray, label: NDArray[np.int8]) -> FloatArray:
    """Return Σ|w|z, Σ|w|, Σw of background and of signal, and Σw² of both, for each cell with events, (cells, 6)."""
    size, signal = np.abs(weight), label == 1
    columns = (size * logit, size, weight * ~signal, weight * signal, weight**2 * ~signal, weight**2 * signal)
    table = np.stack([np.bincount(place, column, _CELLS) for column in columns], axis=1)
    return np.asarray(table[table[:, 1] > 0])


def _merged(cells: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Merge neighbours until each can be used; return mean log-odds, Σw of signal and Σw of both."""
    merged: list[FloatArray] = []
    open_cell = np.zeros(cells.shape[1])
    for cell in cells:
        open_cell = open_cell + cell
        if _usable(open_cell):
            merged.append(open_cell)
            open_cell = np.zeros(cells.shape[1])
    while merged and not _usable(open_cell):  # what is left over joins the last
        open_cell = open_cell + merged.pop()
    table = np.array([*merged, open_cell])
    return table[:, 0] / table[:, 1], table[:, 3], table[:, 2] + table[:, 3]


def _usable(cell: FloatArray) -> bool:
    background, signal = cell[2:4]
    return bool(min(background, signal) >= 0 and background + signal > _SIGNIFICANT * np.sqrt(cell[4:].sum()))


def _shrunk(spline: LinearSpline, cells: FloatArray, effective: float) -> LinearSpline:
    """Move a spline back to the identity by the share of its gain that the noise of the weights explains, twice."""
    knots, distance = np.array(spline.knots), np.subtract(spline.values, spline.knots)
    z, sums, squares = cells[:, 0] / cells[:, 1], cells[:, 2:4], cells[:, 4:]
    units = np.eye(len(knots))
    basis = np.stack([LinearSpline(spline.knots, tuple(unit))(z) for unit in units], axis=1)
    response = sigmoid(spline(z))
    curvature = (basis.T * (sums.sum(axis=1) * response * (1 - response))) @ basis
    gain = float(distance @ curvature @ distance)
    if gain <= 0:
        return IDENTITY
    residual = np.stack([-response, 1 - response], axis=1)
    noise = np.linalg.solve(curvature + _stiffness(knots) / effective, _covariance(basis, residual, sums, squares))
    share = np.trace(noise @ np.linalg.solve(curvature + _stiffness(knots) / effective, curvature)) / gain
    kept = 1 - _CAREFUL * float(share)
    if kept <= 0:
        return IDENTITY
    return LinearSpline(spline.knots, tuple((knots + kept * distance).tolist()))


def _covariance(basis: FloatArray, residual: FloatArray, sums: FloatArray, squares: FloatArray) -> FloatArray:
    """Return the covariance of Σ w·residual·basis, each label brought to a fixed Σw."""
    total = np.zeros((basis.shape[1], basis.shape[1]))
    for code in (0, 1):
        values = basis * residual[:, [code]]
        centred = values - sums[:, code] @ values / sums[:, code].sum()
        total += (centred.T * squares[:, code]) @ centred
    return total


def _stiffness(knots: FloatArray) -> FloatArray:
    """Return the precision of the prior as a matrix over the values at the knots."""
    to_parameters = np.linalg.inv(spline_basis(knots, knots))
    precision = np.array([_PRIOR**-2] * 2 + [_PRIOR_OF_KINKS**-2] * (len(knots) - 2))
    return np.asarray((to_parameters.T * precision) @ to_parameters)

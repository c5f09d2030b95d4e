"""The cheapest change of log-odds that brings a wanted share of the events into a range of the response."""

from __future__ import annotations

import math

import numpy as np

from hepneg._core.arrays import BoolArray, FloatArray
from hepneg._core.linear_spline import IDENTITY, LinearSpline
from hepneg._core.log_odds import sigmoid
from hepneg.metrics import ScoredEvents

_SQUEEZED, _STEEP = 0.1, 0.02
"""Of the width that is moved: it ends up so narrow just beyond the end, and what was beyond it is stretched so much."""

_APART = 1e-4  # log-odds between the two ends where both meet

Float = FloatArray
Pairs = list[tuple[float, float]]


def share_spline(events: ScoredEvents, share: float, low: float, high: float, price: float) -> LinearSpline:
    """Return a rising spline of the log-odds under which a share of the events is in a range.

    Among all rising functions of log-odds that are right, the least cross-entropy is paid where the events nearest to
    the range, by the Kullback–Leibler divergence between their response and its nearer end, are moved just inside, and
    nothing else; the other way round where too many are inside. Both labels count alike, with signed weights.

    Args:
        events: with their log-odds.
        share: wanted, in [0, 1].
        low: lower end of the range as log-odds; may be −∞.
        high: upper end as log-odds; may be ∞.
        price: no event is moved for more, in nats.

    Returns:
        The spline; the identity where a label has Σw ≤ 0, or nothing needs to move. Where the share can only jump, the
        nearer step is taken.
    """
    z, (background, signal) = events.score, (float(events.weight[events.code == code].sum()) for code in (0, 1))
    if min(background, signal) <= 0:
        return IDENTITY
    weight = events.weight * np.where(events.code == 1, 0.5 / signal, 0.5 / background)
    inside = (z >= low) & (z <= high)
    missing = share - float(weight[inside].sum())
    cost, lower = _costs(z, low, high)
    candidates = inside if missing < 0 else ~inside
    last = _last_moved(cost, weight, candidates & (cost <= price), abs(missing))
    if last is None:
        return IDENTITY
    moved = candidates & (cost <= last)
    kept, outwards = candidates & ~moved, missing > 0
    below = _end(z, moved & lower, kept & lower, low, high, outwards=outwards)
    above = _end(-z, moved & ~lower, kept & ~lower, -high, -low, outwards=outwards)
    return _spline(*_apart(below, [(-a, -b) for a, b in reversed(above)]))


def _costs(z: Float, low: float, high: float) -> tuple[Float, BoolArray]:
    """Return the divergence between each response and the cheaper end, and where that is the lower one, (n,) each."""
    costs = [_divergence(z, end) if math.isfinite(end) else np.full(len(z), np.inf) for end in (low, high)]
    return np.minimum(*costs), costs[0] <= costs[1]


def _divergence(z: Float, end: float) -> Float:
    """Return p·log(p/q) + (1 − p)·log((1 − p)/(1 − q)) of p = σ(z) from q = σ(end), (n,)."""
    return np.asarray(sigmoid(z) * (z - end) + np.logaddexp(0.0, end) - np.logaddexp(0.0, z))


def _last_moved(cost: Float, weight: Float, candidates: BoolArray, missing: float) -> float | None:
    """Return the cost up to which candidates move so that their Σw comes nearest to what is missing; None for none."""
    at = np.flatnonzero(candidates)
    order = at[np.argsort(cost[at], kind="stable")]
    steps, starts = np.unique(cost[order], return_index=True)
    sums = np.cumsum(np.add.reduceat(weight[order], starts)) if len(order) else np.empty(0)
    enough = np.flatnonzero(sums >= missing)
    first = int(enough[0]) if len(enough) else len(sums) - 1  # with signed weights the sums may fall again
    choices = [number for number in (first - 1, first) if number >= 0]
    if not choices:
        return None
    best = min(choices, key=lambda number: abs(float(sums[number]) - missing))
    return float(steps[best]) if abs(float(sums[best]) - missing) < missing else None


def _end(z: Float, moved: BoolArray, kept: BoolArray, end: float, other: float, *, outwards: bool) -> Pairs:
    """Return pairs (from, to) about a lower end of the range; none where nothing moves there.

    Args:
        z: log-odds, (n,).
        moved: events that change sides, (n,).
        kept: events of the same side and end that do not, (n,).
        end: of the range.
        other: its upper end.
        outwards: the range takes in events from below, instead of giving some away.
    """
    if not moved.any():
        return []
    side = -1.0 if outwards else 1.0
    far = float((side * z[moved]).max())
    next_one = float((side * z[kept]).min()) if kept.any() else far + 0.1
    edge = side * 0.5 * (far + max(next_one, far))
    width = abs(edge - end)
    if width == 0:
        return []
    gap = min(_SQUEEZED * width, 0.1 * (other - end))
    pairs = [(edge + side * _STEEP * width,) * 2, (edge, end), (end, end - side * gap), (end - 2 * side * gap,) * 2]
    return sorted((float(a), float(b)) for a, b in pairs)


def _apart(below: Pairs, above: Pairs) -> tuple[Pairs, Pairs]:
    """Keep the pairs of both ends apart where they meet: nothing is left between them."""
    if not below or not above or below[-1][0] < above[0][0]:
        return below, above
    below, above = below[:-1], above[1:]
    middle = 0.5 * (below[-1][0] + above[0][0])
    return [*below[:-1], (middle - _APART, below[-1][1])], [(middle + _APART, above[0][1]), *above[1:]]


def _spline(below: Pairs, above: Pairs) -> LinearSpline:
    """Join pairs (from, to), with the identity outside; what would not rise is left out."""
    joined: Pairs = []
    for before, after in (*below, *above):
        if not joined or (before > joined[-1][0] and after > joined[-1][1]):
            joined.append((before, after))
    if not joined:
        return IDENTITY
    first, last = joined[0][0] - 1.0, max(joined[-1]) + 1.0
    knots, values = zip((first, first), *joined, (last, last), strict=True)
    return LinearSpline(knots, values)

"""Is a response the probability that it claims to be? Calibration with signed weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hepneg.metrics.scored import Floats, ScoredEvents, scored_events

__all__ = ["Calibration", "calibration_curve"]

MIN_EVENTS = 10.0


@dataclass(frozen=True, eq=False, slots=True)
class Calibration:
    """Expected against observed share of signal, the labels balanced, in bins of the response.

    Attributes:
        edges: of the merged bins, (m + 1,).
        expected: mean response, (m,).
        observed: signed share of signal, (m,); may leave [0, 1].
        error: standard error of the observed share, (m,).
        chi2: of observed against expected in all bins, their covariance included.
        degrees: of freedom, the number of bins.
        p_value: probability of a larger χ² for a calibrated response; asymptotic.
    """

    edges: Floats
    expected: Floats
    observed: Floats
    error: Floats
    chi2: float
    degrees: int
    p_value: float

    def __repr__(self) -> str:
        return f"Calibration({self.degrees} bins; χ² = {self.chi2:.1f}, p = {self.p_value:.2g})"

    def to_dict(self) -> dict[str, Any]:
        """Return the columns as lists and the test as numbers."""
        columns = {name: getattr(self, name).tolist() for name in ("edges", "expected", "observed", "error")}
        return {**columns, "chi2": self.chi2, "degrees": self.degrees, "p_value": self.p_value}


def calibration_curve(
    response: ArrayLike, label: ArrayLike, weight: ArrayLike, *, bins: int = 20, min_significance: float = 5.0
) -> Calibration:
    """Compare the response with the share of signal that the events show.

    Args:
        response: (n,) in [0, 1], for equal priors.
        label: (n,) of 0 and 1.
        weight: (n,) signed weights.
        bins: equal in width before merging.
        min_significance: neighbouring bins are merged until Σw (labels balanced) exceeds so many times √Σw², and
            until each label has (Σ|w|)²/Σw² of at least 10: with fewer events the errors and the χ² are not normal.

    Returns:
        The curve and its χ². The response is calibrated if Σ w(label − response), labels balanced, vanishes in every
        bin; χ² is that of these sums with their covariance, in which the normalisation of both labels fluctuates too.

    Raises:
        DataError: unusable columns, or a label with Σw ≤ 0.
    """
    from scipy.special import chdtrc

    events = scored_events(response, label, weight)
    edges = _merged_edges(events, np.linspace(0.0, 1.0, bins + 1), min_significance)
    m = len(edges) - 1
    place = np.clip(np.searchsorted(edges, events.score, side="right") - 1, 0, m - 1)
    share = 0.5 * events.normalised_weight()
    total = np.bincount(place, share, m)
    expected = np.bincount(place, share * events.score, m) / total
    observed = np.bincount(place, share * events.signal, m) / total
    variance = np.diag(_covariance(events, place, m, events.signal - observed[place]))
    error = np.sqrt(np.maximum(variance, 0.0)) / np.abs(total)
    residual = np.bincount(place, share * (events.signal - events.score), m)
    covariance = _covariance(events, place, m, events.signal - events.score)
    chi2 = float(residual @ np.linalg.pinv(covariance, hermitian=True) @ residual)
    return Calibration(edges, expected, observed, error, chi2, m, float(chdtrc(m, max(chi2, 0.0))))


def _merged_edges(events: ScoredEvents, edges: Floats, min_significance: float) -> Floats:
    """Merge bins from the left until each is usable; what is left over joins the last."""
    last = len(edges) - 1
    running = _running_sums(events, edges)
    bounds = [0]
    for upper in range(1, last + 1):
        if _usable(running[:, upper] - running[:, bounds[-1]], min_significance):
            bounds.append(upper)
    bounds = [*bounds[: max(1, len(bounds) - 1)], last]
    while len(bounds) > 2 and not _usable(running[:, last] - running[:, bounds[-2]], min_significance):
        del bounds[-2]
    return edges[bounds]


def _running_sums(events: ScoredEvents, edges: Floats) -> Floats:
    """Running Σw, and Σ|w| and Σw² of signal and of background, up to each edge, (5, edges)."""
    share = events.normalised_weight()
    place = np.searchsorted(edges[1:-1], events.score, side="right")
    parts = [share] + [
        part for mask in (events.signal, ~events.signal) for part in (np.abs(share) * mask, share**2 * mask)
    ]
    sums = [np.cumsum(np.bincount(place, part, len(edges) - 1)) for part in parts]
    return np.pad(np.array(sums), ((0, 0), (1, 0)))


def _usable(sums: Floats, min_significance: float) -> bool:
    """A bin is usable if its Σw is significant and each label has the events that a normal error needs."""
    total, signal, signal2, background, background2 = sums
    enough = signal**2 >= MIN_EVENTS * signal2 > 0 and background**2 >= MIN_EVENTS * background2 > 0
    return bool(enough and total > min_significance * np.sqrt(signal2 + background2))


def _covariance(events: ScoredEvents, place: NDArray[np.intp], m: int, residual: Floats) -> Floats:
    """Covariance (m, m) of the balanced sums Σ w·residual in bins, each label's Σw fluctuating with its events."""
    covariance = np.zeros((m, m))
    share = 0.5 * events.normalised_weight()
    for mask in (events.signal, ~events.signal):
        w, r, b = share[mask], residual[mask], place[mask]
        # Event i contributes w(r·1[in bin] − 2·mean), as Σw of its label normalises all bins.
        mean = 2.0 * np.bincount(b, w * r, m)
        cross = np.outer(np.bincount(b, w**2 * r, m), mean)
        covariance += np.diag(np.bincount(b, (w * r) ** 2, m)) - cross - cross.T + np.outer(mean, mean) * np.sum(w**2)
    return covariance

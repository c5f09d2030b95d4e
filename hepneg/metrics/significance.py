"""Expected significance of a cut on the response, with the statistical error of the simulated background."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hepneg._core.arrays import BoolArray, FloatArray
from hepneg._core.json_values import JsonResult
from hepneg.events import nested_sums
from hepneg.metrics.scored import ScoredEvents, finite_column, scored_events

__all__ = ["SignificanceScan", "asimov_significance", "significance_scan", "significance_scan_of"]


# Below, t and products with it lose digits to underflow; it makes no difference to Z there.
_TINY = 1e-100


def asimov_significance(signal: ArrayLike, background: ArrayLike, background_error: ArrayLike = 0.0) -> FloatArray:
    """Return the median expected discovery significance of a counting experiment.

    Args:
        signal: expected yield s.
        background: expected yield b.
        background_error: absolute standard error of b.

    Returns:
        Z in standard deviations, in the broadcast shape; NaN where s ≤ 0 or b ≤ 0, which signed weights can bring
        about.

    Source: Cowan, Cranmer, Gross, Vitells, Eur. Phys. J. C 71 (2011) 1554, and Cowan (2012) for an uncertain
    background.
    """
    s, b, error = (np.asarray(part, np.float64) for part in (signal, background, background_error))
    with np.errstate(all="ignore"):
        # In units of b: x = s/b, and t = (σ_b/b)²·b, written with log1p so that a small s or σ_b loses no digits.
        x, t = s / b, error**2 / b
        inner = np.log1p(x) - np.log1p(x * t / (1.0 + t))
        seen = t > _TINY
        second = np.where(seen, np.log1p(t * x / (1.0 + t)) / np.where(seen, t, 1.0), x)
        exact = np.sqrt(2.0 * np.maximum((s + b) * inner - b * second, 0.0))
        # Where s is so small that the difference has no digits left, its first order in s/b has them all.
        z = np.where(x < 1e-7, s / np.sqrt(b + error**2), exact)
    return np.where((s > 0) & (b > 0), z, np.nan)


@dataclass(frozen=True, eq=False, slots=True)
class SignificanceScan(JsonResult):
    """Expected significance against the cut on the response.

    Attributes:
        threshold: cuts, (m,); events at or above it are kept.
        signal: Σw of the signal kept, (m,).
        signal_error: its standard error, (m,).
        background: Σw of the background kept, (m,).
        background_error: its standard error, (m,); enters the significance as the uncertainty of the background.
        significance: Asimov Z, (m,); NaN where s ≤ 0 or b ≤ 0.
        error: of the significance from both yields' statistical errors, (m,); NaN where it is undefined.
        defined: false where the significance is NaN, (m,).
    """

    threshold: FloatArray
    signal: FloatArray
    signal_error: FloatArray
    background: FloatArray
    background_error: FloatArray
    significance: FloatArray
    error: FloatArray
    defined: BoolArray

    @property
    def best(self) -> int | None:
        """Position of the largest significance, or None where it is defined nowhere."""
        return int(np.nanargmax(self.significance)) if self.defined.any() else None

    def __repr__(self) -> str:
        if self.best is None:
            return "SignificanceScan(undefined at every threshold)"
        z, cut = self.significance[self.best], self.threshold[self.best]
        return f"SignificanceScan({len(self.threshold)} thresholds; largest Z = {z:.3g} at response >= {cut:.3g})"


def significance_scan(
    response: ArrayLike, label: ArrayLike, weight: ArrayLike, *, thresholds: ArrayLike | int = 50
) -> SignificanceScan:
    """Scan a lower cut on the response.

    Args:
        response: (n,) in [0, 1].
        label: (n,) of 0 and 1.
        weight: (n,) signed weights, scaled to the expected yields.
        thresholds: the cuts in increasing order, or how many, evenly spaced from 0 to below 1.

    Raises:
        DataError: unusable columns.

    The scan is of the same events that define its maximum, so the maximum is biased upwards by its statistical error.
    """
    cuts = thresholds if isinstance(thresholds, int) else finite_column(thresholds, "thresholds")
    return significance_scan_of(scored_events(response, label, weight), thresholds=cuts)


def significance_scan_of(events: ScoredEvents, *, thresholds: FloatArray | int = 50) -> SignificanceScan:
    """Scan a lower cut on the response of scored events; see :func:`significance_scan`."""
    cuts = np.linspace(0.0, 1.0, thresholds, endpoint=False) if isinstance(thresholds, int) else thresholds
    (s, s2), (b, b2) = (_kept(events, mask, cuts) for mask in (events.signal, ~events.signal))
    s_error, b_error = np.sqrt(s2), np.sqrt(b2)
    z = asimov_significance(s, b, b_error)
    return SignificanceScan(cuts, s, s_error, b, b_error, z, _error(s, s_error, b, b_error), np.isfinite(z))


def _kept(events: ScoredEvents, mask: BoolArray, cuts: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Σw of the rows of a label at or above each cut, and Σ(Σw)² over their events."""
    weight, last_cut = events.weight[mask], np.searchsorted(cuts, events.score[mask], side="right")
    squares = weight**2
    if events.cluster is not None:
        tightest_first = np.argsort(-last_cut, kind="stable")
        squares = np.empty(len(weight))
        added, _ = nested_sums(weight[tightest_first], events.cluster[mask][tightest_first])
        squares[tightest_first] = np.diff(added, prepend=0.0)
    sums = [np.bincount(last_cut, part, len(cuts) + 1)[:0:-1].cumsum()[::-1] for part in (weight, squares)]
    return sums[0], sums[1]


def _error(s: FloatArray, s_error: FloatArray, b: FloatArray, b_error: FloatArray) -> FloatArray:
    """Linear propagation of both yields' errors, by central differences."""
    step_s, step_b = 1e-3 * s, 1e-3 * b
    with np.errstate(all="ignore"):
        by_s = asimov_significance(s + step_s, b, b_error) - asimov_significance(s - step_s, b, b_error)
        by_b = asimov_significance(s, b + step_b, b_error) - asimov_significance(s, b - step_b, b_error)
        return np.hypot(by_s / (2.0 * step_s) * s_error, by_b / (2.0 * step_b) * b_error)

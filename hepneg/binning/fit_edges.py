"""Bins for a fit with signed weights: as good as a stated target wants, under conditions on every process in every bin.

The conditions are on expected contents: of a smooth mean sign (:mod:`hepneg.binning.smooth_sign`), not of the signed
events themselves. Edges that are chosen on signed events and filled with them avoid their downward fluctuations, which
leaves every chosen bin too high.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from hepneg._core.arrays import BoolArray, FloatArray, IndexArray
from hepneg._core.json_values import JsonResult
from hepneg.binning.sign_sums import SignSums
from hepneg.binning.smooth_sign import smooth_contents
from hepneg.errors import DataError
from hepneg.metrics.significance import asimov_significance

Target: TypeAlias = Literal["significance", "flat_signal", "flat_background", "quantiles"]
_FLAT = {"flat_signal": (1.0, 0.0), "flat_background": (0.0, 1.0), "quantiles": (1.0, 1.0)}
"""How much signal and background count in the contents that are to be equal."""


@dataclass(frozen=True, slots=True)
class Conditions(JsonResult):
    """What every process is to have in every bin.

    Attributes:
        significance: Σw is to be above so many √Σw²…
        effective: …and (Σw)²/Σw² at least this, …
        rate: …with this probability on independent events of the same number.
    """

    significance: float = 3.0
    effective: float = 10.0
    rate: float = 0.95

    @property
    def least(self) -> float:
        """Σw/√Σw² that fulfils both: n_eff is its square."""
        return max(self.significance, math.sqrt(self.effective))

    @property
    def margin(self) -> float:
        """Standard deviations by which the expected Σw/√Σw² is to be above :attr:`least`."""
        from scipy.special import ndtri

        return float(ndtri(self.rate))


@dataclass(frozen=True, eq=False, slots=True)
class Process:
    """What is expected of one process in fine bins.

    Attributes:
        signal: whether it is one.
        content: Σw, (F,).
        covariance: of ``content``, (F, F): how well it is known, not how it will scatter.
        square: Σw², (F,).
    """

    signal: bool
    content: FloatArray
    covariance: FloatArray
    square: FloatArray

    @classmethod
    def smooth(cls, sums: SignSums, *, signal: bool, events: float = 1.0) -> Process:
        """Expect what a smooth mean sign says.

        Args:
            sums: of the events to choose on.
            signal: whether it is one.
            events: that will be filled, for each one in ``sums``.

        Raises:
            ValueError: Σw is not positive.
        """
        found = smooth_contents(sums)
        return cls(signal, events * found.content, events**2 * found.covariance, events * sums.variance)

    @classmethod
    def as_is(cls, sums: SignSums, *, signal: bool, events: float = 1.0) -> Process:
        """Expect Σw of the events to choose on; of a process whose Σw is not positive there is nothing better."""
        return cls(signal, events * sums.content, events**2 * np.diag(sums.variance), events * sums.variance)

    def __add__(self, other: Process) -> Process:
        parts = ((getattr(self, name) + getattr(other, name)) for name in ("content", "covariance", "square"))
        return Process(self.signal, *parts)


def choose_starts(
    processes: Mapping[str, Process],
    *,
    target: Target = "significance",
    most: int = 10,
    conditions: Conditions = Conditions(),
    required: Collection[str] | None = None,
) -> IndexArray:
    """Choose bins that are runs of fine ones: the best of all that meet the conditions, by dynamic programming.

    Args:
        processes: by name.
        target: ``significance`` maximises Σ Z² of the bins, Z the Asimov significance with the statistical error of
            the background; ``flat_signal``, ``flat_background`` and ``quantiles`` (of both) want equal contents.
        most: bins at most; flat targets take as many as the conditions allow.
        conditions: on each required process in each bin.
        required: names; left out, all.

    Returns:
        The first fine bin of each bin, beginning with 0.

    Raises:
        DataError: not even one bin with all events meets the conditions, or there is no signal or background.

    A process with next to nothing in a bin cannot meet them there, wherever its edges are.
    """
    asked = {name: process for name, process in processes.items() if required is None or name in required}
    good = np.logical_and.reduce([_meets(process, conditions) for process in asked.values()])
    if not good[0, -1]:
        raise DataError(_unmet(asked, conditions))
    gain = _gain_of(processes, target)
    if target == "significance":
        return _best_runs(good, gain(0), most, exact=False)
    for bins in range(most, 1, -1):
        found = _best_runs(good, gain(bins), bins, exact=True)
        if len(found):
            return found
    return np.zeros(1, np.intp)


def _runs(values: FloatArray) -> FloatArray:
    """Return Σ of every run of bins, (F + 1, F + 1): entry (i, j) from bin i to before bin j."""
    before = np.append(0.0, np.cumsum(values))
    return np.asarray(before[None, :] - before[:, None])


def _run_variances(covariance: FloatArray) -> FloatArray:
    size = len(covariance) + 1
    corner = np.zeros((size, size))
    corner[1:, 1:] = covariance.cumsum(axis=0).cumsum(axis=1)
    diagonal = np.diag(corner)
    return np.asarray(np.maximum(diagonal[None, :] - corner - corner.T + diagonal[:, None], 0.0))


def _meets(process: Process, conditions: Conditions) -> BoolArray:
    """Tell which runs meet the conditions, (F + 1, F + 1).

    On independent events Σw/√Σw² scatters by 1 about its expectation, which is itself known to its own error only.
    """
    expected, squares = _runs(process.content), _runs(process.square)
    scatter = squares + _run_variances(process.covariance)
    wanted = conditions.least * np.sqrt(np.maximum(squares, 0.0)) + conditions.margin * np.sqrt(
        np.maximum(scatter, 0.0)
    )
    return np.asarray((expected > 0) & (squares > 0) & (expected >= wanted))


def _unmet(processes: Mapping[str, Process], conditions: Conditions) -> str:
    name, process = next(one for one in processes.items() if not _meets(one[1], conditions)[0, -1])
    total, error = float(process.content.sum()), math.sqrt(float(process.square.sum()))
    return (
        f"{name!r} has Σw = {total:.4g} ± {error:.2g} in all bins together, too little for a bin with Σw > "
        f"{conditions.least:.3g} √Σw² at a rate of {conditions.rate:g}; relax the conditions, or ask them of the total "
        "background (`require: background`)"
    )


def _gain_of(processes: Mapping[str, Process], target: Target) -> Callable[[int], FloatArray]:
    """Return what each run adds to the target, (F + 1, F + 1), as a function of the number of bins."""
    signal, background = (
        [process for process in processes.values() if process.signal is wanted] for wanted in (True, False)
    )
    if target == "significance" and not (signal and background):
        raise DataError("the target `significance` needs signal and background; take flat_signal or flat_background")
    s, b = (_runs(np.sum([process.content for process in part], axis=0)) for part in (signal, background))
    if target == "significance":
        error = np.sqrt(np.maximum(_runs(np.sum([process.square for process in background], axis=0)), 0.0))
        z = np.nan_to_num(asimov_significance(s, b, error))
        return lambda _: z**2 - _noise(signal, background, s, b, error)
    wanted = _FLAT[target]
    content = sum(
        share * part / part[0, -1] for share, part, own in zip(wanted, (s, b), (signal, background), strict=True) if own
    )
    return lambda bins: -((content / content[0, -1] - 1.0 / bins) ** 2)


def _noise(
    signal: list[Process], background: list[Process], s: FloatArray, b: FloatArray, error: FloatArray
) -> FloatArray:
    """Return by how much fluctuations raise Z² of each run on average: narrow bins around them must not look good.

    To first order Z² is s²/(b + σ²), which is convex in s and in b.
    """
    own, other = (sum(_run_variances(process.covariance) for process in part) for part in (signal, background))
    with np.errstate(all="ignore"):
        raised = (own + (s / b) ** 2 * other) / (b + error**2)
    return np.where((s > 0) & (b > 0), raised, 0.0)


def _best_runs(good: BoolArray, gain: FloatArray, most: int, *, exact: bool) -> IndexArray:
    """Cut all bins into runs that are all good with the largest sum of gains.

    Args:
        good: (F + 1, F + 1) which runs may be taken.
        gain: (F + 1, F + 1) of each run.
        most: runs at most, or with ``exact`` just so many.
        exact: see ``most``.

    Returns:
        The first bin of each run; empty where no cut will do.
    """
    allowed = np.where(np.triu(good, 1), gain, -np.inf)
    best, came_from = [allowed[0]], [np.zeros(len(good), np.intp)]
    for _ in range(1, min(most, len(good) - 1)):
        reached = best[-1][:, None] + allowed
        came_from.append(np.argmax(reached, axis=0))
        best.append(reached.max(axis=0))
    ends = np.array([row[-1] for row in best])
    runs = most if exact else int(np.argmax(ends)) + 1
    if runs > len(ends) or not np.isfinite(ends[runs - 1]):
        return np.empty(0, np.intp)
    starts = [len(good) - 1]
    for number in range(runs - 1, -1, -1):
        starts.append(came_from[number][starts[-1]])
    return np.array(starts[:0:-1], np.intp)

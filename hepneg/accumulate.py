"""Two passes over the files of any size: all that the weight summary and the shape check need, in bounded memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from hepneg.config import Config
from hepneg.ntuples import read_chunks, require_selected, scale_factor, warn_without_negative
from hepneg.progress import SILENT, Progress
from hepneg.shapes import (
    BinPlan,
    SignedSums,
    Subsample,
    SubsampleAccumulator,
    YardstickSums,
    plan_bins,
    plan_yardstick,
)
from hepneg.weights import WeightAccumulator

__all__ = ["Accumulated", "accumulate"]


@dataclass(frozen=True, eq=False)
class Accumulated:
    """What two passes leave, by sample.

    Attributes:
        weights: sums over the raw weights, with sums by feature, bin and sign.
        subsamples: a uniform subsample of the events, for planning bins and for permutations.
        scales: factor from raw to physical weights.
        yardsticks: sums of the systematic variations of the weight; empty where they were not asked for.
    """

    weights: Mapping[str, WeightAccumulator]
    subsamples: Mapping[str, Subsample]
    scales: Mapping[str, float]
    yardsticks: Mapping[str, YardstickSums]

    @property
    def sums(self) -> dict[str, SignedSums]:
        """The sums by feature, bin and sign, by sample."""
        return {sample: weights.sums for sample, weights in self.weights.items() if weights.sums is not None}


def accumulate(config: Config, *, systematics: bool = False, seed: int = 1, progress: Progress = SILENT) -> Accumulated:
    """Go through the files twice: first for a subsample that plans the bins, then to fill them.

    Args:
        config: the analysis.
        systematics: whether to look at the systematic variations of the weight too.
        seed: of the subsample.
        progress: shows how much of the files is read.

    Raises:
        DataError: the files are unusable, or the selection keeps nothing of a sample.

    Warns:
        HepnegWarning: a sample has no negative weights.
    """
    subsamples = {sample: _subsample(config, sample, seed, progress) for sample in config.samples}
    plan = plan_bins([subsample.features for subsample in subsamples.values()], config.feature_names)
    yardsticks = _yardsticks(config, plan, subsamples) if systematics else {}
    filled = {sample: _weights(config, sample, plan, yardsticks.get(sample), progress) for sample in config.samples}
    scales = {sample: scale_factor(config, sample, total) for sample, (_, total) in filled.items()}
    return Accumulated({sample: sums for sample, (sums, _) in filled.items()}, subsamples, scales, yardsticks)


def _yardsticks(config: Config, plan: BinPlan, subsamples: Mapping[str, Subsample]) -> dict[str, YardstickSums]:
    if not config.systematics:
        return {}
    bins = {sample: plan_yardstick(plan, subsample.features) for sample, subsample in subsamples.items()}
    return {sample: YardstickSums(one, tuple(config.systematics)) for sample, one in bins.items()}


def _subsample(config: Config, sample: str, seed: int, progress: Progress) -> Subsample:
    kept = SubsampleAccumulator(seed=seed)
    entries = dropped = 0
    for chunk in read_chunks(config, sample, progress=progress):
        kept.fill(chunk.features, chunk.weight, chunk.event_id)
        entries += chunk.entries
        dropped += chunk.dropped
    require_selected(config, sample, selected=kept.seen, entries=entries, dropped=dropped)
    return kept.result()


def _weights(
    config: Config, sample: str, plan: BinPlan, yardstick: YardstickSums | None, progress: Progress
) -> tuple[WeightAccumulator, Fraction]:
    """Fill the sums of one sample, in place those of its yardstick where there is one."""
    sums, total = WeightAccumulator(plan), Fraction(0)
    for chunk in read_chunks(config, sample, systematics=yardstick is not None, progress=progress):
        sums.fill(chunk.weight, chunk.features, chunk.entries)
        if yardstick is not None:
            yardstick.fill(chunk.features, chunk.weight, chunk.variations)
        total += chunk.sum_weights_all
    if not sums.negative:
        warn_without_negative(sample)
    return sums, total

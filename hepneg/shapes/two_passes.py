"""Two passes over the files of any size: all that the weight summary and the shape check need, in bounded memory.

A pass turns every sample into a part (:class:`SampleDraw`, then :class:`SampleSums`) that is filled chunk by chunk and
merged with ``+``. :func:`accumulate` fills the parts in one loop over the files; :mod:`hepneg.columnar` has them filled
by the workers of a cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Protocol, Self, TypeVar

import numpy as np

from hepneg._core.progress import SILENT, Progress
from hepneg._core.timing import timed
from hepneg.binning.copies import CopyFinder, warn_about_copies
from hepneg.config import Config
from hepneg.events import EventTable, clustering, label_code
from hepneg.ntuples import (
    Chunk,
    ChunkReader,
    ReadingNotes,
    read_chunks,
    refuse_copies,
    require_distinct_files,
    require_selected,
    require_weights,
    scale_factor,
    warn_about_dropped,
    warn_without_negative,
)
from hepneg.shapes import (
    BinPlan,
    ShapeReport,
    SignedSums,
    Subsample,
    SubsampleAccumulator,
    SystematicBins,
    SystematicSums,
    check_sums,
    plan_bins,
    plan_systematic_bins,
)
from hepneg.weights import WeightAccumulator, WeightReport, report_weights

__all__ = [
    "Accumulated",
    "EmptyDraw",
    "EmptySums",
    "Fillable",
    "OnePass",
    "Part",
    "SampleDraw",
    "SampleSums",
    "accumulate",
    "in_two_passes",
]


class Fillable(Protocol):
    """What a pass makes of a sample: filled by chunks, merged with ``+``."""

    def fill(self, chunk: Chunk) -> None:
        """Add the events of a chunk."""

    def __add__(self, other: Self, /) -> Self: ...


Part = TypeVar("Part", bound=Fillable)


@dataclass
class SampleDraw:
    """The first pass over a sample: a uniform subsample, and how many events there are.

    Attributes:
        subsample: the events kept.
        copies: finds exact copies of events.
        entries: events before the selection.
        dropped: selected events left out because a feature is NaN or infinite.
    """

    subsample: SubsampleAccumulator
    copies: CopyFinder = field(default_factory=CopyFinder)
    entries: int = 0
    dropped: int = 0

    def fill(self, chunk: Chunk) -> None:
        """Add the events of a chunk."""
        self.subsample.fill(chunk.features, chunk.weight, chunk.event_id)
        self.copies.fill(chunk.features, chunk.weight, chunk.event_id)
        self.entries += chunk.entries
        self.dropped += chunk.dropped

    def merge(self, other: Self) -> Self:
        """Return the draw from both sets of events; another seed raises :class:`ValueError`."""
        subsample = self.subsample + other.subsample
        copies = self.copies + other.copies
        return type(self)(subsample, copies, self.entries + other.entries, self.dropped + other.dropped)

    __add__ = merge


@dataclass
class SampleSums:
    """The second pass over a sample: sums of its weights.

    Attributes:
        weights: sums over the raw weights of the selected events, with sums by feature, bin and sign if bins are
            planned.
        systematics: sums of the systematic variations of the weight, or None.
        sum_weights_all: Σ of the raw weights before the selection, exact.
    """

    weights: WeightAccumulator
    systematics: SystematicSums | None = None
    sum_weights_all: Fraction = field(default_factory=Fraction)

    @property
    def entries(self) -> int:
        """Events before the selection."""
        return self.weights.entries

    def fill(self, chunk: Chunk) -> None:
        """Add the events of a chunk."""
        self.weights.fill(chunk.weight, chunk.features, chunk.entries)
        if self.systematics is not None:
            self.systematics.fill(chunk.features, chunk.weight, chunk.variations)
        self.sum_weights_all += chunk.sum_weights_all

    def merge(self, other: Self) -> Self:
        """Return the sums of both sets of events; other bins raise :class:`ValueError`."""
        systematics = self.systematics
        if systematics is not None and other.systematics is not None:
            systematics = systematics + other.systematics
        return type(self)(self.weights + other.weights, systematics, self.sum_weights_all + other.sum_weights_all)

    __add__ = merge


@dataclass(frozen=True, eq=False)
class EmptyDraw:
    """Makes the empty draw of a sample; ``seed`` is that of the subsample."""

    seed: int = 1

    def __call__(self, _sample: str) -> SampleDraw:
        """Begin a sample."""
        return SampleDraw(SubsampleAccumulator(seed=self.seed))


@dataclass(frozen=True, eq=False)
class EmptySums:
    """Makes the empty sums of a sample.

    Attributes:
        plan: fine bins of the features; None leaves the features out.
        variations: names of the systematic variations of each sample.
        systematics: their bins, by sample; empty where variations are not looked at.
    """

    plan: BinPlan | None = None
    variations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    systematics: Mapping[str, SystematicBins] = field(default_factory=dict)

    def __call__(self, sample: str) -> SampleSums:
        """Begin a sample."""
        bins = self.systematics.get(sample)
        varied = None if bins is None else SystematicSums(bins, self.variations[sample])
        return SampleSums(WeightAccumulator(self.plan), varied)


class OnePass(Protocol):
    """Goes once through all events of an analysis."""

    def __call__(self, empty: Callable[[str], Part], systematics: bool, /) -> Mapping[str, Part]:
        """Fill a part for each sample, beginning with an empty one, with the systematic variations where asked for."""


@dataclass(frozen=True, eq=False)
class Accumulated:
    """What two passes leave, by sample.

    Attributes:
        weights: sums over the raw weights, with sums by feature, bin and sign.
        subsamples: a uniform subsample of the events, for planning bins and for permutations.
        scales: factor from raw to physical weights.
        labels: the class of each sample.
        systematics: sums of the systematic variations of the weight; empty where they were not asked for.
    """

    weights: Mapping[str, WeightAccumulator]
    subsamples: Mapping[str, Subsample]
    scales: Mapping[str, float]
    labels: Mapping[str, str]
    systematics: Mapping[str, SystematicSums]

    @property
    def sums(self) -> dict[str, SignedSums]:
        """The sums by feature, bin and sign, by sample."""
        return {sample: weights.sums for sample, weights in self.weights.items() if weights.sums is not None}

    def weight_report(self, *, batch_size: int = 1024) -> WeightReport:
        """Summarise the weights; see :func:`hepneg.weights.report_weights`."""
        by_event = {sample: clustering(part.weight, part.cluster) for sample, part in self.subsamples.items()}
        return report_weights(self.weights, self.labels, scales=self.scales, by_event=by_event, batch_size=batch_size)

    def shape_report(
        self, *, alpha: float = 0.05, seed: int = 1, multivariate: bool = True, progress: Progress = SILENT
    ) -> ShapeReport:
        """Compare positive with negative shapes; see :func:`hepneg.shapes.check_sums`."""
        return check_sums(
            self.sums,
            self.subsamples,
            self.systematics,
            alpha=alpha,
            seed=seed,
            multivariate=multivariate,
            progress=progress,
        )


@timed("two passes over the files")
def accumulate(
    config: Config,
    *,
    systematics: bool = False,
    seed: int = 1,
    progress: Progress = SILENT,
    chunks: ChunkReader = read_chunks,
) -> Accumulated:
    """Go through the files twice: first for a subsample that plans the bins, then to fill them.

    Args:
        config: the analysis.
        systematics: whether to look at the systematic variations of the weight too.
        seed: of the subsample.
        progress: shows how much of the files is read.
        chunks: reads a sample.

    Raises:
        DataError: the files are unusable, or the selection keeps nothing of a sample.

    Warns:
        HepnegWarning: a sample has no negative weights or many exact copies of events, or selected events were left
            out.
    """

    require_distinct_files(config)
    notes = ReadingNotes()

    def once(empty: Callable[[str], Part], varied: bool) -> dict[str, Part]:
        return {
            sample: _filled(empty(sample), chunks(config, sample, systematics=varied, notes=notes, progress=progress))
            for sample in config.samples
        }

    accumulated = in_two_passes(config, once, systematics=systematics, seed=seed)
    notes.warn(config)
    return accumulated


def in_two_passes(config: Config, once: OnePass, *, systematics: bool = False, seed: int = 1) -> Accumulated:
    """Draw the subsamples, plan the bins from them, and fill the bins.

    Args:
        config: the analysis.
        once: goes through all events once, in whatever way and order.
        systematics: whether to look at the systematic variations of the weight too.
        seed: of the subsample.

    Raises:
        DataError: the selection keeps nothing of a sample, or events are there twice in one class.

    Warns:
        HepnegWarning: a sample has no negative weights or many exact copies of events, or selected events were left
            out.
    """
    draws = once(EmptyDraw(seed), False)
    subsamples = {sample: _drawn(config, sample, draws[sample]) for sample in config.samples}
    _refuse_copies(config, subsamples)
    warn_about_copies({sample: draws[sample].copies.result() for sample in config.samples})
    plan = plan_bins([subsample.features for subsample in subsamples.values()], config.feature_names)
    variations = {name: tuple(config.for_sample(name).weight_variations) for name in config.samples if systematics}
    bins = {name: plan_systematic_bins(plan, subsamples[name].features) for name, own in variations.items() if own}
    filled = once(EmptySums(plan, variations, bins), bool(bins))
    for sample in config.samples:
        require_weights(sample, weighted=bool(filled[sample].weights.power_sums.any()))
        if not filled[sample].weights.negative:
            warn_without_negative(sample)
    return Accumulated(
        {sample: filled[sample].weights for sample in config.samples},
        subsamples,
        {sample: scale_factor(config, sample, filled[sample].sum_weights_all) for sample in config.samples},
        {name: sample.label for name, sample in config.samples.items()},
        {name: sums for name in config.samples if (sums := filled[name].systematics) is not None},
    )


def _refuse_copies(config: Config, subsamples: Mapping[str, Subsample]) -> None:
    """Refuse events that are there twice in one class; the small hashes of identifiers find both copies of an event."""
    rows = list(subsamples.values())
    keys = [part.key for part in rows if part.key is not None]
    sizes = [len(key) for key in keys]
    codes = [label_code(config.samples[name].label, config.classes) for name in subsamples]
    table = EventTable(
        np.concatenate([part.features for part in rows]),
        np.concatenate([part.weight for part in rows]),
        np.repeat(np.array(codes, dtype=np.int8), sizes),
        np.repeat(np.arange(len(rows), dtype=np.int16), sizes),
        np.concatenate(keys),
        config.feature_names,
        tuple(subsamples),
        classes=config.classes,
    )
    refuse_copies(table, whole=all(part.complete for part in rows))


def _filled(part: Part, chunks: Iterable[Chunk]) -> Part:
    for chunk in chunks:
        part.fill(chunk)
    return part


def _drawn(config: Config, sample: str, draw: SampleDraw) -> Subsample:
    require_selected(config, sample, selected=draw.subsample.seen, entries=draw.entries, dropped=draw.dropped)
    warn_about_dropped(sample, draw.dropped, draw.subsample.seen)
    return draw.subsample.result()

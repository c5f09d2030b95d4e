"""One pass over the events of an analysis, or of a variation of it: what is read, and how it fills the sums."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from hepneg._core.arrays import BoolArray, FloatArray
from hepneg._core.hashing import uniform_events
from hepneg._core.progress import SILENT, Progress
from hepneg.binning.fine_grid import FineGrid
from hepneg.config import Config, Feature
from hepneg.evaluation.response_source import MostProbableSource, VariableSource, of_sample
from hepneg.expressions import Expression
from hepneg.ntuples import Chunk, ReadingNotes, read_chunks, require_counts
from hepneg.templates.template_sums import GROUPS, TemplateSums

ALL_EVENTS = "all"
"""The name of the only region where the configuration has none."""

Run: TypeAlias = "Callable[[TemplatePass], Mapping[str, TemplateSums]]"
"""Fills the sums of all samples of a pass, by sample."""


def region_names(config: Config, nodes: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the names of the regions, of which there is always one.

    Args:
        config: the analysis.
        nodes: the classes by the most probable of which each region is divided.
    """
    if not nodes:
        return tuple(config.regions) or (ALL_EVENTS,)
    return tuple(f"{region}_{node}" for region in config.regions for node in nodes) or tuple(nodes)


def nodes_of(source: VariableSource) -> tuple[str, ...]:
    """Return the classes by the most probable of which a variable divides the events; empty for none."""
    return source.classes if isinstance(source, MostProbableSource) else ()


@dataclass(frozen=True)
class TemplatePass:
    """What is read in one pass, and how it fills the sums. It is light to send to workers.

    Attributes:
        config: of what is read: its features are those of the variable, and one for each region.
        regions: names.
        source: of the variable.
        grid: fine bins.
        variations: whether to read other weights too.
        paired: whether sums by group are wanted, to be compared with those of other passes.
        share: of the events that are kept for choosing edges; 0 for none.
    """

    config: Config
    regions: tuple[str, ...]
    source: VariableSource
    grid: FineGrid
    variations: bool = False
    paired: bool = False
    share: float = 0.0

    @classmethod
    def of(
        cls,
        config: Config,
        source: VariableSource,
        grid: FineGrid,
        *,
        variations: bool = False,
        paired: bool = False,
        share: float = 0.0,
    ) -> TemplatePass:
        """Prepare a pass over the samples of a configuration; data stand among them, with their label."""
        conditions = tuple(
            Feature.model_construct(name=f"(region {name})", expression=config.regions.get(name, Expression("1")))
            for name in region_names(config)
        )
        reading = config.model_copy(
            update={
                "features": (*source.features(config), *conditions),
                "collections": config.collections if source.takes_objects else {},
                "target": (),
                "grade": None,
            }
        )
        regions = region_names(config, nodes_of(source))
        return cls(reading, regions, source, grid, variations, paired, share)

    def empty(self, sample: str) -> TemplateSums:
        """Begin a sample."""
        varied = len(self.config.for_sample(sample).weight_variations) if self.variations else 0
        return TemplateSums.empty(len(self.regions), len(self.grid), varied, GROUPS if self.paired else 0)

    def fill(self, sums: TemplateSums, sample: str, chunk: Chunk) -> None:
        """Add the events of a chunk.

        Raises:
            DataError: the variable cannot be found, a response lies outside [0, 1], or data have weights.
        """
        sums.entries += chunk.entries
        sums.selected += len(chunk)
        sums.dropped += chunk.dropped
        sums.sum_weights_all += chunk.sum_weights_all
        if not len(chunk):
            return
        if self.config.sample(sample).label == "data":
            require_counts(sample, chunk.weight)
        table = chunk.table(self.config, sample)
        nodes = len(nodes_of(self.source)) or 1
        members = table.features[:, len(table.feature_names) - len(self.regions) // nodes :] != 0
        seed = self.config.training.seed
        choosing = uniform_events(chunk.event_id, seed, "edges") < self.share if self.share else None
        group = None
        if self.paired:
            group = (uniform_events(chunk.event_id, seed, "pairs") * GROUPS).astype(np.intp)
        with of_sample(sample):
            values = self.source.values(table)
            if values.ndim > 1:
                members, values = _divided(members, values)
            place = self.grid.place(values)
        sums.fill(place, members, chunk.weight, chunk.variations, choosing, group)


def _divided(members: BoolArray, responses: FloatArray) -> tuple[BoolArray, FloatArray]:
    """Divide regions by the most probable class; return what is in which, (n, R·K), and its response, (n,)."""
    best = responses.argmax(axis=1)
    own = best[:, None] == np.arange(responses.shape[1])
    return (members[:, :, None] & own[:, None]).reshape(len(own), -1), responses.max(axis=1)


def in_a_loop(progress: Progress = SILENT) -> Run:
    """Return what goes over the files one after the other."""

    def run(one: TemplatePass) -> dict[str, TemplateSums]:
        notes = ReadingNotes()
        found = {}
        for sample in one.config.samples:
            found[sample] = one.empty(sample)
            for chunk in read_chunks(one.config, sample, systematics=one.variations, notes=notes, progress=progress):
                one.fill(found[sample], sample, chunk)
        return found

    return run

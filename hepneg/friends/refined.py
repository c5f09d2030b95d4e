"""Friend files with refined weights: non-negative, with the density of the signed ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepneg.config import Config
from hepneg.events import LABELS, EventTable
from hepneg.friends.plan import Job, plan_jobs
from hepneg.friends.stream import Advance, Columns, identifying_columns, stream_friend
from hepneg.ntuples import read
from hepneg.ntuples.columns import Needs
from hepneg.ntuples.evaluate import Evaluator
from hepneg.ntuples.files import sample_files
from hepneg.ntuples.friends import TreeFormat
from hepneg.ntuples.identity import base_name
from hepneg.output import make_folder, write_json
from hepneg.progress import SILENT, Progress
from hepneg.refinement import Refinement, refine

__all__ = ["WEIGHT", "WEIGHT_ERROR", "RefinedFriends", "refine_files"]

WEIGHT, WEIGHT_ERROR = "hepneg_weight", "hepneg_weight_error"


@dataclass(frozen=True, eq=False)
class RefinedFriends:
    """What :func:`refine_files` learnt and wrote.

    Attributes:
        refinement: the learnt weights and their closure.
        files: the closure report and the friend files.
    """

    refinement: Refinement
    files: tuple[Path, ...]


def refine_files(
    config: Config, output: str | Path, *, tree_format: TreeFormat | None = None, progress: Progress = SILENT
) -> RefinedFriends:
    """Learn refined weights from all events of an analysis and write them beside its files.

    ``<input stem>.hepneg.root`` holds a tree ``hepneg`` with one entry for each entry of the input, in its order: the
    branches that identify the event, ``hepneg_weight`` and ``hepneg_weight_error`` (float64, in the unit of the weight
    expression). Each event has the weight of networks that have not seen it; its error is the spread over the folds'
    ensembles. Entries that fail the selection, or have a feature that is NaN, hold NaN.
    ``refine.json`` holds the closure: signed against refined weights, by sample and feature.

    The weights close for functions of the features of the configuration, and of what is independent of the sign given
    these; for any other variable they need not.

    Args:
        config: the analysis; its training settings are those of the sign networks.
        output: folder of the friend files, created where needed.
        tree_format: ``ttree`` or ``rntuple``; left out, that of the input.
        progress: shows reading, training and writing.

    Raises:
        ConfigError: the configuration cannot be used, or is that of a regression, for whose target the weights would not
            close.
        DataError: the files or events are unusable.
        OutputError: friend files that would collide or replace other files, or cannot be written.
    """
    config.require_classification("`hepneg refine`")
    folder = make_folder(Path(output))
    sample_of = {path: name for name in config.samples for path in sample_files(config, name)}
    jobs = plan_jobs(list(sample_of), folder)
    with progress:
        events = read(config, progress=progress)
    refinement = refine(events, progress=progress, **config.training.model_dump(exclude={"scheme"}))
    with progress:
        bar = progress.task("writing refined weights", len(jobs))
        for job in jobs:
            _write(job, _Source.of(job, sample_of[job.source], config, refinement), config, tree_format, bar.advance)
    report = write_json(folder / "refine.json", refinement.to_dict())
    return RefinedFriends(refinement, (report, *(job.path for job in jobs)))


def _write(job: Job, source: _Source, config: Config, tree_format: TreeFormat | None, advance: Advance) -> None:
    stream_friend(
        job,
        config.tree,
        Needs.of(config),
        config.event_id,
        {WEIGHT: np.dtype(np.float64), WEIGHT_ERROR: np.dtype(np.float64)},
        source.chunk,
        lambda _: {"schema_version": 1, "source": job.source, "sample": source.sample},
        tree_format=tree_format,
        advance=advance,
    )


@dataclass(frozen=True, eq=False)
class _Source:
    """What is done to each chunk of one file."""

    config: Config
    sample: str
    evaluator: Evaluator
    refinement: Refinement

    @classmethod
    def of(cls, job: Job, sample: str, config: Config, refinement: Refinement) -> _Source:
        features = {feature.name: feature.expression for feature in config.features}
        name = base_name(job.source)
        evaluator = Evaluator(features, config.selection, config.event_id, name, f"sample {sample!r}, {job.source}")
        return cls(config, sample, evaluator, refinement)

    def chunk(self, start: int, columns: Mapping[str, Any]) -> Columns:
        """Return the friend's columns for one step."""
        entries = len(next(iter(columns.values())))
        entry = np.arange(start, start + entries)
        ids = identifying_columns(columns, self.config.event_id, entry)
        keep = self.evaluator.selected(columns)
        chosen = entry - start if keep is None else np.flatnonzero(keep)
        picked = {name: column[chosen] for name, column in columns.items()}
        features, bad = self.evaluator.matrix(picked, len(chosen))
        good = ~np.logical_or.reduce(list(bad.values())) if bad else np.ones(len(chosen), dtype=bool)
        events = self._events(picked, features, entry[chosen]).select(good)
        weight, error = np.full(entries, np.nan), np.full(entries, np.nan)
        if len(events):
            weight[chosen[good]] = self.refinement.held_out_weight(events)
            error[chosen[good]] = self.refinement.weight_error(
                events.features, events.weight, events.label, np.full(len(events), self.sample)
            )
        return {**ids, WEIGHT: weight, WEIGHT_ERROR: error}

    def _events(
        self, columns: Mapping[str, Any], features: NDArray[np.float32], entry: NDArray[np.int64]
    ) -> EventTable:
        n = len(entry)
        return EventTable(
            features=features.T,
            weight=np.array(self.evaluator.evaluate("weight", self.config.weight, columns), dtype=np.float64),
            label=np.full(n, LABELS[self.config.samples[self.sample].label], dtype=np.int8),
            sample=np.zeros(n, dtype=np.int16),
            event_id=self.evaluator.identifiers(columns, entry),
            feature_names=self.refinement.feature_names,
            sample_names=(self.sample,),
        )

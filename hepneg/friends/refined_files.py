"""Friend files with refined weights: non-negative, with the density of the signed ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepneg._core.output import make_folder, write_json
from hepneg._core.progress import SILENT, Progress
from hepneg._core.timing import timed
from hepneg.config import Config
from hepneg.errors import DataError
from hepneg.events import Collection, EventTable, label_code
from hepneg.friends.friend_stream import Advance, Columns, identifying_columns, stream_friend
from hepneg.friends.plan import Job, plan_jobs
from hepneg.ntuples import read, require_distinct_files
from hepneg.ntuples.columns import Needs
from hepneg.ntuples.evaluator import Evaluator
from hepneg.ntuples.files import sample_files
from hepneg.ntuples.friend_files import TreeFormat
from hepneg.ntuples.identity import base_name
from hepneg.ntuples.sample_files import friends_of
from hepneg.signs.refinement import UNUSED_SETTINGS, Refinement, refine
from hepneg.signs.resampling import ResampledSample

__all__ = ["RESAMPLED", "WEIGHT", "WEIGHT_ERROR", "EventRefiner", "RefinedFriends", "refine_files"]

WEIGHT, WEIGHT_ERROR, RESAMPLED = "hepneg_weight", "hepneg_weight_error", "hepneg_resampled"


@dataclass(frozen=True, eq=False)
class RefinedFriends:
    """What :func:`refine_files` learnt and wrote.

    Attributes:
        refinement: the learnt weights and their closure.
        files: the closure report and the friend files.
        resampled: what resampling did to each sample; empty without it.
    """

    refinement: Refinement
    files: tuple[Path, ...]
    resampled: Mapping[str, ResampledSample] = field(default_factory=dict)


@timed("refine")
def refine_files(
    config: Config,
    output: str | Path,
    *,
    resample: bool = False,
    tree_format: TreeFormat | None = None,
    progress: Progress = SILENT,
) -> RefinedFriends:
    """Learn refined weights from all events of an analysis and write them beside its files.

    ``<input stem>.hepneg.root`` holds a tree ``hepneg`` with one entry for each entry of the input, in its order: the
    branches that identify the event, ``hepneg_weight`` and ``hepneg_weight_error`` (float64, in the unit of the weight
    expression). Each event has the weight of networks that have not seen it; its error is the spread over the folds'
    ensembles. The error of a sum of weights v with errors δ is √(Σv² + (Σδ)²).
    Entries that fail the selection, or have a feature that is NaN, hold NaN.
    With ``resample``, ``hepneg_resampled`` stands beside them: 0 for events to be dropped, and for the others a
    positive weight, such that Σw and Σw² are those of the signed weights in a region of the features on average, as far
    as ĝ has converged there.
    ``refine.json`` holds the closure: signed against refined weights, by sample and feature; it is written last. Where
    files of several samples have the same name, the friend files are in a folder for each sample.

    The weights close for functions of the features of the configuration, and of what is independent of the sign given
    these; for any other variable they need not.

    Args:
        config: the analysis; its training settings are those of the sign networks.
        output: folder of the friend files, created where needed.
        resample: write ``hepneg_resampled`` too (see :meth:`hepneg.signs.refinement.Refinement.resample`).
        tree_format: ``ttree`` or ``rntuple``; left out, that of the input.
        progress: shows reading, training and writing.

    Raises:
        ConfigError: the configuration cannot be used, or is that of a regression, for whose target the weights would
        not
            close.
        DataError: the files or events are unusable. A file that cannot be read beside others of its sample is left out.
        OutputError: friend files that would collide or replace other files, or cannot be written.
    """
    config.require_classification("`hepneg refine`")
    folder = make_folder(Path(output), "`output` (-o)")
    require_distinct_files(config)
    jobs = _plan(config, folder)
    with progress:
        events = read(config, progress=progress)
    settings = config.training.model_dump(exclude=set(UNUSED_SETTINGS))
    refinement = refine(events, progress=progress, **settings)
    with progress:
        bar = progress.task("writing refined weights", len(jobs))
        (folder / "refine.json").unlink(missing_ok=True)  # from here on, an older report would be of mixed files
        for job, sample in tuple(jobs.items()):
            refiner = EventRefiner.of(job.source, sample, config, refinement, resample=resample)
            try:
                _write(job, refiner, config, tree_format, bar.advance)
            except DataError:
                if len(sample_files(config, sample)) == 1:
                    raise
                del jobs[job]  # left out when the events were read, with a warning
    resampled = refinement.resampled_samples(events, seed=config.training.seed) if resample else {}
    extra = {"resampled": {name: one.to_dict() for name, one in resampled.items()}} if resample else {}
    report = write_json(folder / "refine.json", {**refinement.to_dict(), **extra})
    return RefinedFriends(refinement, (report, *(job.path for job in jobs)), resampled)


def _plan(config: Config, folder: Path) -> dict[Job, str]:
    """Name the friend file of each input, and its sample: in one folder if their names allow, else in one a sample."""
    files = {sample: sample_files(config, sample) for sample in config.samples}
    names = [base_name(path) for paths in files.values() for path in paths]
    if len(set(names)) < len(names):
        return {job: sample for sample, paths in files.items() for job in plan_jobs(paths, folder / sample)}
    sample_of = {path: sample for sample, paths in files.items() for path in paths}
    return {job: sample_of[job.source] for job in plan_jobs(list(sample_of), folder)}


def _write(job: Job, source: EventRefiner, config: Config, tree_format: TreeFormat | None, advance: Advance) -> None:
    view = config.for_sample(source.sample)
    stream_friend(
        job,
        view.tree,
        Needs.of(view),
        config.event_id,
        {name: np.dtype(np.float64) for name in source.names},
        source.chunk,
        lambda _: {"schema_version": 1, "source": job.source, "sample": source.sample},
        tree_format=tree_format,
        advance=advance,
        friends=friends_of(config, source.sample).get(job.source, ()),
    )


@dataclass(frozen=True, eq=False)
class EventRefiner:
    """What is done to each chunk of one file.

    Attributes:
        config: the analysis, with the weight and selection of the sample.
        sample: which of its samples the file belongs to.
        evaluator: of the expressions, in this file.
        refinement: the learnt weights.
        resample: whether there is a column of resampled weights too.
    """

    config: Config
    sample: str
    evaluator: Evaluator
    refinement: Refinement
    resample: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The new columns."""
        return (WEIGHT, WEIGHT_ERROR, *([RESAMPLED] if self.resample else []))

    @classmethod
    def of(
        cls, path: str, sample: str, config: Config, refinement: Refinement, *, resample: bool = False
    ) -> EventRefiner:
        """Prepare for one file of a sample."""
        config = config.for_sample(sample)
        return cls(config, sample, Evaluator.of(config, sample, path), refinement, resample)

    def chunk(self, start: int, columns: Mapping[str, Any]) -> Columns:
        """Return the friend's columns for one step."""
        good, events = self._good(start, columns)
        entries = len(next(iter(columns.values())))
        ids = identifying_columns(columns, self.config.event_id, np.arange(start, start + entries))
        new = {name: np.full(entries, np.nan) for name in self.names}
        if len(events):
            for name, values in self._values(events).items():
                new[name][good] = values
        return {**ids, **new}

    def _values(self, events: EventTable) -> Columns:
        refinement = self.refinement
        sample, label = np.full(len(events), self.sample), np.array(events.classes)[events.label]
        values: Columns = {
            WEIGHT: refinement.held_out_weight(events),
            WEIGHT_ERROR: refinement.weight_error(events, events.weight, label, sample),
        }
        if self.resample:
            values[RESAMPLED] = refinement.resample(events, seed=self.config.training.seed)
        return values

    def weight(self, start: int, columns: Mapping[str, Any]) -> NDArray[np.float64]:
        """Return the refined weights of one step, (n,), NaN where the selection fails or a feature is not finite."""
        good, events = self._good(start, columns)
        weight = np.full(len(next(iter(columns.values()))), np.nan)
        if len(events):
            weight[good] = self.refinement.held_out_weight(events)
        return weight

    def _good(self, start: int, columns: Mapping[str, Any]) -> tuple[NDArray[np.intp], EventTable]:
        """Return which events of a step are selected and have finite features, by position, and these events."""
        keep = self.evaluator.selected(columns)
        chosen = np.arange(len(next(iter(columns.values())))) if keep is None else np.flatnonzero(keep)
        picked = {name: column[chosen] for name, column in columns.items()}
        features, objects, bad = self.evaluator.inputs(picked, start + chosen)
        good = ~np.logical_or.reduce(list(bad.values())) if bad else np.ones(len(chosen), dtype=bool)
        return chosen[good], self._events(picked, features, objects, start + chosen).select(good)

    def _events(
        self,
        columns: Mapping[str, Any],
        features: NDArray[np.float32],
        objects: Mapping[str, Collection],
        entry: NDArray[np.int64],
    ) -> EventTable:
        n, folds = len(entry), self.config.folds
        return EventTable(
            features=features.T,
            weight=np.array(self.evaluator.evaluate("weight", self.config.weight, columns), dtype=np.float64),
            label=np.full(n, label_code(self.config.samples[self.sample].label, self.config.classes), dtype=np.int8),
            sample=np.zeros(n, dtype=np.int16),
            event_id=self.evaluator.identifiers(columns, entry),
            feature_names=self.refinement.feature_names,
            sample_names=(self.sample,),
            fold=None if folds is None else self.evaluator.folds(folds.by, folds.count, columns, entry),
            collections=objects,
            categories=self.config.categories,
            classes=self.config.classes,
        )

"""From files to events: chunks of evaluated columns, and the whole table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from hepneg._core.progress import SILENT, Progress
from hepneg._core.timing import timed
from hepneg.config import PB_TO_FB, Config
from hepneg.errors import DataError
from hepneg.events import LABELS, EventTable, check_grades, first_entries
from hepneg.expressions import Expression
from hepneg.ntuples.column_stream import STEP_SIZE, stream_columns
from hepneg.ntuples.columns import Needs
from hepneg.ntuples.evaluate import Evaluator
from hepneg.ntuples.exact_sums import exact_sum
from hepneg.ntuples.files import open_tree, require_distinct_files, sample_files
from hepneg.ntuples.identity import base_name
from hepneg.ntuples.table_checks import warn_about_dropped, warn_about_events

__all__ = ["Chunk", "ChunkMaker", "read", "read_chunks", "require_selected", "scale_factor"]


@dataclass(frozen=True, eq=False, slots=True)
class Chunk:
    """Selected events of one step through one file.

    Attributes:
        features: (n, F) float32, stored column by column.
        weight: raw signed weights, before any scale, (n,) float64.
        event_id: integers of 64 bits, (n,) or (n, m) for m identifying branches.
        entries: events in the step before the selection.
        sum_weights_all: Σ of the raw weights of all those events, exact.
        dropped: selected events left out because a feature or the target is NaN or infinite.
        variations: (n, V) raw weights of the systematic variations, in the order of the configuration; V is 0 where
            they were not asked for.
        target: of a regression, (n,) float64, or None.
        grade: how right each target is, (n,) float64, or None.
    """

    features: NDArray[np.float32]
    weight: NDArray[np.float64]
    event_id: NDArray[np.integer]
    entries: int
    sum_weights_all: Fraction
    dropped: int
    variations: NDArray[np.float64]
    target: NDArray[np.float64] | None = None
    grade: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.weight)


def read_chunks(
    config: Config,
    sample: str,
    *,
    systematics: bool = False,
    progress: Progress = SILENT,
    step_size: int | str = STEP_SIZE,
) -> Iterator[Chunk]:
    """Read one sample in chunks, in the order of its files; memory is bounded by the step.

    Args:
        config: the analysis.
        sample: name of the sample.
        systematics: whether to read the systematic variations of the weight too.
        progress: shows how much of the files is read.
        step_size: entries in a chunk, or the size of the branches behind it in memory (``"24 MB"``).

    Yields:
        Chunks, also those from which the selection keeps nothing. Files without entries yield nothing.

    Raises:
        DataError: an unusable file or branch, a NaN or infinite weight or variation, a feature or target of that kind
            where ``on_nan`` is ``error``, or a grade outside [−1, 1].
    """
    needs = Needs.of(config, systematics=systematics)
    files = sample_files(config, sample)
    bar = progress.task(f"reading {sample}", len(files))
    for path in files:
        with open_tree(path, config.tree) as tree:
            needs.check(tree, path)
            source = ChunkMaker.of(config, sample, path, systematics=systematics)
            for start, columns in stream_columns(tree, list(needs.used_by), path, step_size):
                chunk = source.chunk(start, columns)
                bar.advance(chunk.entries / tree.num_entries)
                yield chunk


def scale_factor(config: Config, sample: str, sum_weights_all: float | Fraction) -> float:
    """Return what the raw weights of a sample are multiplied with.

    Args:
        config: the analysis.
        sample: name of the sample.
        sum_weights_all: Σ of the raw weights before the selection over the whole sample; ignored where the
            configuration gives ``sum_of_weights``.

    Returns:
        σ[pb]·1000·L[1/fb] / Σw, or 1.0 for a sample without cross section.

    Raises:
        DataError: Σw is not positive.
    """
    choice = config.samples[sample]
    if choice.cross_section is None or config.luminosity is None:
        return 1.0
    total = choice.sum_of_weights if choice.sum_of_weights is not None else float(sum_weights_all)
    if not total > 0:
        raise DataError(
            f"sample {sample!r}: the weights before the selection sum to {total:g}, so they cannot be scaled to a "
            f"cross section; give the sum over all generated events as `samples.{sample}.sum_of_weights`"
        )
    return choice.cross_section * PB_TO_FB * config.luminosity / total


def read(config: Config, *, progress: Progress = SILENT, step_size: int | str = STEP_SIZE) -> EventTable:
    """Read all samples into memory, with the weights scaled to cross section and luminosity.

    The result does not depend on ``step_size``.

    Args:
        config: the analysis.
        progress: shows how much of the files is read.
        step_size: as in :func:`read_chunks`.

    Raises:
        DataError: as :func:`read_chunks`; also a sample of which the selection keeps nothing, and a file that belongs
            to two samples.

    Warns:
        HepnegWarning: a sample without negative weights; events left out for features that are not finite; event
            identifiers that repeat.
    """
    require_distinct_files(config)
    with timed("reading the events"):
        parts = {
            sample: list(read_chunks(config, sample, progress=progress, step_size=step_size))
            for sample in config.samples
        }
    scales = {sample: _sample_scale(config, sample, chunks) for sample, chunks in parts.items()}
    sizes = [sum(map(len, chunks)) for chunks in parts.values()]
    codes = np.arange(len(sizes), dtype=np.int16)
    labels = np.array([LABELS[sample.label] for sample in config.samples.values()], dtype=np.int8)
    weight = np.concatenate([chunk.weight * scales[sample] for sample, chunks in parts.items() for chunk in chunks])
    event_id = _join_ids([chunk.event_id for chunks in parts.values() for chunk in chunks])
    target, grade = (_join_column(parts, name) for name in ("target", "grade"))
    table = EventTable(
        _join_features([chunk for chunks in parts.values() for chunk in chunks], parts),
        weight,
        np.repeat(labels, sizes),
        np.repeat(codes, sizes),
        event_id,
        config.feature_names,
        tuple(config.samples),
        target,
        grade,
    )
    warn_about_events(table)
    return table


def require_selected(config: Config, sample: str, *, selected: int, entries: int, dropped: int = 0) -> None:
    """Refuse a sample of which nothing is left.

    Args:
        config: the analysis.
        sample: name of the sample.
        selected: events that are left.
        entries: events in its files.
        dropped: selected events that were dropped for features that are not finite.

    Raises:
        DataError: nothing is left; the message says of how many entries, and why.
    """
    if selected:
        return
    condition = f"the selection {config.selection.text!r} keeps" if config.selection else "its files hold"
    why = f" ({dropped} events were dropped for NaN features)" if dropped else ""
    raise DataError(f"sample {sample!r}: {condition} none of {entries} entries{why}; check `selection:` and the files")


def _sample_scale(config: Config, sample: str, chunks: list[Chunk]) -> float:
    require_selected(
        config,
        sample,
        selected=sum(map(len, chunks)),
        entries=sum(chunk.entries for chunk in chunks),
        dropped=sum(chunk.dropped for chunk in chunks),
    )
    warn_about_dropped(sample, sum(chunk.dropped for chunk in chunks), sum(map(len, chunks)))
    return scale_factor(config, sample, sum((chunk.sum_weights_all for chunk in chunks), Fraction(0)))


def _join_features(chunks: list[Chunk], owners: dict[str, list[Chunk]]) -> NDArray[np.float32]:
    """Join the features column by column, giving up each chunk as soon as it is copied."""
    features = np.empty((chunks[0].features.shape[1], sum(map(len, chunks))), dtype=np.float32)
    owners.clear()
    chunks.reverse()
    start = 0
    while chunks:
        part = chunks.pop().features.T
        features[:, start : start + part.shape[1]] = part
        start += part.shape[1]
    return features.T


def _join_column(parts: Mapping[str, list[Chunk]], name: str) -> NDArray[np.float64] | None:
    columns = [getattr(chunk, name) for chunks in parts.values() for chunk in chunks]
    return None if columns[0] is None else np.concatenate(columns)


def _join_ids(parts: list[NDArray[np.integer]]) -> NDArray[np.integer]:
    """Join identifiers; where files differ in signedness, as bits of uint64, which hash alike."""
    kinds = {part.dtype for part in parts}
    common = kinds.pop() if len(kinds) == 1 else np.dtype(np.uint64)
    return np.concatenate([part.astype(common, copy=False) for part in parts])


@dataclass(frozen=True)
class ChunkMaker:
    """Evaluates what one file of a sample delivers; its name is in every message.

    Attributes:
        config: the analysis.
        evaluator: of its expressions, in this file.
        systematics: of the weight; empty where they are not looked at.
    """

    config: Config
    evaluator: Evaluator
    systematics: Mapping[str, Expression]

    @classmethod
    def of(cls, config: Config, sample: str, path: str, *, systematics: bool = False) -> ChunkMaker:
        """Prepare for one file of a sample, with the systematic variations or without."""
        features = {feature.name: feature.expression for feature in config.features}
        where = f"sample {sample!r}, {path}"
        evaluator = Evaluator(features, config.selection, config.event_id, base_name(path), where)
        return cls(config, evaluator, config.systematics if systematics else {})

    def chunk(self, start: int, columns: Mapping[str, Any]) -> Chunk:
        """Evaluate one step.

        Args:
            start: entry number of its first event in the file.
            columns: the branches that the configuration needs: flat numpy or jagged awkward arrays.

        Raises:
            DataError: a NaN or infinite weight, or a feature of that kind where ``on_nan`` is ``error``.
        """
        weight = self._weight(start, columns)
        total, entries = exact_sum(weight), len(weight)
        entry = np.arange(start, start + entries)
        keep = self.evaluator.selected(columns)
        if keep is not None and not keep.all():
            columns = {name: column[keep] for name, column in columns.items()}
            weight, entry = weight[keep], entry[keep]
        event_id = self.evaluator.identifiers(columns, entry)
        features, wrong = self.evaluator.matrix(columns, len(entry))
        target, grade = (self._column(name, columns) for name in ("target", "grade"))
        bad = {f"feature {name!r}": mask for name, mask in wrong.items()}
        for name, column in (("target", target), ("grade", grade)):
            if column is not None and not np.isfinite(column).all():
                bad[name] = ~np.isfinite(column)
        if bad and self.config.on_nan == "error":
            self._refuse(bad, entry, start + entries)
        varied = self._variations(columns, entry)
        chunk = Chunk(features.T, weight, event_id, entries, total, 0, varied, target, grade)
        kept = _without(chunk, np.logical_or.reduce(list(bad.values()))) if bad else chunk
        if kept.grade is not None:
            check_grades(kept.grade, f"{self.evaluator.where}: ")
        return kept

    def _column(self, name: str, columns: Mapping[str, Any]) -> NDArray[np.float64] | None:
        """Return the target or the grade, (n,); None where the configuration has none."""
        expression = getattr(self.config, name)
        if expression is None:
            return None
        return self.evaluator.evaluate(name, expression, columns).astype(np.float64, copy=False)

    def _weight(self, start: int, columns: Mapping[str, Any]) -> NDArray[np.float64]:
        weight = self.evaluator.evaluate("weight", self.config.weight, columns).astype(np.float64, copy=False)
        bad = ~np.isfinite(weight)
        if bad.any():
            raise DataError(
                f"{self.evaluator.where}: weight {self.config.weight.text!r} is NaN or infinite in {int(bad.sum())} "
                f"of the {start + len(weight)} entries read so far, at {first_entries(bad, start)}; mend the "
                "file or the expression"
            )
        return weight

    def _variations(self, columns: Mapping[str, Any], entry: NDArray[np.int64]) -> NDArray[np.float64]:
        """Evaluate the systematic variations of selected events."""
        varied = np.empty((len(self.systematics), len(entry)))
        for row, (name, expression) in zip(varied, self.systematics.items(), strict=True):
            row[:] = self.evaluator.evaluate(f"systematic variation {name!r}", expression, columns)
            bad = np.flatnonzero(~np.isfinite(row))
            if len(bad):
                raise DataError(
                    f"{self.evaluator.where}: the systematic variation {name!r} ({expression.text}) is NaN or "
                    f"infinite in {len(bad)} selected events from entry {entry[bad[0]]} on; mend the file "
                    "or the expression"
                )
        return varied.T

    def _refuse(self, bad: Mapping[str, NDArray[np.bool_]], entry: NDArray[np.int64], read_so_far: int) -> NoReturn:
        """Name the first feature, or the target, that is not finite, and where."""
        name, wrong = next(iter(bad.items()))
        raise DataError(
            f"{self.evaluator.where}: {name} is NaN or infinite in {int(wrong.sum())} selected events "
            f"among the {read_so_far} entries read so far, at {_listed(entry[wrong])}; mend the expression, cut "
            "on it with `selection:`, or set `on_nan: drop`"
        )


def _listed(entries: NDArray[np.int64], most: int = 5) -> str:
    """Name the first of some entries, for a message."""
    shown = ", ".join(map(str, entries[:most]))
    return f"{'entry' if len(entries) == 1 else 'entries'} {shown}" + (", …" if len(entries) > most else "")


def _without(chunk: Chunk, bad: NDArray[np.bool_]) -> Chunk:
    good = ~bad
    return replace(
        chunk,
        features=np.ascontiguousarray(chunk.features.T[:, good]).T,
        weight=chunk.weight[good],
        event_id=chunk.event_id[good],
        variations=chunk.variations[good],
        dropped=int(bad.sum()),
        target=None if chunk.target is None else chunk.target[good],
        grade=None if chunk.grade is None else chunk.grade[good],
    )

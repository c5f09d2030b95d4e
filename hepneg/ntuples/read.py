"""From files to events: chunks of evaluated columns, and the whole table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hepneg._core.progress import SILENT, Progress
from hepneg._core.timing import timed
from hepneg.config import Config, Sample
from hepneg.errors import DataError
from hepneg.events import Collection, EventTable, label_code
from hepneg.events.collection import require_objects
from hepneg.ntuples.chunk import Chunk
from hepneg.ntuples.column_stream import STEP_SIZE
from hepneg.ntuples.generator_sums import GeneratorSums
from hepneg.ntuples.normalisation import scale_factor
from hepneg.ntuples.overlaps import refuse_copies, require_distinct_files
from hepneg.ntuples.reading_notes import ReadingNotes
from hepneg.ntuples.sample_files import SampleFiles
from hepneg.ntuples.table_checks import warn_about_dropped, warn_about_events

__all__ = ["ChunkReader", "read", "read_chunks", "require_selected", "require_weights"]

ChunkReader: TypeAlias = Callable[..., Iterator[Chunk]]
"""Reads a sample in chunks, as :func:`read_chunks` does."""


def read_chunks(
    config: Config,
    sample: str,
    *,
    systematics: bool = False,
    notes: ReadingNotes | None = None,
    progress: Progress = SILENT,
    step_size: int | str = STEP_SIZE,
) -> Iterator[Chunk]:
    """Read one sample in chunks, in the order of its files; memory is bounded by the step.

    Of several files those that cannot be read are left out, with a warning; where the sample has a cross section and
    its files hold the generator's sums of weights, these stand in ``sum_weights_all``.

    Args:
        config: the analysis.
        sample: name of the sample, of data too.
        systematics: whether to read the systematic variations of the weight too.
        notes: collects what is worth knowing about the samples.
        progress: shows how much of the files is read.
        step_size: entries in a chunk, or the size of the branches behind it in memory (``"24 MB"``).

    Yields:
        Chunks, also those from which the selection keeps nothing. Files without entries yield nothing.

    Raises:
        DataError: an unusable file or branch where there is no other, a NaN or infinite weight or variation or one with
        a
            missing element, a feature or target of that kind where ``on_nan`` is ``error``, or a grade outside [−1, 1].

    Warns:
        HepnegWarning: files that were left out; generator's sums that differ from Σw of the events.
    """
    files = SampleFiles.of(config, sample, systematics=systematics)
    sums = GeneratorSums.of(config, sample)
    held: Chunk | None = None
    for chunk in files.chunks(sums, progress, step_size):
        if notes is not None:
            notes.add(sample, chunk)
        if sums is None:
            yield chunk
            continue
        if held is not None:
            yield held
        held = chunk
    if sums is not None and held is not None:
        yield replace(held, sum_weights_all=held.sum_weights_all + sums.generated_total())


def read(
    config: Config,
    *,
    data: bool = False,
    progress: Progress = SILENT,
    step_size: int | str = STEP_SIZE,
    chunks: ChunkReader | None = None,
) -> EventTable:
    """Read all samples into memory, with the weights scaled to cross section and luminosity.

    The result does not depend on ``step_size``.

    Args:
        config: the analysis.
        data: read the samples of measured data (``label: data``) instead of the simulated ones.
        progress: shows how much of the files is read.
        step_size: as in :func:`read_chunks`.
        chunks: reads a sample; left out, :func:`read_chunks` does.

    Raises:
        DataError: as :func:`read_chunks`; also a sample of which the selection keeps nothing, events that would count
            twice in one class, and ``data`` without such samples.

    Warns:
        HepnegWarning: a sample without negative weights; events left out for features that are not finite; event
            identifiers that repeat; weights of very different sizes; files that seem to be missing.
    """
    samples = config.data if data else config.samples
    if not samples:
        raise DataError("the configuration has no sample with `label: data`")
    source = {} if data else require_distinct_files(config)
    notes = ReadingNotes()
    chunked = chunks or partial(read_chunks, step_size=step_size)
    with timed("reading the events"):
        parts = {sample: list(chunked(config, sample, notes=notes, progress=progress)) for sample in samples}
    table = replace(_joined(config, samples, parts), source=source)
    if not data:
        require_objects(table.collections)
        notes.warn(config)
        refuse_copies(table)
        warn_about_events(table)
    return table


def _joined(config: Config, samples: Mapping[str, Sample], parts: dict[str, list[Chunk]]) -> EventTable:
    """Make one table of the chunks, which are given up."""
    scales = {sample: _sample_scale(config, sample, chunks) for sample, chunks in parts.items()}
    sizes = [sum(map(len, chunks)) for chunks in parts.values()]
    codes = np.arange(len(sizes), dtype=np.int16)
    labels = np.array([label_code(sample.label, config.classes) for sample in samples.values()], dtype=np.int8)
    weight = np.concatenate([chunk.weight * scales[sample] for sample, chunks in parts.items() for chunk in chunks])
    event_id = _join_ids([chunk.event_id for chunks in parts.values() for chunk in chunks])
    target, grade, fold = (_join_column(parts, name) for name in ("target", "grade", "fold"))
    collections = _join_collections([chunk for chunks in parts.values() for chunk in chunks])
    return EventTable(
        _join_features([chunk for chunks in parts.values() for chunk in chunks], parts),
        weight,
        np.repeat(labels, sizes),
        np.repeat(codes, sizes),
        event_id,
        config.feature_names,
        tuple(samples),
        target,
        grade,
        fold,
        target_names=tuple(part.name for part in config.target),
        collections=collections,
        categories=config.categories,
        classes=config.classes,
    )


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
    selection = config.for_sample(sample).selection
    left = (
        f"the selection {selection.text!r} keeps none of {entries} entries"
        if selection
        else f"none of {entries} entries is left"
    )
    if not entries and not selection:
        left = "its files have no entries"
    why = f" ({dropped} events were dropped for NaN features)" if dropped else ""
    raise DataError(f"sample {sample!r}: {left}{why}; check `selection:` and the files")


def require_weights(sample: str, *, weighted: bool) -> None:
    """Refuse a sample of which every weight is zero.

    Raises:
        DataError: not ``weighted``.
    """
    if not weighted:
        raise DataError(f"sample {sample!r}: every selected event has the weight 0; check `weight:` and the files")


def _sample_scale(config: Config, sample: str, chunks: list[Chunk]) -> float:
    require_selected(
        config,
        sample,
        selected=sum(map(len, chunks)),
        entries=sum(chunk.entries for chunk in chunks),
        dropped=sum(chunk.dropped for chunk in chunks),
    )
    warn_about_dropped(sample, sum(chunk.dropped for chunk in chunks), sum(map(len, chunks)))
    require_weights(sample, weighted=any(chunk.weight.any() for chunk in chunks))
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


def _join_column(parts: Mapping[str, list[Chunk]], name: str) -> NDArray[Any] | None:
    columns = [getattr(chunk, name) for chunks in parts.values() for chunk in chunks]
    return None if columns[0] is None else np.concatenate(columns)


def _join_collections(chunks: list[Chunk]) -> dict[str, Collection]:
    return {
        name: Collection.concatenate([chunk.collections[name] for chunk in chunks]) for name in chunks[0].collections
    }


def _join_ids(parts: list[NDArray[np.integer]]) -> NDArray[np.integer]:
    """Join identifiers; where files differ in signedness, as bits of uint64, which hash alike."""
    kinds = {part.dtype for part in parts}
    common = kinds.pop() if len(kinds) == 1 else np.dtype(np.uint64)
    return np.concatenate([part.astype(common, copy=False) for part in parts])

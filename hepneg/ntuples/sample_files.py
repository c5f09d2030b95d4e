"""The files of one sample, read one after the other; those that cannot be read are left out where there are others."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from hepneg._core.progress import Progress
from hepneg.config import Config
from hepneg.errors import DataError, HepnegWarning, TransferError
from hepneg.ntuples.chunk import Chunk, ChunkMaker
from hepneg.ntuples.column_stream import stream_columns
from hepneg.ntuples.columns import Needs
from hepneg.ntuples.event_source import EventSource, open_events
from hepneg.ntuples.files import resolve_files, sample_files
from hepneg.ntuples.generator_sums import GeneratedSum, GeneratorSums
from hepneg.ntuples.identity import base_name

__all__ = ["SampleFiles", "friends_of"]


class _UnreadableError(Exception):
    """A file cannot be read on.

    Args:
        error: why.
        read: entries that were delivered before.
        entries: in the file; None where that is not known.
    """

    def __init__(self, error: DataError, read: int, entries: int | None) -> None:
        super().__init__(str(error))
        self.error, self.read, self.entries = error, read, entries

    @property
    def share(self) -> Fraction:
        """Of the entries that were delivered."""
        return Fraction(self.read, self.entries) if self.entries else Fraction(0)

    def __str__(self) -> str:
        lost = (
            f"{self.entries - self.read} of its {self.entries} events" if self.entries else "its events, however many,"
        )
        return f"{self.error} — {lost} are left out"


def friends_of(config: Config, sample: str) -> dict[str, tuple[str, ...]]:
    """Return the friend files of each file of a sample.

    Raises:
        DataError: a friend is missing, or there are more or fewer than files.
    """
    files, patterns = sample_files(config, sample), config.sample(sample).friends or ()
    named = [pattern for pattern in patterns if "{stem}" in pattern]
    paired: list[list[str]] = [[] for _ in files]
    for pattern in named:
        for friends, path in zip(paired, files, strict=True):
            stem = PurePosixPath(base_name(path)).stem
            friends.extend(_resolved(config, sample, [pattern.replace("{stem}", stem)]))
    listed = [pattern for pattern in patterns if "{stem}" not in pattern]
    others = _resolved(config, sample, listed) if listed else []
    if others and len(others) != len(files):
        raise DataError(
            f"sample {sample!r}: {len(others)} friends for {len(files)} files; give one for each, in their order, "
            "or a pattern with {stem}"
        )
    return {
        path: (*friends, *others[number : number + 1])
        for number, (path, friends) in enumerate(zip(files, paired, strict=True))
    }


def _resolved(config: Config, sample: str, patterns: list[str]) -> tuple[str, ...]:
    try:
        return resolve_files(patterns, config.folder, sample)
    except DataError as error:
        raise DataError(str(error).replace(f"`samples.{sample}.files`", f"`samples.{sample}.friends`")) from None


@dataclass(frozen=True)
class SampleFiles:
    """How one sample is read.

    Attributes:
        config: the analysis.
        sample: its name.
        tree: name of its tree.
        needs: the branches.
        systematics: whether to read the systematic variations of the weight too.
        friends: the friend files of each file.
    """

    config: Config
    sample: str
    tree: str
    needs: Needs
    systematics: bool
    friends: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, config: Config, sample: str, *, systematics: bool = False) -> SampleFiles:
        """Prepare for a sample.

        Raises:
            DataError: a file or friend is missing.
        """
        view = config.for_sample(sample)
        needs = Needs.of(view, systematics=systematics)
        return cls(config, sample, view.tree, needs, systematics, friends_of(config, sample))

    def chunks(self, sums: GeneratorSums | None, progress: Progress, step_size: int | str) -> Iterator[Chunk]:
        """Yield the chunks of all files that can be read; generator's sums go into ``sums``, in the place of the
        chunks' own.

        Raises:
            DataError: no file can be read, an address cannot, or the events cannot be used.

        Warns:
            HepnegWarning: for each file that is left out.
        """
        bar = progress.task(f"reading {self.sample}", len(self.friends))
        failures: list[_UnreadableError] = []
        for path in self.friends:
            done, counted, entries, share, found = 0.0, Fraction(0), 0, Fraction(1), None
            try:
                found = None if sums is None else self._generated(sums, path)
                for part, total in self._file(path, step_size):
                    counted += part.sum_weights_all
                    entries += part.entries
                    done += part.entries / total
                    bar.advance(part.entries / total)
                    yield part if found is None else replace(part, sum_weights_all=Fraction(0))
            except _UnreadableError as failure:
                if len(self.friends) == 1 or isinstance(failure.error, TransferError):
                    raise failure.error from None
                failures.append(failure)
                share = failure.share
                bar.advance(1.0 - done)
            if sums is not None and share:
                sums.add(found, counted, entries, share)
        self._say(failures)

    def _say(self, failures: list[_UnreadableError]) -> None:
        if len(failures) == len(self.friends):
            raise failures[0].error
        for failure in failures:
            warnings.warn(f"sample {self.sample!r}: {failure}", HepnegWarning, stacklevel=5)

    def _generated(self, sums: GeneratorSums, path: str) -> GeneratedSum | None:
        try:
            return sums.sum_of(path)
        except DataError as error:
            raise _UnreadableError(error, 0, None) from None

    def _file(self, path: str, step_size: int | str) -> Iterator[tuple[Chunk, int]]:
        """Yield the chunks of one file, with the number of its entries."""
        maker = ChunkMaker.of(self.config, self.sample, path, systematics=self.systematics)
        read, entries = 0, None
        try:
            with open_events(path, self.tree, self.friends[path]) as source:
                entries = source.num_entries
                names = self.needs.check(source, path)
                checks = _identifier_checks(source, self.config.event_id)
                steps = stream_columns(source, [*names, *checks], path, step_size)
                while (step := next(steps, None)) is not None:
                    _compare_identifiers(step[1], checks, source)
                    chunk = _chunk(maker, *step)
                    yield chunk, entries
                    read += chunk.entries
        except _EventsError as error:
            raise error.error from None
        except DataError as error:
            raise _UnreadableError(error, read, entries) from None


class _EventsError(Exception):
    """What is read is no basis for work: that must not pass for an unreadable file."""

    def __init__(self, error: DataError) -> None:
        super().__init__(str(error))
        self.error = error


def _chunk(maker: ChunkMaker, start: int, columns: Mapping[str, Any]) -> Chunk:
    try:
        return maker.chunk(start, columns)
    except DataError as error:
        raise _EventsError(error) from None


def _identifier_checks(source: EventSource, event_id: tuple[str, ...]) -> dict[str, str]:
    """Return columns of friends that must equal those of the file, as they identify the events."""
    checks = {}
    for number, part in enumerate(source.parts[1:], start=1):
        for name in event_id:
            found = source.find(name)
            if found is not None and not found.part and part.catalogue.find(name.replace(".", "_"), part.path):
                checks[f"{name}@{number}"] = name
    return checks


def _compare_identifiers(columns: Mapping[str, Any], checks: Mapping[str, str], source: EventSource) -> None:
    for check, name in checks.items():
        if not np.array_equal(np.asarray(columns[check]), np.asarray(columns[name])):
            friend = source.parts[int(check.rpartition("@")[2])].path
            raise _EventsError(
                DataError(
                    f"the friend {friend} is not of the events of {source.path}: {name!r} differs; a friend must "
                    "be of the same events in the same order"
                )
            )

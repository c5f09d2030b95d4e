"""Where the events at hand come from: sample, file and entries, as coffea's metadata tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hepneg.errors import DataError, nearest_names
from hepneg.ntuples.identity import NO_UUID, FileIdentity, base_name

if TYPE_CHECKING:
    import awkward as ak

__all__ = ["Origin"]


@dataclass(frozen=True, slots=True)
class Origin:
    """What is known of a chunk of events.

    Attributes:
        sample: the metadata's ``sample``, or else its ``dataset``; empty where there is neither.
        path: of the file; empty where it is not known.
        uuid: that ROOT gave to the file; empty where it is not known.
        start: entry number of the first event in the file.
        entries: how many entries of the file were read; None where it is not known.
    """

    sample: str
    path: str
    uuid: str
    start: int
    entries: int | None

    @classmethod
    def of(cls, events: ak.Array) -> Origin:
        """Read the metadata that coffea attaches to the events."""
        found: Mapping[str, Any] = events.layout.purelist_parameter("metadata") or {}
        start, stop = found.get("entrystart"), found.get("entrystop")
        entries = None if start is None or stop is None else int(stop) - int(start)
        sample = str(found.get("sample") or found.get("dataset") or "")
        path, uuid = str(found.get("filename") or ""), str(found.get("fileuuid") or "")
        return cls(sample, path, uuid, int(start or 0), entries)

    @property
    def where(self) -> str:
        """What messages call the events."""
        return self.path or (f"dataset {self.sample!r}" if self.sample else "the events")

    def known_sample(self, samples: Iterable[str]) -> str:
        """Return the sample.

        Raises:
            DataError: it is not among those of the configuration.
        """
        if self.sample not in samples:
            raise DataError(
                f"{self.where}: no sample {self.sample!r} in the configuration{nearest_names(self.sample, samples)}; "
                "call the dataset as the sample, or put the name of the sample into its metadata as `sample`"
            )
        return self.sample

    @property
    def identity(self) -> FileIdentity:
        """By which a model knows the files that it was trained on: the UUID alone, as the content is not looked at."""
        return FileIdentity(base_name(self.path), self.uuid or NO_UUID, 0, "")

    def require_entries(self, events: int) -> None:
        """Refuse events whose entry numbers cannot be known, for identifiers made of file and entry.

        Raises:
            DataError: there is no file, or the events are a part of the entries that were read.
        """
        if not self.path or self.entries != events:
            raise DataError(
                f"{self.where}: no branch identifies an event, and the file and entry numbers of these {events} events "
                "are not known; name branches with `event_id:`, or pass the events as they were read, before any cut"
            )

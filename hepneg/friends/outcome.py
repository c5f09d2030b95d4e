"""What came of writing friend files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from hepneg._core.json_values import json_object
from hepneg._core.tables import html_table

__all__ = ["FriendFile", "Friends"]

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class FriendFile:
    """One friend file, or one file with the new branches in its own tree.

    Attributes:
        source: path of the input.
        path: of the friend file, or of the file with the new branches.
        entries: in the input and in the friend file.
        selected: entries that pass the model's selection.
        held_out: whether each event got the network that has not seen it; else it got the mean of all.
        not_finite: number of selected entries in which a feature is NaN or infinite, by feature; their response is NaN.
        kept: whether the file was there already, from an earlier run.
        friend: for a file with the new branches, the friend file that they come from; None for a friend file itself,
            and where an earlier run's has been removed.
        unknown: values of categories that the model does not know, by feature; it takes them as such.
    """

    source: str
    path: str
    entries: int
    selected: int
    held_out: bool
    not_finite: Mapping[str, int] = field(default_factory=dict)
    kept: bool = False
    friend: FriendFile | None = None
    unknown: Mapping[str, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Friends:
    """What one call wrote for each input, in their order: its friend file, or the file with the new branches."""

    files: tuple[FriendFile, ...]

    @property
    def written(self) -> tuple[FriendFile, ...]:
        """All files: those with the new branches come after the friend files that these are from."""
        return tuple(one for file in self.files for one in (file.friend, file) if one is not None)

    @property
    def entries(self) -> int:
        """Entries of all files."""
        return sum(file.entries for file in self.files)

    @property
    def selected(self) -> int:
        """Selected entries of all files."""
        return sum(file.selected for file in self.files)

    @property
    def kept(self) -> int:
        """Files that an earlier run had finished."""
        return sum(file.kept for file in self.files)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON-ready values."""
        return json_object({"schema_version": SCHEMA_VERSION, "entries": self.entries, "files": self.files})

    def __repr__(self) -> str:
        return f"Friends({len(self.files)} files, {self.kept} kept; {self.selected} of {self.entries} entries selected)"

    def _repr_html_(self) -> str:
        rows = [
            (file.path, file.entries, file.selected, "held out" if file.held_out else "mean") for file in self.written
        ]
        return html_table(("file", "entries", "selected", "network"), rows)

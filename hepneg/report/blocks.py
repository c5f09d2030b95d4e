"""What a section of the page is made of: frozen pieces that the template turns into HTML, one ``kind`` each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from hepneg._core.tables import Table
from hepneg.report.pictures import Picture

__all__ = [
    "Block",
    "Code",
    "Details",
    "Facts",
    "Figure",
    "Gallery",
    "Heading",
    "Items",
    "NotRun",
    "Section",
    "Text",
]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure, or the name of the file that is missing and the command that writes it."""

    kind: ClassVar[str] = "figure"
    stem: str
    caption: str
    alternative: str
    picture: Picture | None
    command: str


@dataclass(frozen=True, slots=True)
class Gallery:
    """Figures side by side, as far as the screen allows."""

    kind: ClassVar[str] = "gallery"
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    kind: ClassVar[str] = "text"
    text: str


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading within a section, with a verdict where there is one."""

    kind: ClassVar[str] = "heading"
    text: str
    verdict: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """Terms and their values."""

    kind: ClassVar[str] = "facts"
    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Items:
    """A list of remarks under a heading."""

    kind: ClassVar[str] = "items"
    title: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Code:
    """Text that keeps its lines."""

    kind: ClassVar[str] = "code"
    text: str


@dataclass(frozen=True, slots=True)
class Details:
    """A figure or a table that opens on a click."""

    kind: ClassVar[str] = "details"
    title: str
    remark: str
    content: Figure | Table


@dataclass(frozen=True, slots=True)
class NotRun:
    """A step without results, and the command that makes them."""

    kind: ClassVar[str] = "not_run"
    command: str


Block: TypeAlias = Table | Figure | Gallery | Text | Heading | Facts | Items | Code | Details | NotRun


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page."""

    name: str
    title: str
    blocks: Sequence[Block]

    @property
    def missing(self) -> tuple[str, ...]:
        """The commands of its steps that were not run."""
        return tuple(block.command for block in self.blocks if isinstance(block, NotRun))

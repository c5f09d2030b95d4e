"""What a section of the page is made of: frozen pieces that the template turns into HTML, one ``kind`` each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from hepneg._core.formatting import MISSING
from hepneg.report.pictures import Picture

__all__ = [
    "Block",
    "Cell",
    "Code",
    "Column",
    "Details",
    "Facts",
    "Figure",
    "Gallery",
    "Heading",
    "Items",
    "NotRun",
    "Section",
    "Table",
    "Text",
    "number",
]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: numbers stand right, prose may wrap."""

    name: str
    form: Literal["text", "number", "prose"] = "number"


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell shows and, in a column of numbers, what it is sorted by (None: after all others)."""

    text: str
    value: float | None = None


def number(text: str, value: float | None) -> Cell:
    """Make a cell of a number; an undefined one shows as a dash."""
    return Cell(MISSING if value is None else text, value)


@dataclass(frozen=True, slots=True)
class Table:
    """A table that the reader can sort; the first cell of each row is its heading."""

    kind: ClassVar[str] = "table"
    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]


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
    """Something that opens on a click."""

    kind: ClassVar[str] = "details"
    title: str
    remark: str
    figure: Figure


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

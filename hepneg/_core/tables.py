"""One value for a table, shown on a terminal, on the HTML page and in a notebook with the same heads and digits."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from hepneg._core.estimate import Estimate
from hepneg._core.formatting import MISSING, count, measured, significant

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions
    from rich.table import Table as RichTable

__all__ = ["Cell", "Column", "Table", "html_table"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        head: what stands above it.
        show: turns a value that is not missing into text.
        kind: numbers stand right, prose may wrap.
        essential: also shown where there is little room, as on a narrow terminal.
    """

    head: str
    show: Callable[[Any], str] = str
    kind: Literal["text", "number", "prose"] = "text"
    essential: bool = True

    def cell(self, value: Any) -> Cell:
        """Return what is shown of a value; None and NaN are dashes, a :class:`Cell` is taken as it is."""
        if isinstance(value, Cell):
            return value
        number = value.value if isinstance(value, Estimate) else value
        if number is None or (isinstance(number, float) and math.isnan(number)):
            return Cell(MISSING)
        return Cell(self.show(value), float(number) if self.kind == "number" else None)


@dataclass(frozen=True, slots=True)
class Cell:
    """A text and the number that it is sorted by; None comes after all others."""

    text: str
    value: float | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Table:
    """Rows of values under named columns.

    Attributes:
        name: identifies the table on a page.
        caption: stands above it.
        columns: the first holds the heading of each row.
        rows: a value for each column: a text, a number, an :class:`~hepneg._core.estimate.Estimate`, None or a
            :class:`Cell`.
    """

    kind: ClassVar[str] = "table"
    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]

    @property
    def cells(self) -> list[list[Cell]]:
        """What is shown, by row."""
        return [[column.cell(value) for column, value in zip(self.columns, row, strict=True)] for row in self.rows]

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(column.head)}</th>" for column in self.columns)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(cell.text)}</td>" for cell in row) + "</tr>" for row in self.cells
        )
        title = f"<caption>{escape(self.caption)}</caption>" if self.caption else ""
        return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RichTable]:
        """Let rich print all columns, or the essential ones where room is short; no text is taken for markup."""
        from rich import box
        from rich.table import Table as RichTable
        from rich.text import Text

        cells = self.cells
        least = [self._least_width(position, cells) for position in range(len(self.columns))]
        room = options.max_width
        narrow = _width(least) > room
        shown = [position for position, column in enumerate(self.columns) if column.essential or not narrow]
        fits = _width([least[position] for position in shown]) <= room
        style: dict[str, Any] = {
            "box": box.SIMPLE_HEAD,
            "show_edge": False,
            "pad_edge": False,
            "collapse_padding": True,
        }
        table = RichTable(title=Text(self.caption), title_justify="left", **style)
        for position in shown:
            justify: Literal["left", "right"] = "right" if self.columns[position].kind == "number" else "left"
            least_width = least[position] if fits else None
            table.add_column(Text(self.columns[position].head), justify=justify, min_width=least_width)
        for row in cells:
            table.add_row(*(Text(row[position].text) for position in shown))
        yield table

    def _least_width(self, position: int, cells: list[list[Cell]]) -> int:
        """Return the width at which no number of a column is broken, nor a word of its head or of its prose."""
        column, texts = self.columns[position], [row[position].text for row in cells]
        parts = [word for text in texts for word in text.split()] if column.kind == "prose" or not position else texts
        return max(map(len, [*column.head.split(), *parts]), default=0)


_GAP = 2
"""Between two columns on a terminal."""


def _width(columns: Sequence[int]) -> int:
    return sum(columns) + _GAP * (len(columns) - 1)


def html_table(header: Sequence[str], rows: Iterable[Sequence[object]], caption: str = "") -> str:
    """Return a table in HTML; every text in it is escaped.

    Args:
        header: of each column.
        rows: a cell for each column; counts and estimates are shown as in all other tables.
        caption: above the table; empty for none.
    """
    return Table("", caption, tuple(Column(head, _shown) for head in header), tuple(map(tuple, rows)))._repr_html_()


def _shown(value: object) -> str:
    if isinstance(value, Estimate):
        return measured(value)
    if isinstance(value, float):
        return significant(value)
    return count(value) if isinstance(value, int) else str(value)

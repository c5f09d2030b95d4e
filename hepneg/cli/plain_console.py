"""rich without its markup: names and paths of the user are shown as they are, control characters as escapes."""

from __future__ import annotations

from typing import Any

import rich.console
import rich.table

from hepneg._core.plain_text import visible

__all__ = ["Console", "Table"]


class Console(rich.console.Console):
    """A console that takes ``[/b]`` and ``:smile:`` for what they are."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"markup": False, "emoji": False, **options})

    def print(self, *objects: Any, **options: Any) -> None:
        """Print texts and tables."""
        super().print(*(visible(item) if isinstance(item, str) else item for item in objects), **options)


class Table(rich.table.Table):
    """A table of texts."""

    def add_row(self, *cells: Any, **options: Any) -> None:
        """Add a row."""
        super().add_row(*(visible(cell) if isinstance(cell, str) else cell for cell in cells), **options)

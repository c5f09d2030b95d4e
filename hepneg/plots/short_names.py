"""Names of samples and features in figures: cut where they are long, apart where they differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from hepneg._core.plain_text import visible

__all__ = ["LONGEST_NAME", "LONGEST_TITLE", "plain", "short_name", "short_names"]

LONGEST_NAME = 34
"""Letters for which there is room in legends and at axes."""
LONGEST_TITLE = 24
"""Letters for which there is room above each of several axes."""


def short_name(name: str, longest: int = LONGEST_NAME) -> str:
    """Cut the middle out of a long name, or of an expression used as one, so that room is left for the data."""
    half = (longest - 1) // 2
    return name if len(name) <= longest else f"{name[:half]}…{name[-half:]}"


def short_names(names: Iterable[str], longest: int = LONGEST_NAME) -> dict[str, str]:
    """Shorten names that stand beside each other, and keep them apart.

    Args:
        names: all that a figure shows.
        longest: letters that there is room for; 12 at least.

    Returns:
        The name to write by the full name. Long ones lose their middle. Where that makes several alike, their first
        difference is kept as well; where that does not tell all of them apart, a number does.
    """
    full = list(dict.fromkeys(names))
    short_by_name = {name: short_name(name, longest) for name in full}
    for group in _alike(short_by_name):
        start = _first_difference(group)
        short_by_name |= {name: _around(name, start, longest) for name in group}
    for group in _alike(short_by_name):
        short_by_name |= {name: _numbered(name, number, longest) for number, name in enumerate(group, start=1)}
    return {name: plain(short) for name, short in short_by_name.items()}


def plain(name: str) -> str:
    """Return a name as matplotlib is to be given it: a dollar is no formula, and control characters show as escapes."""
    return visible(name).replace("$", r"\$")


def _alike(short_by_name: dict[str, str]) -> list[list[str]]:
    """Return the names, in groups, that have become the same."""
    count = Counter(short_by_name.values())
    return [[name for name in short_by_name if short_by_name[name] == short] for short in count if count[short] > 1]


def _first_difference(group: list[str]) -> int:
    columns = enumerate(zip(*group, strict=False))
    return next((position for position, letters in columns if len(set(letters)) > 1), min(map(len, group)))


def _around(name: str, start: int, longest: int) -> str:
    """Keep both ends of a name and what begins at ``start``, a third each."""
    part = (longest - 2) // 3
    return f"{name[:part]}…{name[start : start + part]}…{name[-part:]}"


def _numbered(name: str, number: int, longest: int) -> str:
    return f"{short_name(name, longest - len(str(number)) - 3)} ({number})"

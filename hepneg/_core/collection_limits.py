"""What collections of objects and categories may be: their names, sizes and values."""

from __future__ import annotations

import numbers
import re
from collections.abc import Sequence

__all__ = ["COLLECTION_NAME", "LARGEST_CATEGORY", "MOST_CATEGORIES", "MOST_OBJECTS", "category_values"]

COLLECTION_NAME = re.compile(r"(?!features$)[A-Za-z_]\w{0,63}", re.ASCII)
MOST_OBJECTS = 1024
"""Objects of one collection that a network sees of an event, at most."""
MOST_CATEGORIES = 256
LARGEST_CATEGORY = 2**24
"""Beyond, single precision has no room for every whole number."""


def category_values(values: Sequence[int]) -> tuple[int, ...]:
    """Return the values of a category, checked.

    Raises:
        ValueError: they are no different whole numbers that float32 holds, one to 256 of them.
    """
    found = tuple(values)
    whole = all(_is_whole(value) for value in found)
    if not whole or any(abs(value) > LARGEST_CATEGORY for value in found):
        raise ValueError(f"categories are whole numbers of at most {LARGEST_CATEGORY}, not {list(found)!r:.80}")
    if not 1 <= len(found) <= MOST_CATEGORIES or len(set(found)) < len(found):
        raise ValueError(f"categories are 1 to {MOST_CATEGORIES} different numbers, not {list(found)!r:.80}")
    return tuple(int(value) for value in found)


def _is_whole(value: object) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)

"""Elements that an expression takes from lists which are too short, counted while it is evaluated.

A fill of 0 is fair for a feature; a weight that is silently 0 is a wrong number. Who evaluates a weight hands in a
:class:`MissingElements` and looks at it afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepneg.expressions.lists import has_element

__all__ = ["MissingElements", "guarded", "note_empty", "note_pick"]

MOST_LENGTHS = 4


class MissingElements(Mapping[str, Any]):
    """The columns of some events, which remember what expressions missed in them.

    Args:
        columns: branch name to a flat or jagged array of n events.

    Attributes:
        masks: what was asked for (``"LHEScaleWeight[:, 8]"``) and in which events it is missing, (n,). Only what is
            used
            counts: the branch of ``where`` that a condition leaves out does not.
        lengths: what was asked for, and the lengths of the lists in these events; some of them where they are many.
    """

    def __init__(self, columns: Mapping[str, Any]) -> None:
        self.columns = columns
        self.masks: dict[str, NDArray[np.bool_]] = {}
        self.lengths: dict[str, frozenset[int]] = {}
        self._used: NDArray[np.bool_] | None = None

    def __getitem__(self, name: str) -> Any:
        return self.columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    def note(self, text: str, missing: NDArray[np.bool_]) -> None:
        """Remember the events in which something is missing that is used."""
        used = missing if self._used is None else missing & self._used
        if used.any():
            self.masks[text] = self.masks.get(text, False) | used

    def note_lengths(self, text: str, lengths: NDArray[np.integer]) -> None:
        """Remember the lengths of the lists in the events that are used."""
        used = lengths if self._used is None else lengths[self._used]
        self.lengths[text] = self.lengths.get(text, frozenset()) | frozenset(np.unique(used)[:MOST_LENGTHS].tolist())

    @contextmanager
    def where(self, condition: Any) -> Iterator[None]:
        """Count inside only what is used: the events in which a flat condition holds."""
        before = self._used
        if isinstance(condition, np.ndarray):
            self._used = condition.astype(bool) if before is None else before & condition.astype(bool)
        try:
            yield
        finally:
            self._used = before


@contextmanager
def guarded(columns: Mapping[str, Any], condition: Any) -> Iterator[None]:
    """Let a flat condition guard what is evaluated inside, if anybody counts."""
    if not isinstance(columns, MissingElements):
        yield
        return
    with columns.where(condition):
        yield


def note_pick(columns: Mapping[str, Any], text: str, value: Any, index: int) -> None:
    """Note an element without a fill of its own, if anybody counts."""
    import awkward as ak

    if not isinstance(columns, MissingElements) or not isinstance(value, ak.Array):
        return
    columns.note(text, ~has_element(value, index))
    columns.note_lengths(text, np.asarray(ak.num(value, axis=1)))


def note_empty(columns: Mapping[str, Any], text: str, value: Any) -> None:
    """Note a minimum, maximum or mean of empty lists without a default, if anybody counts."""
    import awkward as ak

    if isinstance(columns, MissingElements) and isinstance(value, ak.Array) and value.ndim == 2:
        columns.note(text, ~has_element(value, 0))

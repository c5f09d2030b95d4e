"""From the columns of one step through a file to selection, identifiers and features."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepneg.errors import DataError
from hepneg.expressions import Expression
from hepneg.expressions.functions import logical

__all__ = ["Evaluator"]

# A block of float32 that stays in the second-level cache between being written and being checked.
_BLOCK = 32_768


@dataclass(frozen=True)
class Evaluator:
    """Evaluates what one file delivers.

    Attributes:
        features: expression of each feature, by its name, in order.
        selection: condition on the events, or None.
        event_id: branches that identify an event; empty, the name of the file and the entry number do.
        name: of the file, without folders, for those identifiers.
        where: the file as messages call it.
    """

    features: Mapping[str, Expression]
    selection: Expression | None
    event_id: tuple[str, ...]
    name: str
    where: str

    def evaluate(self, user: str, expression: Expression, columns: Mapping[str, Any]) -> NDArray[Any]:
        """Return one value per event, (n,).

        Raises:
            DataError: as the expression's, with the file and what needs it.
        """
        try:
            return expression.evaluate(columns)
        except DataError as error:
            raise DataError(f"{self.where}: {user}: {error}") from None

    def selected(self, columns: Mapping[str, Any]) -> NDArray[np.bool_] | None:
        """Return which events pass the selection, (n,), or None if there is none."""
        if self.selection is None:
            return None
        kept: NDArray[np.bool_] = logical(self.evaluate("selection", self.selection, columns))
        return kept

    def identifiers(self, columns: Mapping[str, Any], entry: NDArray[np.int64]) -> NDArray[np.integer]:
        """Return identifiers of 64 bits, (n,) or (n, m) for m identifying branches.

        Args:
            columns: the identifying branches.
            entry: entry number of each event in the file.
        """
        if not self.event_id:
            return np.column_stack([np.full(len(entry), zlib.crc32(self.name.encode()), dtype=np.int64), entry])
        parts = [_as_64_bits(columns[name]) for name in self.event_id]
        if len(parts) == 1:
            return parts[0]
        common = parts[0].dtype if len({part.dtype for part in parts}) == 1 else np.dtype(np.uint64)
        return np.column_stack([part.astype(common, copy=False) for part in parts])

    def matrix(
        self, columns: Mapping[str, Any], events: int
    ) -> tuple[NDArray[np.float32], dict[str, NDArray[np.bool_]]]:
        """Evaluate the features.

        Returns:
            The features, (F, n), and which events are NaN or infinite, (n,), for each feature in which any is.
        """
        features = np.empty((len(self.features), events), dtype=np.float32)
        bad = {}
        for row, (name, expression) in zip(features, self.features.items(), strict=True):
            if not _copy_finite(self.evaluate(f"feature {name!r}", expression, columns), row):
                bad[name] = ~np.isfinite(row)
        return features, bad


def _as_64_bits(column: NDArray[Any]) -> NDArray[np.integer]:
    """Widen an identifier to 64 bits of its own signedness, so that files may differ in width."""
    return np.ascontiguousarray(column.astype(np.uint64 if column.dtype.kind == "u" else np.int64, copy=False))


def _copy_finite(values: NDArray[Any], target: NDArray[np.float32]) -> bool:
    """Copy one column to float32 and tell whether all of it is finite, in one pass through memory."""
    finite = True
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, len(target), _BLOCK):
            block = target[start : start + _BLOCK]
            np.copyto(block, values[start : start + _BLOCK], casting="unsafe")
            finite = finite and bool(np.isfinite(block).all())
    return finite

"""Features whose values are names rather than sizes: a charge, a multiplicity, the bin of a b-tag."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepneg._core.collection_limits import category_values
from hepneg.errors import DataError, nearest_names

__all__ = ["check_categories", "unknown_values"]


def check_categories(
    categories: Mapping[str, Sequence[int]] | None, names: tuple[str, ...]
) -> dict[str, tuple[int, ...]]:
    """Return the values of the features that are categories, by name, checked.

    Raises:
        DataError: a feature that is none, or values that are none.
    """
    found = {}
    for name, values in (categories or {}).items():
        if name not in names:
            raise DataError(f"categories of {name!r}, which is no feature{nearest_names(name, names)}")
        try:
            found[name] = category_values(values)
        except (TypeError, ValueError) as error:
            raise DataError(f"categories of {name!r}: {error}") from None
    return found


def unknown_values(columns: Any, names: tuple[str, ...], categories: Mapping[str, tuple[int, ...]]) -> dict[str, int]:
    """Return how many values are none of their categories, by feature, where any are.

    Args:
        columns: features, (n, F).
        names: of the features.
        categories: by name.
    """
    found = {}
    for name, values in categories.items():
        column: NDArray[np.float32] = columns[:, names.index(name)]
        unknown = int((~np.isin(column, np.array(values, dtype=np.float32))).sum())
        if unknown:
            found[name] = unknown
    return found

"""Looking into ROOT files: which trees and branches there are, and what may be a weight or an identifier."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepneg.ntuples.columns import branch_names, branch_types
from hepneg.ntuples.files import damage_errors, is_tree, open_file, refuse_damage

__all__ = ["TreeSummary", "WeightCandidate", "explore"]

MOST_ENTRIES = 100_000
_WEIGHT_NAME = re.compile(r"(?i:weight|wgt)|^w(_|$)")
_ID_NAME = re.compile(r"event.*|evt.*|run(number)?|lumi.*", re.IGNORECASE)
_MOST_MAGNITUDES = 20


@dataclass(frozen=True, slots=True)
class WeightCandidate:
    """A branch that may hold the signed event weight.

    Attributes:
        name: of the branch.
        negative_fraction: share of the entries looked at that are negative, by count.
    """

    name: str
    negative_fraction: float


@dataclass(frozen=True, slots=True)
class TreeSummary:
    """What one tree of one file holds.

    Attributes:
        file: path of the file.
        name: of the tree.
        entries: number of events.
        numeric: branches with one number per event.
        jagged: branches with a list of numbers per event.
        weights: likely weights, the likeliest first.
        event_ids: likely identifiers, the likeliest first.
    """

    file: str
    name: str
    entries: int
    numeric: tuple[str, ...]
    jagged: tuple[str, ...]
    weights: tuple[WeightCandidate, ...]
    event_ids: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the summary as plain values."""
        return asdict(self)


def explore(files: Sequence[str | Path]) -> tuple[TreeSummary, ...]:
    """Summarise every tree of some ROOT files, the largest tree of a file first.

    Args:
        files: paths or addresses. At most the first 100 000 entries of a tree are read.

    Raises:
        DataError: a file is missing, damaged or no ROOT file.
    """
    return tuple(summary for path in files for summary in _explore_file(str(path)))


def _explore_file(path: str) -> list[TreeSummary]:
    with open_file(path) as file, refuse_damage(path, "the trees"):
        names = [name for name, kind in file.classnames(cycle=False).items() if is_tree(kind)]
        trees = [_summarize(path, name, file[name]) for name in names]
    return sorted(trees, key=lambda tree: -tree.entries)


def _summarize(path: str, name: str, tree: Any) -> TreeSummary:
    types = branch_types(tree, branch_names(tree))
    flat = [branch for branch, kind in types.items() if kind.is_flat]
    columns = {branch: column for branch in flat if (column := _head(tree, branch)) is not None}
    integers = [branch for branch in columns if types[branch].is_integer]
    return TreeSummary(
        file=path,
        name=name,
        entries=int(tree.num_entries),
        numeric=tuple(flat),
        jagged=tuple(branch for branch, kind in types.items() if kind.is_jagged),
        weights=_weights(columns),
        event_ids=tuple(_event_ids({branch: columns[branch] for branch in integers})),
    )


def _head(tree: Any, branch: str) -> NDArray[Any] | None:
    """Return the first entries of a flat branch, or None if they cannot be read."""
    try:
        array: NDArray[Any] = tree[branch].array(entry_stop=MOST_ENTRIES, library="np")
    except damage_errors():
        return None
    return array


def _weights(columns: dict[str, NDArray[Any]]) -> tuple[WeightCandidate, ...]:
    """Name branches called weight, and floating-point ones of both signs with few magnitudes."""
    ranked = []
    for name, values in columns.items():
        if values.dtype.kind == "b" or not len(values):
            continue
        negative = float(np.mean(values < 0))
        named = _WEIGHT_NAME.search(name) is not None
        if named or (values.dtype.kind == "f" and 0 < negative < 1 and _few_magnitudes(values)):
            ranked.append((not named, negative == 0, len(name), WeightCandidate(name, negative)))
    return tuple(candidate for *_, candidate in sorted(ranked, key=lambda item: item[:3]))


def _few_magnitudes(values: NDArray[Any]) -> bool:
    magnitudes = np.unique(np.abs(values))
    # A charge is ±1 as well, but so is a weight: both are offered, and the user chooses.
    return len(magnitudes) <= min(_MOST_MAGNITUDES, len(values) // 10)


def _event_ids(columns: dict[str, NDArray[Any]]) -> list[str]:
    """Name integer branches called event, run or lumi…, and those without a repeated value."""
    unique = {name: len(values) > 1 and len(np.unique(values)) == len(values) for name, values in columns.items()}
    found = [name for name in columns if unique[name] or _ID_NAME.fullmatch(name)]
    return sorted(found, key=lambda name: (_ID_NAME.fullmatch(name) is None, not unique[name]))

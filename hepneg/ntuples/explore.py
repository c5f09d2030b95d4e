"""Looking into ROOT and Parquet files: their trees and branches, and what may be a weight or an identifier."""

from __future__ import annotations

import json
import keyword
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepneg.errors import DataError
from hepneg.ntuples.branch_kinds import all_types, first_entries_of, is_one_list, list_lengths
from hepneg.ntuples.column_reader import read_windows
from hepneg.ntuples.column_stream import plain_column
from hepneg.ntuples.columns import BranchType
from hepneg.ntuples.event_source import EventSource, open_events
from hepneg.ntuples.files import is_rntuple, is_tree, open_file, refuse_damage
from hepneg.ntuples.layouts import (
    IDENTIFIER_KINDS,
    MOST_RANK,
    identifier_kind,
    is_nominal,
    no_feature,
    tree_rank,
    weight_rank,
)
from hepneg.ntuples.parquet import is_parquet

__all__ = ["TreeSummary", "WeightCandidate", "as_expression", "explore", "readable_branches"]

MOST_ENTRIES = 100_000
PARQUET_NAME = "Events"
"""What the one table of a Parquet file is called; names of trees are not used there."""
_PROBED_ENTRIES = 1000
_MOST_COLUMNS = 32
"""Of each kind of branch, so many are read; wide trees have thousands."""
_ID_NAME = re.compile(r"event.*|evt.*|run(number)?|lumi.*", re.IGNORECASE)
_MOST_MAGNITUDES = 20
_PLAIN_NAME = re.compile(r"(?!__)[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)

Column = NDArray[Any]


@dataclass(frozen=True, slots=True)
class WeightCandidate:
    """A branch that may hold the signed event weight.

    Attributes:
        name: of the branch.
        negative_fraction: share of the entries looked at that are negative, by count.
        expression: what gives the weight of an event: the branch, or the first element of its lists.
        nominal: its name says the weight of the event; the others are weights by their sign only, or of something else.
    """

    name: str
    negative_fraction: float
    expression: str = ""
    nominal: bool = True


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
        identifier: branches, or first elements of lists, that identify an event together, such as run, luminosity block
            and event; may be empty.
        repeats: the identifier repeats among the entries looked at.
        no_features: branches with one number per event that no classifier should see, each with the reason.
    """

    file: str
    name: str
    entries: int
    numeric: tuple[str, ...]
    jagged: tuple[str, ...]
    weights: tuple[WeightCandidate, ...]
    event_ids: tuple[str, ...]
    identifier: tuple[str, ...] = ()
    repeats: bool = False
    no_features: Mapping[str, str] | None = None

    @property
    def rank(self) -> int:
        """How likely this is the tree of the events, by its name and branches; 0 is the likeliest."""
        return tree_rank(self.name, bool(self.weights), bool(self.event_ids))

    @property
    def is_beside(self) -> bool:
        """Its name says that it lies beside the events: runs, luminosity blocks, sums of weights."""
        return self.rank > MOST_RANK

    def to_dict(self) -> dict[str, Any]:
        """Return the summary as plain values."""
        return asdict(self)


def explore(files: Sequence[str | Path]) -> tuple[TreeSummary, ...]:
    """Summarise every tree of some ROOT files, the likeliest of the events first, and Parquet files as one tree each.

    Args:
        files: paths or addresses. At most the first 100 000 entries of some branches are read.

    Raises:
        DataError: a file is missing, damaged or neither ROOT nor Parquet.
    """
    return tuple(summary for path in files for summary in _explore_file(str(path)))


def readable_branches(tree: TreeSummary, branches: Sequence[str]) -> list[str]:
    """Return the branches whose first entries can be read as an analysis will read them.

    Args:
        tree: the tree, with the path of its file.
        branches: numbers or lists of numbers in it.

    Raises:
        DataError: the file is missing or damaged.
    """
    with open_events(tree.file, tree.name) as source:
        if _are_readable(source, tree.file, branches):
            return list(branches)
        return [branch for branch in branches if _are_readable(source, tree.file, [branch])]


def _are_readable(source: EventSource, path: str, branches: Sequence[str]) -> bool:
    try:
        with refuse_damage(path, "the first entries"):
            columns = {name: plain_column(column) for name, column in _probed(source, path, branches).items()}
    except DataError:
        return False
    entries = min(source.num_entries, _PROBED_ENTRIES)
    return all(name in columns and len(columns[name]) == entries for name in branches)


def _probed(source: EventSource, path: str, branches: Sequence[str]) -> dict[str, Any]:
    if is_rntuple(source.tree):  # for a window, uproot lists all fields, in a time that grows with their square
        return first_entries_of(source.tree, path, branches, _PROBED_ENTRIES)
    return next(read_windows(source, branches, 0, _PROBED_ENTRIES), {})


def as_expression(branch: str) -> str:
    """Return the expression that gives a branch, whatever it is called."""
    words = branch.split(".")
    plain = _PLAIN_NAME.fullmatch(branch) and branch != "pi" and not any(map(keyword.iskeyword, words))
    return branch if plain else f"branch({json.dumps(branch, ensure_ascii=False)})"


def _explore_file(path: str) -> list[TreeSummary]:
    if is_parquet(path):
        with open_events(path, PARQUET_NAME) as source, refuse_damage(path, "the columns"):
            return [_summarize(path, PARQUET_NAME, source.tree)]
    with open_file(path) as file, refuse_damage(path, "the trees"):
        names = [name for name, kind in file.classnames(cycle=False).items() if is_tree(kind)]
        trees = [_summarize(path, name, file[name]) for name in names]
    return sorted(trees, key=lambda tree: (not tree.entries, tree.rank, -tree.entries))


def _summarize(path: str, name: str, tree: Any) -> TreeSummary:
    types = all_types(tree)
    flat = [branch for branch, kind in types.items() if kind.is_flat]
    jagged = tuple(branch for branch, kind in types.items() if is_one_list(kind))
    columns = _heads(tree, path, _worth_reading(flat, types))
    integers = {branch: columns[branch] for branch in columns if types[branch].is_integer}
    identifier, repeats = _identifier(integers | _list_identifiers(tree, path, jagged))
    lengths = list_lengths(tree)
    return TreeSummary(
        file=path,
        name=name,
        entries=int(tree.num_entries),
        numeric=tuple(flat),
        jagged=jagged,
        weights=_nominal_first([*_weights(columns, lengths), *_list_weights(tree, path, jagged)]),
        event_ids=tuple(_event_ids(integers)),
        identifier=identifier,
        repeats=repeats,
        no_features=_no_features(flat, jagged, lengths, columns),
    )


def _worth_reading(flat: Sequence[str], types: Mapping[str, BranchType]) -> list[str]:
    """Choose the branches to look at: those with a name that says something, and the first of the others."""
    named = [name for name in flat if weight_rank(name) is not None or identifier_kind(name) is not None]
    likely = [name for name in flat if name not in set(named) and no_feature(name, ()) is None]
    floats = [name for name in likely if not types[name].is_integer]
    integers = [name for name in likely if types[name].is_integer]
    return [*named[:_MOST_COLUMNS], *floats[:_MOST_COLUMNS], *integers[:_MOST_COLUMNS]]


def _heads(tree: Any, path: str, branches: Sequence[str]) -> dict[str, Column]:
    """Return the first entries of flat branches; what cannot be read is left out."""
    import awkward as ak

    columns = first_entries_of(tree, path, branches, MOST_ENTRIES)
    return {name: ak.to_numpy(column, allow_missing=False) for name, column in columns.items()}


def _nominal_first(candidates: Iterable[WeightCandidate]) -> tuple[WeightCandidate, ...]:
    return tuple(sorted(candidates, key=lambda candidate: not candidate.nominal))


def _weights(columns: Mapping[str, Column], lengths: Iterable[str]) -> tuple[WeightCandidate, ...]:
    """Name branches called weight, and floating-point ones of both signs with few magnitudes."""
    ranked = []
    for name, values in columns.items():
        if values.dtype.kind not in "iuf" or not len(values) or name in lengths or _holds_sentinel(values):
            continue
        rank, negative = weight_rank(name), float(np.mean(values < 0))
        if rank is None and not (values.dtype.kind == "f" and 0 < negative < 1 and _few_magnitudes(values)):
            continue
        nominal = rank is not None and (is_nominal(rank) or negative > 0)
        candidate = WeightCandidate(name, negative, as_expression(name), nominal)
        ranked.append((rank is None, not nominal, rank or 0, negative == 0, len(name), candidate))
    return tuple(candidate for *_, candidate in sorted(ranked, key=lambda item: item[:5]))


def _few_magnitudes(values: Column) -> bool:
    """Tell ±c, ±d, … with few magnitudes; a value of one sign only may stand for something that is missing."""
    negative, positive = np.unique(-values[values < 0]), np.unique(values[values > 0])
    # A charge is ±1 as well, but so is a weight: both are offered, and the user chooses.
    return len(positive) <= min(_MOST_MAGNITUDES, len(values) // 10) and bool(np.isin(negative, positive).all())


def _holds_sentinel(values: Column) -> bool:
    """Tell a column whose one negative value, such as −1 or −999, stands for something that is missing."""
    negative = np.unique(values[values < 0])
    if len(negative) != 1 or negative[0] in -values:
        return False
    return re.fullmatch(r"-(1|9+|10+)(\.0)?", str(float(negative[0]))) is not None


def _list_weights(tree: Any, path: str, jagged: Sequence[str]) -> list[WeightCandidate]:
    """Name lists whose first element is the nominal weight of the event, by their names."""
    ranked = [(rank, name) for name in jagged if (rank := weight_rank(name)) is not None and is_nominal(rank)]
    firsts = _first_elements(tree, path, [name for _, name in sorted(ranked)[:_MOST_COLUMNS]])
    return [
        WeightCandidate(name, float(np.mean(first < 0)), f"{as_expression(name)}[:, 0]")
        for name, first in firsts.items()
    ]


def _first_elements(tree: Any, path: str, jagged: Sequence[str]) -> dict[str, Column]:
    """Return the first elements of the lists of some branches, where no event is without and all are finite."""
    import awkward as ak

    columns = first_entries_of(tree, path, jagged, MOST_ENTRIES)
    firsts = {name: ak.to_numpy(ak.fill_none(ak.firsts(lists), np.nan)) for name, lists in columns.items()}
    return {name: first for name, first in firsts.items() if len(first) and np.isfinite(first).all()}


def _event_ids(columns: Mapping[str, Column]) -> list[str]:
    """Name integer branches called event, run or lumi…, and those without a repeated value."""
    unique = {name: len(values) > 1 and len(np.unique(values)) == len(values) for name, values in columns.items()}
    named = {name: identifier_kind(name) is not None or bool(_ID_NAME.fullmatch(name)) for name in columns}
    return sorted(
        (name for name in columns if unique[name] or named[name]), key=lambda n: (not named[n], not unique[n])
    )


def _list_identifiers(tree: Any, path: str, jagged: Sequence[str]) -> dict[str, Column]:
    """Return the first elements of lists of integers that are called event, run and so on, by their expressions."""
    named = [name for name in jagged if identifier_kind(name) is not None][:_MOST_COLUMNS]
    return {
        f"{as_expression(name)}[:, 0]": first.astype(np.int64)
        for name, first in _first_elements(tree, path, named).items()
        if np.equal(first, np.round(first)).all()
    }


def _branch_of(expression: str) -> str:
    """Return the branch behind the first element of its lists, or the name of a branch itself."""
    return re.sub(r'^branch\("(.+)"\)$', r"\1", expression.removesuffix("[:, 0]"))


def _identifier(columns: Mapping[str, Column]) -> tuple[tuple[str, ...], bool]:
    """Return the event number, with run and block where it repeats or runs differ, and whether even that repeats."""
    parts: dict[str, str] = {}
    for name in columns:
        kind = identifier_kind(_branch_of(name))
        if kind is not None:
            parts.setdefault(kind, name)
    event = parts.get("event")
    if event is None or not len(columns[event]):
        return (), False
    several_runs = any(len(np.unique(columns[parts[kind]])) > 1 for kind in ("run", "experiment") if kind in parts)
    if not several_runs and len(np.unique(columns[event])) == len(columns[event]):
        return (event,), False
    chosen = tuple(parts[kind] for kind in IDENTIFIER_KINDS if kind in parts)
    rows = np.unique(np.column_stack([columns[name].astype(np.uint64) for name in chosen]), axis=0)
    return chosen, len(rows) < len(columns[event])


def _no_features(
    flat: Sequence[str], jagged: Sequence[str], lengths: Iterable[str], columns: Mapping[str, Column]
) -> dict[str, str]:
    """Say of flat branches why they are no features, by their names and first values."""
    prefixes = tuple({re.split(r"[_.:/]", name)[0] for name in jagged} | set(jagged))
    reasons = {}
    for name in flat:
        reason = "a length of lists" if name in lengths else no_feature(name, prefixes) or _unfit(columns.get(name))
        if reason is not None:
            reasons[name] = reason
    return reasons


def _unfit(values: Column | None) -> str | None:
    if values is None or not len(values):
        return None
    if not np.isfinite(values).all():
        return "NaN or infinite in some events"
    return "constant" if len(values) > 1 and bool((values == values[0]).all()) else None

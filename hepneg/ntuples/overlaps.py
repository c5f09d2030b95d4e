"""Events that would count twice in one class: in samples that share a file, and in files that hold the same events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hepneg._core.hashing import hash_events
from hepneg.config import Config
from hepneg.errors import DataError
from hepneg.events import EventTable
from hepneg.ntuples.column_stream import stream_columns
from hepneg.ntuples.columns import Needs
from hepneg.ntuples.evaluator import Evaluator, named_entries
from hepneg.ntuples.event_source import open_events
from hepneg.ntuples.files import is_remote, sample_files
from hepneg.ntuples.identity import base_name
from hepneg.ntuples.sample_files import friends_of

__all__ = ["refuse_copies", "require_distinct_files", "row_keys"]

SAME = 0.99
"""Share of the events of equal identifiers that agree in all features where samples overlap; by chance it is far
lower."""
FEWEST = 10


def require_distinct_files(config: Config) -> dict[str, str]:
    """Refuse samples that share a file unless selections or weights tell them apart.

    Two samples of a class must not have an event in common whose weight is not 0; samples of two classes may, if they
    weigh it differently. Only files that are shared are looked into.

    Args:
        config: the analysis.

    Returns:
        Each sample that shares a file, and the first sample that it does so with: they hold candidates of the same
        events (``source`` of :class:`~hepneg.EventTable`).

    Raises:
        DataError: with the file, both samples and the entries; or a pattern matches nothing.
    """
    source: dict[str, str] = {}
    owners: dict[str, dict[str, str]] = defaultdict(dict)
    for sample in config.samples:
        for path in sample_files(config, sample):
            owners[path if is_remote(path) else str(Path(path).resolve())][sample] = path
    for shared in owners.values():
        for pair in combinations(shared, 2):
            _require_disjoint(config, pair, shared[pair[0]])
            source[pair[1]] = source.setdefault(pair[0], pair[0])
    return source


def _require_disjoint(config: Config, pair: tuple[str, str], path: str) -> None:
    first, second = (config.sample(name) for name in pair)
    views = [config.for_sample(name) for name in pair]
    if first.label != second.label and views[0].weight != views[1].weight:
        return  # as with sWeights: an event is signal with one weight and background with another
    if views[0].tree != views[1].tree:
        return
    if views[0].selection == views[1].selection and views[0].weight == views[1].weight:
        raise DataError(
            f"{path} belongs to the samples {pair[0]!r} and {pair[1]!r}: its events would count twice; correct "
            f"`samples.{pair[0]}.files` or `samples.{pair[1]}.files`, or tell them apart by `selection:`"
        )
    common = np.concatenate([np.zeros(0, dtype=np.int64), *_common_entries(config, pair, views, path)])
    if len(common):
        raise DataError(
            f"{path}: {len(common)} events belong to both samples {pair[0]!r} and {pair[1]!r} and would count "
            f"twice, at {named_entries(common)}; let `samples.{pair[0]}.selection` and "
            f"`samples.{pair[1]}.selection` exclude each other"
        )


def _common_entries(
    config: Config, pair: tuple[str, str], views: Sequence[Config], path: str
) -> Iterator[NDArray[np.int64]]:
    """Yield the entries of a file that both samples take with a weight that is not 0."""
    makers = [
        Evaluator({}, view.selection, (), base_name(path), f"sample {name!r}, {path}")
        for name, view in zip(pair, views, strict=True)
    ]
    weights = {f"weight of sample {name!r}": view.weight for name, view in zip(pair, views, strict=True)}
    conditions = {f"selection of sample {name!r}": view.selection for name, view in zip(pair, views, strict=True)}
    needs = Needs.collect({}, None, (), {**weights, **conditions})
    friends = dict.fromkeys(friend for name in pair for friend in friends_of(config, name).get(path, ()))
    with open_events(path, views[0].tree, tuple(friends)) as source:
        names = needs.check(source, path)
        for start, columns in stream_columns(source, names, path):
            both = np.ones(len(next(iter(columns.values()))), dtype=bool)
            for maker, view in zip(makers, views, strict=True):
                kept = maker.selected(columns)
                both &= True if kept is None else kept
                both &= maker.evaluate("weight", view.weight, columns) != 0
            yield start + np.flatnonzero(both)


def row_keys(events: EventTable) -> NDArray[np.uint64]:
    """Return one number per event that is equal where identifier and features are, up to a chance of n²/2**65."""
    bits = (events.features + np.float32(0)).view(np.uint32).astype(np.int64)
    ids = events.event_id if events.event_id.ndim == 2 else events.event_id[:, None]
    return hash_events(np.column_stack([ids.astype(np.int64), bits]), 0, "copies")


def refuse_copies(events: EventTable, *, whole: bool = True) -> None:
    """Refuse events that are there twice in one class, of one sample or of two: equal identifiers and equal features.

    Samples number their events alike, so equal identifiers alone say nothing, nor do a few that agree in all features.

    Args:
        events: the table, or those of its events whose identifiers have the smallest hashes.
        whole: whether it is all of the table.

    Raises:
        DataError: with the samples and how many events they share.
    """
    ids = hash_events(events.event_id, 0, "repeats")
    for label in np.unique(events.label):
        members = np.flatnonzero((events.label == label) & (events.weight != 0))
        ordered = np.sort(ids[members])
        repeated = ordered[1:][ordered[1:] == ordered[:-1]]
        if len(repeated) >= FEWEST:
            _refuse_among(events, members[np.isin(ids[members], repeated)], ids, "" if whole else "at least ")


def _refuse_among(events: EventTable, rows: NDArray[np.intp], ids: NDArray[np.uint64], least: str) -> None:
    """Look at the events of one class whose identifiers repeat."""
    keys, sample = row_keys(events.select(rows)), events.sample[rows]
    present = np.unique(sample)
    for code in present:
        mine = sample == code
        _refuse_shared(events, (code, code), _repeats(ids[rows][mine]), _repeats(keys[mine]), least)
    for first, second in combinations(present, 2):
        one, two = sample == first, sample == second
        same_id = np.isin(ids[rows][two], ids[rows][one]).sum()
        _refuse_shared(events, (first, second), int(same_id), int(np.isin(keys[two], keys[one]).sum()), least)


def _repeats(keys: NDArray[np.uint64]) -> int:
    return len(keys) - len(np.unique(keys))


def _refuse_shared(events: EventTable, codes: tuple[int, int], same_id: int, same: int, least: str) -> None:
    if same_id < FEWEST or same < SAME * same_id or _is_discrete(events, codes):
        return
    names = [events.sample_names[code] for code in codes]
    where = f"in sample {names[0]!r}" if names[0] == names[1] else f"in both samples {names[0]!r} and {names[1]!r}"
    raise DataError(
        f"{least}{same} events are there twice {where}, with equal identifiers and features, and would count twice; "
        "leave out the files that hold them again, or let `selection:` of the samples exclude each other"
    )


def _is_discrete(events: EventTable, codes: tuple[int, int]) -> bool:
    """Tell features of so few values that events agree by chance."""
    rows = np.flatnonzero(np.isin(events.sample, codes))
    features = events.features[rows[:: max(1, len(rows) // 1000)]]
    return len(np.unique(features, axis=0)) < len(features) / 4

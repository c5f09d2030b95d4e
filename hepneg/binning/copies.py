"""Exact copies of events under different identifiers, as oversampling leaves them: found in bounded memory."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Self

import numpy as np
from numpy.typing import NDArray

from hepneg._core.hashing import hash_events
from hepneg.binning.subsample import Subsample, SubsampleAccumulator
from hepneg.errors import HepnegWarning
from hepneg.events import EventTable

__all__ = ["CopyFinder", "copied_share", "warn_about_copies"]

_ROWS = 10_000
_SHARE = 0.01
_DISTINCT = 100
_ALMOST_ALL = 0.9
_RARER = 10


class CopyFinder:
    """Keeps the rows with the smallest hashes of their content, so that copies are kept together.

    Content is the features and |w|. Parts merge with ``+``; the outcome does not depend on the order of events.
    """

    def __init__(self) -> None:
        self.rows = SubsampleAccumulator(_ROWS)

    def fill(self, features: NDArray[np.float32], weight: NDArray[np.float64], event_id: NDArray[np.integer]) -> None:
        """Offer events: features (n, F), signed weights (n,), identifiers (n,) or (n, m)."""
        # 24 bits of the identifier's hash are exact in float32 and tell rows of one event from copies.
        identity = (hash_events(event_id, 0, "copies") >> np.uint64(40)).astype(np.float32)
        columns = np.asarray(features, np.float32).T + np.float32(0.0)  # −0.0 becomes 0.0
        content = np.stack([*columns.view(np.int32), np.abs(weight).view(np.int64)], axis=1)
        self.rows.fill(np.stack([*columns, identity], axis=1), weight, content)

    def merge(self, other: Self) -> Self:
        """Return the finder of both sets of events."""
        total = type(self)()
        total.rows = self.rows + other.rows
        return total

    __add__ = merge

    def result(self) -> float:
        """Return the share of events that are copies of others; 0 where coincidences can be chance."""
        return _share(self.rows.result())


def copied_share(events: EventTable) -> float:
    """Return the share of the events of one sample that are copies of others under another identifier.

    Coincidences of discrete features are no copies: a column must have so many values that those of different events
    differ (steps of equal width do not count), or rows must agree far more often with rows of the same value than,
    in everything else, with rows of the next one.
    """
    finder = CopyFinder()
    finder.fill(events.features, events.weight, events.observation_id)
    return finder.result()


def warn_about_copies(shares: Mapping[str, float]) -> None:
    """Warn of copies in any of the samples.

    Args:
        shares: of copies, by sample.

    Warns:
        HepnegWarning: one for all samples.
    """
    copied = [f"{share:.0%} of sample {name!r}" for name, share in shares.items() if share >= _SHARE]
    if copied:
        warnings.warn(
            f"exact copies of events under other identifiers (same features and |w|): {', '.join(copied)}; copies "
            "are not independent, so p-values, errors and n_eff look better than they are: keep each event once, or "
            "give its copies one `event_id`",
            HepnegWarning,
            stacklevel=3,
        )


def _share(rows: Subsample) -> float:
    if rows.cluster is None:
        return 0.0
    _, kept = np.unique(np.stack([rows.cluster, rows.features[:, -1].astype(np.intp)]), axis=1, return_index=True)
    row = rows.cluster[kept]
    columns = [*rows.features[kept, :-1].T.astype(np.float64), np.abs(rows.weight[kept])]
    distinct = len(np.unique(row))
    share = 1.0 - distinct / len(row)
    values = [np.unique(column, return_inverse=True) for column in columns]
    distinct_values, code = max(values, key=lambda pair: len(pair[0]))
    most = len(distinct_values)
    if share < _SHARE or most < _DISTINCT:
        return 0.0
    if most >= _ALMOST_ALL * distinct:
        return share if all(_continuous(v) for v, _ in values if len(v) >= _ALMOST_ALL * distinct) else 0.0
    rest = [other for _, other in values if len(np.unique(code * (other.max() + 1) + other)) > most / _ALMOST_ALL]
    return share if rest and _same_value_matters(code, np.stack(rest, axis=1)) else 0.0


def _continuous(values: NDArray[np.float64]) -> bool:
    """Whether increasing values are no steps of a few widths."""
    widths = np.unique([f"{width:.3e}" for width in np.diff(values)])
    return len(widths) > 0.5 * min(len(values), 1000)


def _same_value_matters(code: NDArray[np.intp], rest: NDArray[np.intp]) -> bool:
    """Whether rows of one value of a column agree in the rest far more often than rows of neighbouring values."""
    other = np.unique(rest, axis=0, return_inverse=True)[1].ravel()
    cells, count = np.unique(other * (int(code.max()) + 2) + code, return_counts=True)
    following = np.searchsorted(cells, cells + 1).clip(max=len(cells) - 1)
    neighbours = int(np.sum(count * np.where(cells[following] == cells + 1, count[following], 0)))
    return bool(np.sum(count * (count - 1)) > _RARER * max(1, neighbours))

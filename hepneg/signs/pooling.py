"""Samples that have no positive density of their own share one local mean sign with the rest of their label."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from hepneg.errors import HepnegWarning
from hepneg.events import EventTable

__all__ = ["pooled", "pools", "regrouped"]

_SIGNIFICANCE = 3.0
"""A sample's Σw must lie this many √Σw² above 0, as a label's must."""

_NEGLIGIBLE = 0.01
"""Share of its label's Σ\\|w\\| below which a sample is left as it is: a few events say little about their sum."""


def pools(events: EventTable) -> dict[str, str]:
    """Say which samples can be judged only together.

    Interference terms, counter-terms and the like have Σw ≤ 0, or nearly so: they have no density that positive weights
    could follow, and only the sum over their label is physical. All samples of such a label form one pool.

    Args:
        events: signed events.

    Returns:
        The name of the pool, ``a + b``, of each sample that is in one; empty as a rule.

    Warns:
        HepnegWarning: for each label with such samples.
    """
    found: dict[str, str] = {}
    for value, label in enumerate(events.classes):
        codes = np.unique(events.sample[events.label == value]).tolist()
        alone = [code for code in codes if _needs_others(events, code, value)]
        if alone and len(codes) > 1:
            names = [events.sample_names[code] for code in codes]
            found |= dict.fromkeys(names, " + ".join(names))
            which = ", ".join(events.sample_names[code] for code in alone)
            warnings.warn(
                f"Σw of {which} is not significantly positive: the samples of the {label} ({', '.join(names)}) share "
                "one local mean sign, and only their sum keeps its Σw",
                HepnegWarning,
                stacklevel=3,
            )
    return found


def pooled(events: EventTable) -> EventTable:
    """Return the same events with each pool of samples as one sample; see :func:`pools`."""
    return regrouped(events, pools(events))


def regrouped(events: EventTable, pool_of: Mapping[str, str]) -> EventTable:
    """Return the same events with each pool as one sample.

    Args:
        events: whose samples are to be joined.
        pool_of: as from :func:`pools`.
    """
    if not pool_of:
        return events
    names = tuple(dict.fromkeys(pool_of.get(name, name) for name in events.sample_names))
    code = np.array([names.index(pool_of.get(name, name)) for name in events.sample_names], dtype=np.int16)
    return replace(events, sample=code[events.sample], sample_names=names)


def _needs_others(events: EventTable, code: int, label: int) -> bool:
    """Tell whether a sample holds a relevant share of its label without a significantly positive sum."""
    weight = events.weight[events.sample == code]
    size = float(np.abs(events.weight[events.label == label]).sum())
    relevant = float(np.abs(weight).sum()) > _NEGLIGIBLE * size
    return relevant and bool(weight.sum() < _SIGNIFICANCE * np.sqrt((weight**2).sum()))

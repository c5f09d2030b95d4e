"""Is the share met that `response_preference` asks for, at sample sizes that people have, at the defaults?

    python analysis/objectives/shares.py             2000 to 100 000 events
    python analysis/objectives/shares.py --quick     2000 events, a small network, to see that it runs

25 inputs of three levels, eight of which differ between the labels, 20 % of the weights −1. Asked for is a share of the
events with a response of at least 1/2, 0.75 and 0.9, where the exact log-odds give 0.50. The share is that of held-out
events, of 40 000 fresh ones without signs, and of all 3²⁵ combinations of the inputs (100 000 of them, drawn).
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

import hepneg
from hepneg.metrics import ScoredEvents, response_share

INPUTS, LEVELS, DIFFERENT = 25, (-1.0, 0.0, 1.0), 8
TILT = np.concatenate([np.random.default_rng(7).normal(0, 0.5, DIFFERENT), np.zeros(INPUTS - DIFFERENT)])


def draw(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw n events of each label: features, (2n, 25), and labels."""
    parts = []
    for side in (1, -1):
        shares = np.exp(side * np.outer(TILT, LEVELS))
        shares /= shares.sum(axis=1, keepdims=True)
        parts.append(np.column_stack([rng.choice(LEVELS, n, p=share) for share in shares]))
    return np.concatenate(parts), np.repeat([1, 0], n)


def measure(events: int, share: float, seed: int, **settings: Any) -> str:
    """Train on so many events, and return a line of the table."""
    rng = np.random.default_rng([seed, events])
    x, label = draw(rng, events // 2)
    weight = np.where(rng.random(len(x)) < 0.2, -1.0, 1.0)
    table = hepneg.EventTable.from_arrays(x, weight, label, event_id=np.arange(len(x)))
    objective = {"name": "response_preference", "share": share, "space": list(LEVELS)}
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", hepneg.HepnegWarning)
        model = hepneg.train(table, "absolute", objective=objective, folds=2, seed=seed, **settings)
    held_out, combinations = hepneg.evaluate(model, table).shares
    there, label = draw(rng, 20_000)
    fresh = response_share(ScoredEvents(model.logit(there), label, np.ones(len(label))), 0.0, np.inf)
    warned = any("response_preference" in str(one.message) for one in said)
    return f"| {events} | {share} | {held_out.share} | {fresh} | {combinations.share} | {'yes' if warned else 'no'} |"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, nargs="+", default=[2000, 12_000, 100_000])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--quick", action="store_true")
    chosen = parser.parse_args(arguments)
    sizes, seeds, settings = chosen.events, chosen.seeds, {}
    if chosen.quick:
        sizes, seeds, settings = [2000], [1], {"epochs": 2, "network": {"hidden": [8]}}
    print("| events | asked for | held-out events | fresh events | combinations | warned |\n|---|---|---|---|---|---|")
    for events in sizes:
        for share in (0.75, 0.9):
            for seed in seeds:
                print(measure(events, share, seed, **settings), flush=True)


if __name__ == "__main__":
    main()

"""Bias of bin contents from the choice of edges: on the same signed events, with a smooth mean sign, on other events.

Run: python analysis/templates/edges.py [--toys 500] [--quick]

Edges are chosen for the largest significance and for a flat signal, under the default conditions on signal and
background (`require: each`) or on the background alone; the truth is known exactly. `edges.json` gives the mean pull of
the least significant bin of the background, and the rate at which bins meet the conditions in events that neither chose
nor filled them.
"""

from __future__ import annotations

import argparse
import json
from itertools import product
from pathlib import Path

import numpy as np
import signed_toys

from hepneg.binning.fine_grid import FineGrid
from hepneg.binning.fit_edges import Conditions, Process, choose_starts
from hepneg.binning.sign_sums import SignSums
from hepneg.errors import DataError

FOLDER = Path(__file__).parent
SHARE = 0.25
WAYS = ("same events", "smooth sign", "other events")
DILUTION = 0.16
"""(1 − 2f)², f = 0.3."""
GRID = FineGrid.between([0.0, 1.0])
TRUTH = {name: signed_toys.expected(name, GRID.edges) for name in signed_toys.SHAPES}
YIELDS = {"signal": 20.0, "background": 200.0}


def sums_of(name: str, events: int, rng: np.random.Generator) -> SignSums:
    score, weight = signed_toys.draw(name, events, rng)
    return SignSums.of(GRID.place(score), weight, len(GRID))


def processes(way: str, events: int, rng: np.random.Generator) -> tuple[dict[str, Process], dict[str, SignSums]]:
    """Return what the edges are chosen on, and the events that fill them."""
    filled, chosen = {}, {}
    share = SHARE if way == "other events" else 0.0
    for name in TRUTH:
        scale = YIELDS[name] / (events * TRUTH[name][0].sum())
        filled[name] = sums_of(name, round((1 - share) * events), rng)
        signal, ratio = name == "signal", 1.0
        sums = filled[name]
        if share:
            sums, ratio = sums_of(name, round(share * events), rng), (1 - share) / share
        sums = sums.scaled(scale / (1 - share))
        nothing = np.zeros((len(GRID), len(GRID)))
        chosen[name] = (
            Process(signal, sums.content, nothing, sums.variance)
            if way == "same events"
            else Process.smooth(sums, signal=signal, events=ratio)
        )
    return chosen, filled


def study(way: str, target: str, require: str, effective: int, toys: int) -> dict[str, float]:
    """Run the toys of one row."""
    events, conditions = round(effective / DILUTION), Conditions()
    share = SHARE if way == "other events" else 0.0
    pulls, bins, met, tried, none = [], [], 0, 0, 0
    names = ["background"] if require == "background" else list(TRUTH)
    for seed in range(toys):
        rng = np.random.default_rng([seed, effective])
        chosen, filled = processes(way, events, rng)
        try:
            starts = choose_starts(chosen, target=target, conditions=conditions, required=names)
        except DataError:
            none += 1
            continue
        bins.append(len(starts))
        for name in names:
            wanted, square = (round((1 - share) * events) * np.add.reduceat(part, starts) for part in TRUTH[name])
            content = np.add.reduceat(filled[name].content, starts)
            fresh = sums_of(name, round((1 - share) * events), rng)
            again, squares = (np.add.reduceat(part, starts) for part in (fresh.content, fresh.variance))
            if len(starts) > 1:
                met += int((again > conditions.least * np.sqrt(squares)).sum())
                tried += len(starts)
            if name == "background":
                low = int(np.argmin(wanted / np.sqrt(square)))
                pulls.append((content[low] - wanted[low]) / np.sqrt(square[low]))
    return {
        "bias": float(np.mean(pulls)),
        "bias_error": float(np.std(pulls, ddof=1) / np.sqrt(len(pulls))),
        "rate": met / tried if tried else float("nan"),
        "bins": float(np.mean(bins)),
        "without_bins": none,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--toys", type=int, default=500)
    parser.add_argument("--quick", action="store_true", help="three toys, to see that it runs; writes nothing")
    options = parser.parse_args()
    toys, rows = 3 if options.quick else options.toys, []
    for target, require, effective, way in product(
        ("significance", "flat_signal"), ("background", "each"), (200, 1000, 5000), WAYS
    ):
        row = {"target": target, "require": require, "n_eff": effective, "way": way}
        rows.append(row | study(way, target, require, effective, toys))
        print(
            {key: round(value, 3) if isinstance(value, float) else value for key, value in rows[-1].items()}, flush=True
        )
        if not options.quick:
            content = json.dumps({"toys": toys, "rows": rows}, indent=1).replace("NaN", "null")
            (FOLDER / "edges.json").write_text(content + "\n")


if __name__ == "__main__":
    main()

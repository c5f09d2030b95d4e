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
from dataclasses import dataclass, field
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
TARGETS = ("significance", "flat_signal")
REQUIRED = ("background", "each")
CONDITIONS = Conditions()


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


@dataclass
class Row:
    """What the toys of one row find.

    Attributes:
        target: of the choice.
        require: on what the conditions are.
        pulls: of the least significant bin of the background, one a toy.
        bins: how many, one a toy.
        met: bins that meet the conditions in fresh events.
        tried: bins that were looked at for that.
        without_bins: toys in which no bins meet the conditions.
    """

    target: str
    require: str
    pulls: list[float] = field(default_factory=list)
    bins: list[int] = field(default_factory=list)
    met: int = 0
    tried: int = 0
    without_bins: int = 0

    def add(
        self, chosen: dict[str, Process], filled: dict[str, SignSums], fresh: dict[str, SignSums], events: int
    ) -> None:
        """Choose edges, fill them with ``events`` events, and try them on fresh ones."""
        names = ["background"] if self.require == "background" else list(TRUTH)
        try:
            starts = choose_starts(chosen, target=self.target, conditions=CONDITIONS, required=names)
        except DataError:
            self.without_bins += 1
            return
        self.bins.append(len(starts))
        for name in names if len(starts) > 1 else ():
            again, squares = (np.add.reduceat(part, starts) for part in (fresh[name].content, fresh[name].variance))
            self.met += int((again > CONDITIONS.least * np.sqrt(squares)).sum())
            self.tried += len(starts)
        wanted, square = (events * np.add.reduceat(part, starts) for part in TRUTH["background"])
        content = np.add.reduceat(filled["background"].content, starts)
        low = int(np.argmin(wanted / np.sqrt(square)))
        self.pulls.append((content[low] - wanted[low]) / np.sqrt(square[low]))

    def found(self) -> dict[str, object]:
        return {
            "target": self.target,
            "require": self.require,
            "bias": float(np.mean(self.pulls)),
            "bias_error": float(np.std(self.pulls, ddof=1) / np.sqrt(len(self.pulls))),
            "rate": self.met / self.tried if self.tried else float("nan"),
            "bins": float(np.mean(self.bins)),
            "without_bins": self.without_bins,
        }


def study(way: str, effective: int, toys: int) -> list[dict[str, object]]:
    """Run the toys of one way to choose and one size; all targets and conditions look at the same ones."""
    events = round(effective / DILUTION)
    fill = round((1.0 - (SHARE if way == "other events" else 0.0)) * events)
    rows = [Row(target, require) for target, require in product(TARGETS, REQUIRED)]
    for seed in range(toys):
        rng = np.random.default_rng([seed, effective])
        chosen, filled = processes(way, events, rng)
        fresh = {name: sums_of(name, fill, rng) for name in TRUTH}
        for row in rows:
            row.add(chosen, filled, fresh, fill)
    return [{"n_eff": effective, "way": way} | row.found() for row in rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--toys", type=int, default=500)
    parser.add_argument("--quick", action="store_true", help="three toys, to see that it runs; writes nothing")
    options = parser.parse_args()
    toys, rows = 3 if options.quick else options.toys, []
    for effective, way in product((200, 1000, 5000), WAYS):
        found = study(way, effective, toys)
        rows += found
        for row in found:
            print({key: round(value, 3) if isinstance(value, float) else value for key, value in row.items()})
    if not options.quick:
        rows.sort(key=lambda row: (TARGETS.index(row["target"]), REQUIRED.index(row["require"])))
        content = json.dumps({"toys": toys, "rows": rows}, indent=1).replace("NaN", "null")
        (FOLDER / "edges.json").write_text(content + "\n")


if __name__ == "__main__":
    main()

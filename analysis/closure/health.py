"""How often do remarks on a training fire where nothing is wrong? Run: python analysis/closure/health.py [--toys 100]

With ``--keep FILE`` every toy is a line of that file at once, so that a study goes on where it was stopped.

Small trainings (two layers of 16, eight epochs) on 4000 events whose signs do not depend on the features: the mean sign
is the same everywhere, so a sign network is wrong by its noise alone. One sample a label under `refined`, and three in
all under `combined`, which learns one mean sign for each label. Counted are p-values of the calibration of ĝ (at most 1
and 5 %), of the worst feature after a correction for their number, and of the test of overtraining.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from kept import Kept
from scipy.special import chdtrc
from scipy.stats import binom

from hepneg import EventTable, evaluate, train

CASES = {
    "refined-2": ("refined", 2, False),
    "combined-2": ("combined", 2, True),
    "refined-5": ("refined", 5, False),
    "combined-5": ("combined", 5, True),
}
LEVELS = (0.01, 0.05)


def toy(seed: int, several: bool) -> EventTable:
    rng, n = np.random.default_rng(seed), 4000
    x, label = rng.normal(size=(n, 4)), rng.integers(0, 2, n)
    x[:, 0] += label
    second = several & (label == 0) & (rng.random(n) < 0.4)
    weight = np.where(rng.random(n) < np.where(second, 0.3, 0.15), -1.0, 1.0)
    sample = np.where(label == 1, "signal", np.where(second, "second", "first"))
    return EventTable.from_arrays(x, weight, label, event_id=np.arange(n), sample=sample)


def p_values(seed: int, scheme: str, folds: int, several: bool) -> dict[str, list[float]]:
    events = toy(seed, several)
    model = train(events, scheme, folds=folds, epochs=8, seed=seed, network={"hidden": [16, 16]}, batch_size=256)
    found: dict[str, list[float]] = {"calibration of ĝ": [], "worst feature": [], "overtraining": []}
    for closure in model.health["samples"].values():
        features = closure["features"].values()
        found["calibration of ĝ"].append(tail(closure["calibration"]))
        found["worst feature"].append(min(1.0, len(features) * min(map(tail, features))))
    found["overtraining"] = [part.test.p_value for part in evaluate(model, events).overtraining.values()]
    return found


def tail(test: dict[str, Any]) -> float:
    """The p-value of a χ², as the report takes it: without degrees of freedom (a constant ĝ) nothing is said."""
    return float(chdtrc(test["ndf"], test["chi2"])) if test["ndf"] else 1.0


def cell(values: list[float], level: float) -> str:
    count, (low, high) = sum(p <= level for p in values), binom.interval(0.99, len(values), level)
    text = f"{100 * count / len(values):.1f}"
    return text if low <= count <= high else f"**{text}**"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--toys", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1, help="of the first toy")
    parser.add_argument("--cases", nargs="+", default=list(CASES), choices=list(CASES), help="scheme and folds")
    parser.add_argument("--keep", type=Path, help="file with a line for each toy, added to where it is there")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    kept = Kept(chosen.keep)
    print("| scheme, folds | samples | remark | tests | p ≤ 1 % | p ≤ 5 % |\n|---|---|---|---|---|---|")
    for case in chosen.cases:
        scheme, folds, several = CASES[case]
        seeds = range(chosen.seed, chosen.seed + chosen.toys)
        toys = [kept.of(case, s, measure=partial(p_values, s, *CASES[case])) for s in seeds]
        for remark in toys[0]:
            values = [p for toy in toys for p in toy[remark]]
            rates = " | ".join(cell(values, level) for level in LEVELS)
            print(f"| {scheme}, {folds} | {3 if several else 2} | {remark} | {len(values)} | {rates} |")
        sys.stdout.flush()
    print("\nbold: outside the 99 % band")


if __name__ == "__main__":
    main()

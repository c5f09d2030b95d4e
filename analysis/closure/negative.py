"""How often is a density called negative that is not? Run: python analysis/closure/negative.py [--toys 400]

The network part of `hepneg check` alone: local mean signs by five-fold cross-validation, and Σw of the events that they
take for negative. Toys of four normal features, |w| = 1, with densities that are positive everywhere, exactly zero in a
part, or negative in a part. At a nominal 1 % the zero ones are to be between 0.5 and 1.5 %, the positive ones below.
With ``--keep FILE`` every toy is a line of that file at once, so that a study goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

import numpy as np
from kept import Kept

from hepneg import EventTable
from hepneg.shapes.negative.learnt_region import learnt_region, out_of_fold_sign
from hepneg.shapes.shape_tests.sign_classifier import learn_sign

SIGNS = {
    "positive": lambda x: np.where(x[:, 0] < -0.5, 0.15, 0.7),
    "zero beyond a step, 31 %": lambda x: np.where(x[:, 0] < -0.5, 0.0, 0.7),
    "zero in a corner": lambda x: np.clip(0.25 + 0.35 * x[:, 0] + 0.2 * x[:, 1], 0.0, 0.95),
    "zero in bands": lambda x: np.where(np.floor(2.0 * x[:, 0] + x[:, 1]) % 3 == 0, 0.0, 0.6),
    "negative in 7 %": lambda x: np.where(x[:, 0] < -1.5, -0.25, 0.6),
}


def toy(kind: str, n: int, seed: int) -> EventTable:
    rng = np.random.default_rng([seed, len(kind)])
    x = rng.normal(size=(n, 4)).astype(np.float32)
    weight = np.where(rng.random(n) < 0.5 * (1.0 + SIGNS[kind](x)), 1.0, -1.0)
    return EventTable.from_arrays(x, weight, np.zeros(n, int), event_id=np.arange(n))


def p_value(kind: str, n: int, seed: int) -> float:
    events = toy(kind, n, seed)
    sign = out_of_fold_sign(events.features, events.weight, learn_sign, seed=seed)
    return float(learnt_region(events, sign).selected.p_value)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--toys", type=int, default=400)
    parser.add_argument("--events", type=int, default=2500)
    parser.add_argument("--seed", type=int, default=1, help="of the first toy")
    parser.add_argument("--kinds", nargs="+", default=list(SIGNS), choices=list(SIGNS), help="of densities")
    parser.add_argument("--keep", type=Path, help="file with a line for each toy, added to where it is there")
    chosen = parser.parse_args()
    kept = Kept(chosen.keep)
    print("| density | toys | p ≤ 5 % | p ≤ 1 % | p ≤ 0.13 % |\n|---|---|---|---|---|")
    for kind in chosen.kinds:
        n, seeds = chosen.events, range(chosen.seed, chosen.seed + chosen.toys)
        found = np.array([kept.of(kind, n, s, measure=partial(p_value, kind, n, s)) for s in seeds])
        rates = " | ".join(f"{100.0 * np.mean(found <= level):.1f} %" for level in (0.05, 0.01, 0.00135))
        print(f"| {kind} | {chosen.toys} | {rates} |")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

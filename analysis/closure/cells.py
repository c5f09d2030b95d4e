"""Smearing against noise: how large the cells of ``paired`` should be, and what they cost beside ``refined``.

    python analysis/closure/cells.py                 sizes of averaged cells, on geometries 101 and up
    python analysis/closure/cells.py --judge         the flavours at their defaults, on geometries 1 to 4
    python analysis/closure/cells.py --quick         a minute's worth, to see that it runs

Large cells smear the density over their size, small ones leave the noise of the signs. The measure is that of
measure.py: excess cross-entropy on independent events over that of unsigned training on N(1 − 2f)² events. Sizes are
chosen on geometries 101 and up, and judged on 1 to 4, which chose nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np
from measure import QUICK
from toys import Toy, excess_loss

import hepneg
from hepneg.schemes import make_scheme

SURPLUS = (2.0, 3.0, 4.0, 6.0, 8.0)
Case = tuple[str, dict[str, object]]
FLAVOURS: dict[str, Case] = {
    "nearest": ("paired", {"flavour": "nearest"}),
    "stratified": ("paired", {"flavour": "stratified"}),
    "averaged": ("paired", {"flavour": "averaged"}),
    "refined": ("refined", {}),
}
SIZES = {f"averaged, {size:g}": ("paired", {"flavour": "averaged", "surplus": size}) for size in SURPLUS}


def excess(case: Case, toy: Toy, events: int, seed: int, settings: dict[str, object]) -> float:
    """Train under a scheme and return the excess cross-entropy in nats."""
    name, parameters = case
    signed = toy.sample(np.random.default_rng([seed, 1]), events)
    test = toy.sample_unsigned(np.random.default_rng([seed, 2]), 50_000).features
    classifier = hepneg.train(signed, make_scheme(name, **parameters), **settings)
    return excess_loss(classifier.logit(test), toy.exact_logit(test))


def unit(toy: Toy, events: int, fraction: float, seed: int, settings: dict[str, object]) -> float:
    """Return the mean excess of three unsigned trainings on N(1 − 2f)² events."""
    rng, effective = np.random.default_rng([seed, 3]), round(events * (1 - 2 * fraction) ** 2)
    test = toy.sample_unsigned(np.random.default_rng([seed, 2]), 50_000).features
    samples = [toy.sample_unsigned(rng, effective) for _ in range(3)]
    exact = toy.exact_logit(test)
    return float(np.mean([excess_loss(hepneg.train(s, "absolute", **settings).logit(test), exact) for s in samples]))


def main(arguments: Sequence[str] | None = None) -> dict[str, list[float]]:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--judge", action="store_true", help="the defaults, on geometries that chose nothing")
    parser.add_argument("--events", type=int, default=20_000, help="signed events of each label")
    parser.add_argument("--features", type=int, default=4)
    parser.add_argument("--negative-fraction", type=float, default=0.3, metavar="F")
    parser.add_argument("--geometries", type=int, default=4)
    parser.add_argument("--quick", action="store_true")
    chosen = parser.parse_args(arguments)
    cases = FLAVOURS if chosen.judge else SIZES
    settings: dict[str, object] = dict(QUICK) if chosen.quick else {}
    events, count = (1500, 1) if chosen.quick else (chosen.events, chosen.geometries)
    first = 1 if chosen.judge else 101
    ratios: dict[str, list[float]] = {name: [] for name in cases}
    for seed in range(first, first + count):
        toy = Toy.make(seed, features=chosen.features, shapes="strong", negative_fraction=chosen.negative_fraction)
        whole = unit(toy, events, chosen.negative_fraction, seed, settings)
        for name, case in cases.items():
            ratios[name].append(excess(case, toy, events, seed, settings) / whole)
            print(f"geometry {seed}, {name}: {ratios[name][-1]:.2f}", flush=True)
    print("| | mean | spread |\n|---|---|---|")
    for name, values in ratios.items():
        spread = np.std(values, ddof=1) if count > 1 else float("nan")
        print(f"| {name} | {np.mean(values):.2f} | {spread:.2f} |")
    return ratios


if __name__ == "__main__":
    main()

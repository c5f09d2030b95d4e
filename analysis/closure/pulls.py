"""Are paired differences between schemes known as well as `hepneg compare` says? Run: python analysis/closure/pulls.py

`compare` quotes the error that the events give the difference of two losses, and `loss_noise`, what the folds differ by
beyond it: the chance of the trainings. Samples of one geometry of toys.py, two schemes on each: the difference on
held-out events less its true mean (the excess over the exact optimum of all networks of all samples), over the error of
the events alone and over both. A pull of width 1 says that an error is right; "own networks" takes the true difference
of the networks of the same sample, which their training has no part in.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from kept import Kept
from measure import QUICK
from numpy.typing import NDArray
from toys import Toy, excess_loss

import hepneg
from hepneg.metrics import ScoredEvents
from hepneg.metrics.proper import log_loss_of
from hepneg.networks.inference import network_logits
from hepneg.studies.recommendation import training_noise

Float = NDArray[np.float64]

TEST_EVENTS = 20_000


def difference(pair: Sequence[str], seed: int, events: int, geometry: int, settings: dict[str, Any]) -> list[float]:
    """Return the difference of the losses on held-out events, its error, the noise of training, and its true value."""
    toy = Toy.make(geometry)
    table = toy.sample(np.random.default_rng([geometry, seed]), events)
    points = toy.sample_unsigned(np.random.default_rng([geometry, 0]), TEST_EVENTS).features
    models = [hepneg.train(table, scheme, seed=seed, **settings) for scheme in pair]
    scored = [ScoredEvents.of_table(table, model.output_of_fold(table)) for model in models]
    gap = log_loss_of(scored[0]) - log_loss_of(scored[1])
    folds = table.folds(len(models[0].networks), models[0].seed)
    exact = toy.exact_logit(points)
    first, second = (
        np.mean([excess_loss(network_logits(network, points), exact) for network in model.networks]) for model in models
    )
    estimate = gap.estimate()
    return [estimate.value, estimate.error, training_noise(gap, scored[0].share, folds), float(first - second)]


def row(pair: Sequence[str], found: Float) -> str:
    """Return the widths of the pulls and how often they are within ±1, of toys (n, 4)."""
    value, error, noise, true = found.T
    both = np.hypot(error, noise)
    pulls = ((value - true) / error, (value - true.mean()) / error, (value - true.mean()) / both)
    cells = " | ".join(f"{np.sqrt(np.mean(p**2)):.2f} ({100 * np.mean(np.abs(p) <= 1):.0f} %)" for p in pulls)
    sizes = " | ".join(f"{1e3 * np.mean(one):.1f}" for one in (true, error, noise))
    return f"| {' − '.join(pair)} | {len(found)} | {sizes} | {1e3 * true.std(ddof=1):.1f} | {cells} |"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", nargs="+", default=["signed,mixture", "absolute,mixture"], help="schemes, a,b")
    parser.add_argument("--toys", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1, help="of the first sample")
    parser.add_argument("--events", type=int, default=5000, help="of each label")
    parser.add_argument("--geometry", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="file with a line for each sample, added to where it is there")
    parser.add_argument("--quick", action="store_true", help="three small samples, to see that it runs")
    chosen = parser.parse_args(arguments)
    toys, events, settings = (3, 1500, QUICK) if chosen.quick else (chosen.toys, chosen.events, {})
    warnings.simplefilter("ignore", hepneg.HepnegWarning)
    kept = Kept(chosen.keep)
    print("| difference | samples | true | error | noise | true, spread | own networks | events | events and noise |")
    print("|---" * 9 + "|")
    for pair in chosen.pairs:
        names = pair.split(",")
        key = (pair, events, chosen.geometry)
        seeds = range(chosen.seed, chosen.seed + toys)
        how = partial(difference, names, events=events, geometry=chosen.geometry, settings=settings)
        print(row(names, np.array([kept.of(*key, s, measure=partial(how, s)) for s in seeds])), flush=True)


if __name__ == "__main__":
    main()

"""Schemes on toys of three and of five classes with known densities, against unsigned samples of n_eff events.

Each class is a mixture as in ``toys.py``: a component with weights +1 and a wider, displaced one of which 47 % have the
weight −1. The first components stand on orthogonal axes, so that any two classes are as far apart as the two of
``toys.py``. The excess is the mean Kullback–Leibler divergence of the learnt probabilities from the exact ones at equal
priors, on points of the physical densities; the unit is that of the same training on N(1 − 2f)² events of each class
from the physical densities, all with the weight +1.

    python analysis/closure/classes.py --classes 3
    python analysis/closure/classes.py --classes 5
    python analysis/closure/classes.py --quick             seconds, to see that it runs
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from measure import QUICK
from numpy.typing import NDArray
from toys import SHAPES, Gaussian, SignedMixture, _direction, _random_root

import hepneg

Float = NDArray[np.float64]

APART = 1.0
"""Distance of a class's first component from the origin: √2 between two, 1.4 in toys.py."""
SCHEMES = ("absolute", "positive", "signed", "refined", "mixture", "factorised", "combined", "auto")


@dataclass(frozen=True, eq=False)
class ClassToy:
    """K classes with exactly known densities."""

    classes: tuple[SignedMixture, ...]

    @classmethod
    def make(cls, seed: int, classes: int, *, negative_fraction: float = 0.3, features: int = 6) -> ClassToy:
        """Draw a geometry of at most as many classes as features."""
        rng = np.random.default_rng([seed, features, classes])
        axes, _ = np.linalg.qr(rng.normal(size=(features, features)))
        width, shift = SHAPES["strong"]
        made = []
        for axis in axes[:classes]:
            positive = Gaussian(APART * axis, _random_root(rng, features))
            mixed = Gaussian(positive.centre + shift * _direction(rng, features), width * positive.root)
            made.append(SignedMixture(positive, mixed, negative_fraction))
        return cls(tuple(made))

    def sample(self, rng: np.random.Generator, n: int) -> hepneg.EventTable:
        """Draw n signed events of each class."""
        parts = [one.sample(rng, n) for one in self.classes]
        return self._table([x for x, _ in parts], np.concatenate([weight for _, weight in parts]))

    def sample_unsigned(self, rng: np.random.Generator, n: int) -> hepneg.EventTable:
        """Draw n events of each class from the physical densities, all with weight +1."""
        return self._table([one.sample_unsigned(rng, n) for one in self.classes], np.ones(n * len(self.classes)))

    def _table(self, features: Sequence[Float], weight: Float) -> hepneg.EventTable:
        label = np.repeat([f"class_{code}" for code in range(len(features))], len(features[0]))
        return hepneg.EventTable.from_arrays(
            np.concatenate(features), weight, label, event_id=np.arange(len(weight)), sample=label
        )

    def exact_probability(self, x: Float) -> Float:
        """Return the probability of each class at equal priors, (n, K)."""
        points = np.asarray(x, np.float64)
        density = np.stack([one.log_parts(points)[1] - np.log(one.mean_sign) for one in self.classes], axis=1)
        likely = np.exp(density - density.max(axis=1, keepdims=True))
        return np.asarray(likely / likely.sum(axis=1, keepdims=True))


def excess_loss(learnt: Float, exact: Float) -> float:
    """Return the mean Kullback–Leibler divergence of probabilities, (n, K), from the exact ones, in nats."""
    tiny = np.finfo(np.float64).tiny
    logs = np.log(np.maximum(exact, tiny)) - np.log(np.maximum(learnt, tiny))
    return float(np.mean((exact * logs).sum(axis=1)))


def measure(
    classes: int, seed: int, schemes: Sequence[str], events: int, fraction: float, **settings: Any
) -> tuple[float, dict[str, float], dict[str, float], str]:
    """Return the excess of the unsigned sample, that of each scheme, their seconds, and what ``auto`` took."""
    toy = ClassToy.make(seed, classes, negative_fraction=fraction)
    rng = np.random.default_rng([seed, 1])
    signed = toy.sample(rng, events)
    test = toy.sample_unsigned(np.random.default_rng([seed, 2]), 100_000 // classes).features
    exact = toy.exact_probability(test)
    effective = round(events * (1 - 2 * fraction) ** 2)
    units = [
        excess_loss(hepneg.train(toy.sample_unsigned(rng, effective), "absolute", **settings).response(test), exact)
        for _ in range(2)
    ]
    excess, seconds, took = {}, {}, ""
    for scheme in schemes:
        start = time.perf_counter()
        classifier = hepneg.train(signed, scheme, **settings)
        seconds[scheme] = time.perf_counter() - start
        excess[scheme] = excess_loss(classifier.response(test), exact)
        took = classifier.chosen if scheme == "auto" else took
    return float(np.mean(units)), excess, seconds, took


def main(arguments: Sequence[str] | None = None) -> dict[str, list[float]]:
    """Measure, print a Markdown table, and return the ratios to the unit by scheme."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--classes", type=int, default=3)
    parser.add_argument("--negative-fraction", type=float, default=0.3, metavar="F")
    parser.add_argument("--events", type=int, default=20_000, help="signed events of each class")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], help="of the geometries")
    parser.add_argument("--schemes", nargs="+", default=list(SCHEMES))
    parser.add_argument("--quick", action="store_true")
    chosen = parser.parse_args(arguments)
    settings: dict[str, Any] = dict(QUICK) if chosen.quick else {}
    events, seeds = (1500, chosen.seeds[:1]) if chosen.quick else (chosen.events, chosen.seeds)
    units, ratios, seconds = [], {name: [] for name in chosen.schemes}, {name: [] for name in chosen.schemes}
    for seed in seeds:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", hepneg.HepnegWarning)  # a runaway loss shows in the table
            found = measure(chosen.classes, seed, chosen.schemes, events, chosen.negative_fraction, **settings)
        unit, excess, clock, took = found
        units.append(unit)
        for name, value in excess.items():
            ratios[name].append(value / unit)
            seconds[name].append(clock[name])
        print(f"geometry {seed}: unit {1e3 * unit:.2f}e-3 nats{', auto took ' + took if took else ''}", flush=True)
    print(f"\n| | mean | excess × 10³ | seconds | {' | '.join(map(str, seeds))} |")
    print("|---" * (4 + len(seeds)) + "|")
    for name, values in ratios.items():
        excess_nats = 1e3 * float(np.mean(np.multiply(values, units)))
        every = " | ".join(f"{value:.2f}" for value in values)
        print(f"| {name} | {np.mean(values):.2f} | {excess_nats:.2f} | {np.mean(seconds[name]):.0f} | {every} |")
    return ratios


if __name__ == "__main__":
    main()
